"""Labels and tracking through EasyPost's official SDK, which blocks: calls run in threads.

EasyPost has no idempotency keys. Ours is the shipment's ``reference``: a shipment that has it is
the answer when it has postage, and is bought when it has none. Two attempts at once may both make a
shipment; each then looks which one is older and buys that one, so that they meet at EasyPost's own
rule of one postage a shipment. A shipment that is made and not bought costs nothing.

A reference may stand in place of an id (docs.easypost.com/docs/shipments), which is one call. The
lists are read as well, newest first: ``MOST_PAGES`` pages of 100, bought and not bought. That is
enough for the retries of one activity, not for a repeat of last week's key.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, TypeVar
from urllib.parse import quote

from easypost.easypost_client import EasyPostClient
from easypost.errors.api.api_error import ApiError
from easypost.errors.general.easypost_error import EasyPostError

from adapters.carriers.documents import fetch_pdf
from adapters.carriers.easypost_errors import translate
from adapters.carriers.easypost_tracking import day_of, read_webhook, verify_webhook
from adapters.carriers.measures import inches, ounces
from adapters.currencies import decimals
from domain.errors import EffectRefused
from domain.money import Money
from domain.order import Address
from domain.parcel import Parcel
from ports.carriers import Label, LabelRequest, TrackingUpdate

API = "https://api.easypost.com/v2"
MOST_PAGES = 3
T = TypeVar("T")
REFUNDED = ("submitted", "refunded")
UNTOLD = 999
"""Days of a rate whose carrier does not tell them."""


class EasyPostCarrier:
    """A ``ports.carriers.Carrier``. Label ids are shipment ids (``shp_…``).

    Args:
        api_base: another server that speaks EasyPost; empty for EasyPost itself.
        timeout: seconds for one call.
    """

    name = "easypost"

    def __init__(
        self,
        api_key: str,
        api_base: str = "",
        timeout: int = 20,
    ) -> None:
        self._base = api_base.rstrip("/") or API
        self._client = EasyPostClient(api_key, api_base=self._base, timeout=timeout)

    async def buy(self, request: LabelRequest, *, key: str) -> Label:
        """Rate, choose and buy; the same key answers with the label it bought.

        Raises:
            EffectRefused: bad address or parcel, no such service (``no_rate``), or the key already
                bought another parcel (``key_reused``).
        """
        return await self._ask(lambda: self._buy(request, key))

    async def document(self, label: Label) -> bytes:
        """Return the label's PDF, fetched under the rules of ``documents``."""
        return await fetch_pdf(label.label_url, self._base)

    async def void(self, label_id: str, *, key: str) -> bool:
        """Ask for a refund. A refund asked for already is as good; a rejected one is not."""
        return await self._ask(lambda: self._void(label_id))

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[str]) -> None:
        """Check a tracker webhook's signature."""
        verify_webhook(headers, body, secrets)

    def read(self, body: bytes) -> TrackingUpdate | None:
        """Read a tracker webhook."""
        return read_webhook(body)

    async def _ask(self, call: Callable[[], T]) -> T:
        try:
            return await asyncio.to_thread(call)
        except EasyPostError as error:
            raise translate(error) from error

    def _buy(self, request: LabelRequest, key: str) -> Label:
        shipment = self._named(key)
        if shipment is None:
            made = self._client.shipment.create(**shipment_params(request, key))
            shipment = self._oldest(key) or made
        if not _same_parcel(shipment.parcel, request.parcel):
            raise EffectRefused(f"{key} already bought another parcel", "key_reused")
        if not shipment.postage_label:
            shipment = self._pay(
                shipment, choose_rate(shipment, request.service, request.within_days)
            )
        return _label(shipment)

    def _pay(self, shipment: Any, rate: Any) -> Any:
        try:
            return self._client.shipment.buy(shipment.id, rate={"id": rate.id})
        except ApiError as error:
            if error.code != "SHIPMENT.POSTAGE.EXISTS":
                raise
            return self._client.shipment.retrieve(shipment.id)

    def _named(self, key: str) -> Any:
        """Return the shipment by its reference, or ``None``."""
        try:
            return self._client.shipment.retrieve(quote(key, safe=""))
        except ApiError as error:
            if error.http_status not in (400, 404, 422):
                raise
        return None

    def _oldest(self, key: str) -> Any:
        """Return the shipment that every attempt takes: one with postage, else the oldest."""
        # ``purchased`` is asked both ways: true is the default, false may leave the bought out.
        found = [one for bought in ("false", "true") for one in self._listed(key, bought)]
        paid = [one for one in found if one.postage_label]
        oldest = (paid or found or [None])[-1]
        return self._client.shipment.retrieve(oldest.id) if oldest else None

    def _listed(self, key: str, bought: str) -> Iterator[Any]:
        asked: dict[str, Any] = {"page_size": 100, "purchased": bought}
        for _ in range(MOST_PAGES):
            page: Any = self._client.shipment.all(**asked)
            yield from (one for one in page["shipments"] if one.reference == key)
            if not page.get("has_more") or not page["shipments"]:
                return
            asked["before_id"] = page["shipments"][-1].id

    def _void(self, label_id: str) -> bool:
        status = self._client.shipment.retrieve(label_id).refund_status
        if status is None:
            try:
                status = self._client.shipment.refund(label_id).refund_status
            except ApiError as error:
                if error.http_status not in (400, 409, 422):
                    raise
                status = self._client.shipment.retrieve(label_id).refund_status
        return status in REFUNDED


