"""The customers' side of the wire: every request is repeated until it has a final answer."""

import random
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx

from cli.access import OPERATOR
from cli.addresses import Addresses
from cli.installation import Installation
from cli.storefront import CHANNEL_OF, Payload
from tests.chaos.witness import ORDER, Json, Told, Witness

GIVEN_UP = 240.0
"""Seconds after which a request without a final answer is a complaint."""
LONGEST_PAUSE = 3.0


class Closed(Exception):
    """The run is being ended from outside."""


class Shop:
    """Sends, repeats and writes down. Used by many threads at once."""

    def __init__(self, installation: Installation, addresses: Addresses, witness: Witness) -> None:
        self._installation, self._addresses = installation, addresses
        self._witness = witness
        self._key = {"Authorization": f"Bearer {installation.secret(OPERATOR)}"}
        self._http = httpx.Client(
            timeout=httpx.Timeout(12.0, connect=2.0),
            trust_env=False,
            limits=httpx.Limits(max_connections=100),
        )
        self.closed = threading.Event()

    def deliver(self, payload: Payload, number: int, kind: str = ORDER) -> Told:
        """Send a webhook as a platform does: the same delivery again until it is taken."""
        secret = self._installation.channel_secret(CHANNEL_OF[payload.platform])
        delivery = payload.signed(secret, datetime.now(UTC))
        path = f"/webhooks/{delivery.channel}"
        answer, tries = self._until_final(
            lambda: self._http.post(
                self._addresses.api_url + path,
                content=delivery.body,
                headers=dict(delivery.headers),
            ),
            f"{path} of customer {number}",
        )
        said = answer.json()
        # A cancel that came before its order names none; it counts for the order that comes.
        order_id = str(said.get("order_id") or f"shop-c-{number}")
        return self._noted(Told(kind, order_id, "", path, {}, answer.status_code, said, tries))

    def ask(self, what: str, order_id: str, method: str, path: str, body: Json, key: str) -> Told:
        """Ask the API something under a key of the caller's own."""
        answer, tries = self._until_final(
            lambda: self._http.request(
                method,
                self._addresses.api_url + path,
                json=body if method != "DELETE" else None,
                headers={**self._key, "Idempotency-Key": key},
            ),
            f"{method} {path} under {key}",
        )
        said = answer.json() if answer.content else {}
        about = order_id or str(said.get("order_id", ""))
        return self._noted(Told(what, about, key, path, body, answer.status_code, said, tries))

    def again(self, told: Told) -> tuple[int, Json]:
        """Ask what was asked before once more; nothing is written down."""
        answer, _ = self._until_final(
            lambda: self._http.post(
                self._addresses.api_url + told.path,
                json=told.asked,
                headers={**self._key, "Idempotency-Key": told.key},
            ),
            f"again {told.path}",
        )
        return answer.status_code, answer.json()

    def order(self, order_id: str) -> Json | None:
        """Return the order's document; None when it is unknown."""
        answer, _ = self._until_final(
            lambda: self._http.get(
                f"{self._addresses.api_url}/orders/{order_id}", headers=self._key
            ),
            f"GET {order_id}",
        )
        found: Json = answer.json()
        return found if answer.is_success else None

    def paid(self, payload: Payload) -> Payload:
        """Return the payload with a payment that the storefront's own checkout made."""
        if not payload.needs_payment:
            return payload
        amount, currency = payload.total
        key = f"checkout-{payload.body['id']}"
        answer, _ = self._until_final(
            lambda: self._http.post(
                f"{self._addresses.testbed_url}/stripe/v1/payment_intents",
                headers={
                    "Authorization": f"Bearer {self._installation.secret('stripe_api_key')}",
                    "Idempotency-Key": key,
                },
                data={
                    "amount": str(amount),
                    "currency": currency.lower(),
                    "capture_method": "automatic" if payload.captured else "manual",
                    "payment_method": "pm_card_visa",
                    "confirm": "true",
                },
            ),
            f"checkout {key}",
        )
        return payload.paid_with(str(answer.json()["id"]))

    def answers(self) -> bool:
        """Whether the API answers a customer's question now."""
        try:
            url = f"{self._addresses.api_url}/orders?limit=1"
            return self._http.get(url, headers=self._key, timeout=1.0).is_success
        except httpx.HTTPError:
            return False

    def pause(self, seconds: float) -> None:
        """Wait; raises ``Closed`` when the run is ended meanwhile."""
        if self.closed.wait(seconds):
            raise Closed

    def close(self) -> None:
        """End all waiting and close the connections."""
        self.closed.set()
        self._http.close()

    def _noted(self, told: Told) -> Told:
        self._witness.note(told)
        return told

    def _until_final(
        self, ask: Callable[[], httpx.Response], what: str
    ) -> tuple[httpx.Response, int]:
        """Ask until the answer is not "ask again"; each pause is longer, and uneven."""
        waited, tries = 0.0, 0
        while True:
            tries += 1
            pause = min(0.2 * 2.0**tries, LONGEST_PAUSE) * random.uniform(0.7, 1.3)
            try:
                answer = ask()
            except httpx.HTTPError:
                pass
            except RuntimeError:  # the client was closed under a thread that still asked
                raise Closed from None
            else:
                if answer.status_code == 500:
                    self._witness.complain(f"{what}: {answer.text[:300]}")
                if not asks_again(answer):
                    return answer, tries
                pause = min(float(answer.headers.get("Retry-After", pause)), LONGEST_PAUSE)
            waited += pause
            if waited > GIVEN_UP:
                self._witness.complain(f"{what}: no final answer in {waited:.0f} s of waiting")
                raise Closed
            self.pause(pause)


def asks_again(answer: httpx.Response) -> bool:
    """Whether an answer is not the last word."""
    later: Any = answer.headers.get("Retry-After")
    return answer.status_code >= 500 or answer.status_code == 429 or later is not None
