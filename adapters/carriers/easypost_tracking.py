"""EasyPost's tracker webhooks: proof, and the scans they carry.

A webhook repeats the whole history of the parcel, in no order to rely on; the scans are a set.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Annotated, Any

from easypost.errors.general.easypost_error import EasyPostError
from easypost.util import validate_webhook
from pydantic import StringConstraints

from adapters.events import Day, Event, Moment, Name, Text, read_event, validated
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

LONGEST_CODE = 200
"""A scan's code is part of its key; longer ones are cut."""


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


class Place(Event):
    """Where a scan was made."""

    city: Text = ""
    state: Text = ""
    country: Text = ""

    def __str__(self) -> str:
        return ", ".join(part for part in (self.city, self.state, self.country) if part)


class Status(Event):
    """What a tracker and each of its scans have in common."""

    status: Text = ""
    status_detail: Text = ""

    @property
    def means(self) -> TrackingState:
        """The state in our words."""
        if self.status_detail == "lost":
            return TrackingState.LOST
        return STATES.get(self.status, TrackingState.PRE_TRANSIT)


class Detail(Status):
    """One scan."""

    carrier_code: Text = ""
    message: Text = ""
    datetime: Moment
    tracking_location: Place | None = None


class Tracker(Status):
    """A parcel's whole history."""

    tracking_code: Name
    carrier: Annotated[Text, StringConstraints(max_length=200)] = ""
    signed_by: Text = ""
    updated_at: Moment | None = None
    est_delivery_date: Day = None
    tracking_details: tuple[Detail, ...] | None = None


class TrackerEvent(Event):
    """The envelope; ``result`` is a ``Tracker`` in the events that we use."""

    id: Text = ""
    result: dict[str, Any] | None = None


def read_webhook(body: bytes) -> TrackingUpdate | None:
    """Read a tracker event; ``None`` for any other kind.

    Raises:
        UnreadableEvent: the body is no EasyPost event; names the fields at fault.
    """
    event = read_event(TrackerEvent, body, may_look_like_cards="tracking_code")
    result = event.result or {}
    if result.get("object") != "Tracker":
        return None
    tracker = validated(Tracker, result, "result")
    return TrackingUpdate(
        event_id=event.id,
        carrier=tracker.carrier,
        tracking_number=tracker.tracking_code,
        scans=tuple(sorted(set(_scans(tracker)), key=lambda scan: (scan.at, scan.code))),
        expected_on=tracker.est_delivery_date,
    )


def _scans(tracker: Tracker) -> Iterable[Scan]:
    details = [_scan(detail, tracker) for detail in tracker.tracking_details or ()]
    yield from details
    # A tracker may end (cancelled, lost, sent back) without a scan that says so.
    told = {scan.state for scan in details} | {TrackingState.PRE_TRANSIT}
    if tracker.means not in told and tracker.updated_at:
        code = f"tracker:{tracker.status}"[:LONGEST_CODE]
        yield Scan(state=tracker.means, code=code, at=tracker.updated_at)


def _scan(detail: Detail, tracker: Tracker) -> Scan:
    return Scan(
        state=detail.means,
        code=(detail.carrier_code or detail.status_detail)[:LONGEST_CODE],
        message=detail.message[:500],
        at=detail.datetime,
        place=str(detail.tracking_location or "")[:300],
        signed_by=tracker.signed_by[:200] if detail.means is TrackingState.DELIVERED else "",
    )


def day_of(text: Any) -> date | None:
    """Return the calendar day of EasyPost's midnight stamp."""
    return date.fromisoformat(str(text)[:10]) if text else None