def choose_rate(shipment: Any, service: str, within_days: int = 0) -> Any:
    """Return the cheapest rate of ``Carrier/Service`` (case ignored); without a service, the
    cheapest that arrives within so many days (0 is any), or the fastest when none does.

    Equal prices are decided by delivery days, then by name, so that every attempt agrees. A rate
    whose days the carrier does not tell counts as the slowest.

    Raises:
        EffectRefused: no rate fits (code ``no_rate``); the carriers' own words are passed on.
    """
    wanted = service.lower()
    rates = [
        rate
        for rate in shipment.rates
        if not wanted or f"{rate.carrier}/{rate.service}".lower() == wanted
    ]
    if not rates:
        said = "; ".join(str(message.message) for message in shipment.messages or ())
        raise EffectRefused(f"no rate for {service or 'this parcel'}: {said}"[:500], "no_rate")
    if within_days and not wanted:
        fastest = min(map(_days, rates))
        rates = [rate for rate in rates if _days(rate) <= max(within_days, fastest)]
    return min(
        rates,
        key=lambda rate: (Decimal(rate.rate), _days(rate), rate.carrier, rate.service, rate.id),
    )


def _days(rate: Any) -> int:
    return rate.delivery_days or UNTOLD


def shipment_params(request: LabelRequest, key: str) -> dict[str, Any]:
    """Return what EasyPost is told about a parcel."""
    sender, receiver = request.origin, request.destination
    if request.is_return:
        # EasyPost turns the addresses of a return round by itself.
        # https://docs.easypost.com/docs/shipments/returns
        sender, receiver = receiver, sender
    return {
        "reference": key,
        "from_address": _address(sender),
        "to_address": _address(receiver),
        "parcel": _parcel(request.parcel),
        "is_return": request.is_return,
        "options": {"label_format": "PDF", "print_custom_1": request.subject[:35]},
    }


def _address(address: Address) -> dict[str, str]:
    return {
        "name": address.name,
        "company": address.company,
        "street1": address.line1,
        "street2": address.line2,
        "city": address.city,
        "state": address.region,
        "zip": address.postal_code,
        "country": address.country,
        "phone": address.phone,
    }


def _parcel(parcel: Parcel) -> dict[str, float]:
    return {
        "weight": ounces(parcel.weight_grams),
        "length": inches(parcel.length_mm),
        "width": inches(parcel.width_mm),
        "height": inches(parcel.height_mm),
    }


def _same_parcel(there: Any, parcel: Parcel) -> bool:
    return all(
        there.get(name) is None or Decimal(str(there.get(name))) == Decimal(str(value))
        for name, value in _parcel(parcel).items()
    )


def _label(shipment: Any) -> Label:
    rate, tracker, postage = shipment.selected_rate, shipment.tracker, shipment.postage_label
    cost = Decimal(rate.rate).scaleb(decimals(rate.currency))
    return Label(
        label_id=shipment.id,
        carrier=rate.carrier,
        service=rate.service,
        tracking_number=shipment.tracking_code,
        tracking_url=(tracker.public_url if tracker else "") or "",
        cost=Money(amount=int(cost.to_integral_value()), currency=rate.currency),
        label_url=postage.get("label_pdf_url") or postage.label_url,
        expected_on=day_of(tracker.est_delivery_date if tracker else None)
        or day_of(rate.get("delivery_date")),
    )
