"""EasyPost's tracker webhooks: proof, and the scans they carry.

A webhook repeats the whole history of the parcel, in no order to rely on; the scans are a set.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from easypost.errors.general.easypost_error import EasyPostError
from easypost.util import validate_webhook

from domain.errors import DomainError
from ports.carriers import Scan, TrackingState, TrackingUpdate
from ports.storefronts import Unauthentic

STATES = {
    "unknown": TrackingState.PRE_TRANSIT,
    "pre_transit": TrackingState.PRE_TRANSIT,
    "in_transit": TrackingState.IN_TRANSIT,
    "out_for_delivery": TrackingState.OUT_FOR_DELIVERY,
    "available_for_pickup": TrackingState.OUT_FOR_DELIVERY,
    "delivered": TrackingState.DELIVERED,
    "return_to_sender": TrackingState.RETURNED_TO_SENDER,
    "failure": TrackingState.EXCEPTION,
    "error": TrackingState.EXCEPTION,
    "cancelled": TrackingState.CANCELLED,
}
"""Status to state. ``unknown`` says nothing and so is the lowest: it never moves a parcel.

Source: https://docs.easypost.com/docs/trackers (status, status_detail).
"""

Json = Mapping[str, Any]


def verify_webhook(headers: Mapping[str, str], body: bytes, secrets: Sequence[str]) -> None:
    """Check ``x-hmac-signature`` (HMAC-SHA256 over the raw body) against each live secret.

    EasyPost's scheme signs no time: repeats are caught by event id and scan identity.

    Raises:
        Unauthentic: no secret fits.
    """
    signature = headers.get("x-hmac-signature", "")
    for secret in secrets:
        if not secret:
            continue
        try:
            validate_webhook(body, {"X-Hmac-Signature": signature}, secret)
        except (EasyPostError, TypeError):
            continue
        except ValueError:
            return  # signed by EasyPost and no JSON: reading it says so
        return
    raise Unauthentic("no live secret made this EasyPost signature")


def read_webhook(body: bytes) -> TrackingUpdate | None:
    """Read a tracker event; ``None`` for any other kind.

    Raises:
        DomainError: the body is no EasyPost event (code ``unreadable_event``).
    """
    try:
        event = json.loads(body)
        tracker = event.get("result") or {}
        if tracker.get("object") != "Tracker":
            return None
        return TrackingUpdate(
            event_id=str(event.get("id") or ""),
            carrier=str(tracker.get("carrier") or ""),
            tracking_number=str(tracker["tracking_code"]),
            scans=tuple(sorted(set(_scans(tracker)), key=lambda scan: (scan.at, scan.code))),
            expected_on=day_of(tracker.get("est_delivery_date")),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DomainError("the body is no EasyPost event", "unreadable_event") from error


def _scans(tracker: Json) -> Iterable[Scan]:
    details = [_scan(detail, tracker) for detail in tracker.get("tracking_details") or ()]
    yield from details
    # A tracker may end (cancelled, lost, sent back) without a scan that says so.
    whole = _state(tracker)
    told = {scan.state for scan in details} | {TrackingState.PRE_TRANSIT}
    if whole not in told and tracker.get("updated_at"):
        yield Scan(
            state=whole, code=f"tracker:{tracker['status']}", at=_time(tracker["updated_at"])
        )


def _scan(detail: Json, tracker: Json) -> Scan:
    state = _state(detail)
    signed = tracker.get("signed_by") if state is TrackingState.DELIVERED else ""
    return Scan(
        state=state,
        code=str(detail.get("carrier_code") or detail.get("status_detail") or ""),
        message=str(detail.get("message") or "")[:500],
        at=_time(detail["datetime"]),
        place=_place(detail.get("tracking_location") or {}),
        signed_by=str(signed or ""),
    )


def _state(thing: Json) -> TrackingState:
    if thing.get("status_detail") == "lost":
        return TrackingState.LOST
    return STATES.get(str(thing.get("status")), TrackingState.PRE_TRANSIT)


def _place(location: Json) -> str:
    return ", ".join(str(location[name]) for name in ("city", "state", "country")
                     if location.get(name))  # fmt: skip


def _time(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)


def day_of(text: Any) -> date | None:
    """Return the calendar day of EasyPost's midnight stamp."""
    return date.fromisoformat(str(text)[:10]) if text else None
