"""The API as an operator's command calls it."""

import os
from typing import Any
from uuid import uuid4

import httpx

from cli.access import OPERATOR, addresses_of
from cli.installation import Installation
from domain.errors import DomainError


class Api:
    """The API, called by an operator's command.

    Args:
        url: defaults to ``WAYBILL_API_URL``, then to the running installation's.
        key: defaults to ``WAYBILL_API_KEY``, then to the data folder's own.
    """

    def __init__(self, url: str = "", key: str = "") -> None:
        installation = Installation.chosen()
        url = url or os.environ.get("WAYBILL_API_URL", "") or addresses_of(installation).api_url
        key = key or os.environ.get("WAYBILL_API_KEY", "") or installation.secret(OPERATOR)
        if not key:
            raise DomainError("no API key: set WAYBILL_API_KEY", "no_key")
        self.url = url
        self._http = httpx.Client(
            base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=20.0, trust_env=False
        )

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def get(self, path: str, **query: Any) -> Any:
        """Return the JSON that a path answers."""
        asked = {name: value for name, value in query.items() if value not in (None, "")}
        return self.ask("GET", path, params=asked)

    def ask(self, method: str, path: str, **request: Any) -> Any:
        """Ask, and return the JSON answered.

        Raises:
            DomainError: what the API refused, with its code; or ``api_away``.
        """
        headers = {"Idempotency-Key": uuid4().hex} if method == "POST" else {}
        try:
            answer = self._http.request(method, path, headers=headers, **request)
        except httpx.HTTPError as error:
            raise DomainError(
                f"the API at {self.url} does not answer ({error})", "api_away"
            ) from None
        if answer.is_success:
            return answer.json() if answer.content else None
        raise _refusal(answer)

    def __enter__(self) -> "Api":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _refusal(answer: httpx.Response) -> DomainError:
    try:
        problem = answer.json()
    except ValueError:
        problem = {}
    text = problem.get("detail") or problem.get("title") or answer.reason_phrase
    fields = "; ".join(
        f"{one.get('field', '')}: {one.get('message', '')}" for one in problem.get("errors") or []
    )
    said = f"{answer.status_code} {text}" + (f" ({fields})" if fields else "")
    return DomainError(said, problem.get("code") or f"http_{answer.status_code}")
