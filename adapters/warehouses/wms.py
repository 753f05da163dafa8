"""A warehouse system reached by plain JSON over HTTP; the small contract that a WMS implements.

POST {base}/warehouse/shipments              202 accepted | 422 {"reason"} | 409 other content
POST {base}/warehouse/shipments/{id}/cancel  200 {"outcome": "cancelled" | "too_late"}
POST {base}/warehouse/returns                202

Bearer key; ``Idempotency-Key`` is the shipment's or return's own id, so that a repeat is one.
"""

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import httpx

from domain.errors import EffectRefused, ProviderUnavailable
from ports.warehouses import ExpectedReturn, PickLine, PickOrder

Json = dict[str, Any]


class WmsWarehouse:
    """A ``ports.warehouses.Warehouse``.

    Args:
        base_url: the WMS, without ``/warehouse``.
        timeout: seconds for one call.
    """

    def __init__(self, base_url: str, api_key: str, timeout: float = 10.0) -> None:
        self._http = httpx.AsyncClient(
            base_url=base_url.rstrip("/") + "/warehouse",
            headers={"authorization": f"Bearer {api_key}"},
            timeout=timeout,
            follow_redirects=False,
            trust_env=False,
        )

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def release(self, order: PickOrder) -> None:
        """Hand over a shipment to be picked.

        Raises:
            EffectRefused: the warehouse will not pick it (``warehouse_refused``), or has this
                shipment id with other content (``key_reused``).
        """
        await self._post("/shipments", order.model_dump(mode="json"), order.shipment_id)

    async def cancel(self, shipment_id: str, lines: tuple[PickLine, ...], *, key: str) -> bool:
        """Ask to stop units of a shipment; no lines means all of it.

        A shipment that the warehouse does not know is stopped already.
        """
        path = f"/shipments/{quote(shipment_id, safe='')}/cancel"
        try:
            body = {"lines": _lines(lines)} if lines else {}
            answer = await self._post(path, body, key)
        except EffectRefused as refused:
            if refused.code != "unknown_shipment":
                raise
            return True
        return bool(answer.get("outcome") == "cancelled")

    async def expect_return(self, expected: ExpectedReturn) -> None:
        """Announce a return parcel."""
        await self._post("/returns", expected.model_dump(mode="json"), expected.return_id)

    async def _post(self, path: str, body: Json, key: str) -> Json:
        try:
            answer = await self._http.post(path, json=body, headers={"idempotency-key": key})
        except httpx.HTTPError as error:
            raise ProviderUnavailable(f"warehouse: {error!r}") from error
        if answer.is_success:
            return _json(answer)
        raise _refusal(answer)


def _lines(lines: Sequence[PickLine]) -> list[Json]:
    return [line.model_dump(mode="json") for line in lines]


def _refusal(answer: httpx.Response) -> EffectRefused | ProviderUnavailable:
    """Return our error for a status; a wrong key (401, 403) is an operator's matter and waits."""
    status, body = answer.status_code, _json(answer)
    reason = str(body.get("reason") or body.get("detail") or f"HTTP {status}")[:500]
    if body.get("error") == "idempotency_error":
        return EffectRefused(f"warehouse: {reason}", "key_reused")
    codes = {409: "key_reused", 404: "unknown_shipment", 400: "warehouse_refused",
             422: "warehouse_refused"}  # fmt: skip
    if status in codes:
        return EffectRefused(f"warehouse: {reason}", codes[status])
    return ProviderUnavailable(f"warehouse: {reason}", _retry_after(answer))


def _retry_after(answer: httpx.Response) -> float | None:
    try:
        return max(0.0, float(answer.headers["retry-after"]))
    except (KeyError, ValueError):
        return None


def _json(answer: httpx.Response) -> Json:
    try:
        body = answer.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
