"""Sending sample orders: the payment that a checkout would have made, then the signed webhook."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from cli.access import WAREHOUSE
from cli.addresses import Addresses
from cli.installation import Installation
from cli.scenarios import EXAMPLES
from cli.storefront import CHANNEL_OF, Payload, read_payload
from domain.errors import DomainError


class StorefrontDesk:
    """Plays the storefronts of one embedded installation."""

    def __init__(self, installation: Installation, addresses: Addresses) -> None:
        self._installation, self._addresses = installation, addresses
        self._http = httpx.Client(timeout=20.0, trust_env=False)
        self._intents: dict[str, str] = {}

    def example(self, name: str) -> str:
        """Send one of the examples as if it were placed now; return the order's id.

        Two examples about one order (``x`` and ``x.cancelled``) share its payment.
        """
        payload = read_payload(EXAMPLES / f"{name}.json")
        if name.endswith(".cancelled"):
            payload = Payload(payload.platform, payload.body, "orders/cancelled")
        payload = payload.dated(datetime.now(UTC))
        if payload.needs_payment:
            order = name.split(".")[0]
            if order not in self._intents:
                self._intents[order] = self._pay(payload)
            payload = payload.paid_with(self._intents[order])
        return self.send(payload)

    def file(self, path: Path) -> str:
        """Send a payload file as it is; return the order's id, empty when it made none."""
        return self.send(read_payload(path))

    def send(self, payload: Payload) -> str:
        """Sign and post a payload; return the id of the order it is about.

        Raises:
            DomainError: what the API refused, with its code.
        """
        secret = self._installation.channel_secret(CHANNEL_OF[payload.platform])
        delivery = payload.signed(secret, datetime.now(UTC))
        answer = self._http.post(
            f"{self._addresses.api_url}/webhooks/{delivery.channel}",
            content=delivery.body,
            headers=dict(delivery.headers),
        )
        said: dict[str, Any] = answer.json() if answer.content else {}
        if answer.is_success:
            return str(said.get("order_id") or "")
        errors = said.get("errors") or []
        fields = "; ".join(f"{one['field']}: {one['message']}" for one in errors[:5])
        text = f"{answer.status_code} {fields or said.get('detail', '')}"
        raise DomainError(text, str(said.get("code", "refused")))

    def break_on_purpose(self, rule: dict[str, Any]) -> None:
        """Add a rule to the testbed's fault plan."""
        url = f"{self._addresses.testbed_url}/control/faults"
        self._http.post(url, json=rule).raise_for_status()

    def set_up_world(self, clocks: Mapping[str, float]) -> None:
        """Set the testbed's clocks, and the key its warehouse calls us with."""
        url = f"{self._addresses.testbed_url}/control/settings"
        key = self._installation.secret(WAREHOUSE)
        self._http.put(url, json={**clocks, "api_key": key}).raise_for_status()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _pay(self, payload: Payload) -> str:
        amount, currency = payload.total
        answer = self._http.post(
            f"{self._addresses.testbed_url}/stripe/v1/payment_intents",
            headers={"Authorization": f"Bearer {self._installation.secret('stripe_api_key')}"},
            data={
                "amount": str(amount),
                "currency": currency.lower(),
                "capture_method": "automatic" if payload.captured else "manual",
                "payment_method": "pm_card_visa",
                "confirm": "true",
            },
        )
        answer.raise_for_status()
        return str(answer.json()["id"])
