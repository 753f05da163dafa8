"""What callers may send. An unknown field is an error; states and grades are never taken."""

from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import Field, StrictInt, StringConstraints

from domain.calendar import AwareMoment, Day
from domain.frozen import Frozen
from domain.order import Address
from domain.parcel import Parcel
from domain.policy import Resolution, Verdict
from domain.progress import LineUnits

Words = Annotated[str, StringConstraints(max_length=500, strip_whitespace=True)]
Units = Annotated[StrictInt, Field(ge=1, le=1_000_000)]
LineId = Annotated[str, Field(min_length=1, max_length=100)]


class LineQuantity(Frozen):
    """Units of one line."""

    line_id: LineId
    quantity: Units


Lines = Annotated[tuple[LineQuantity, ...], Field(max_length=500)]


def units_of(lines: Iterable["LineQuantity | FoundLine"]) -> tuple[LineUnits, ...]:
    """Return lines as a command carries them; a line named twice is added up."""
    total: dict[str, int] = {}
    for line in lines:
        total[line.line_id] = total.get(line.line_id, 0) + line.quantity
    return tuple(LineUnits(line_id=key, quantity=value) for key, value in total.items())


class CancelBody(Frozen):
    """Cancel some units, or the whole order when no lines are given."""

    lines: Lines = ()
    reason: Words = ""


class AddressBody(Frozen):
    """Where the order is to go now."""

    address: Address
    reason: Words = ""


class LineSetting(Frozen):
    """The quantity a line is to have; 0 removes it."""

    line_id: LineId
    quantity: Annotated[StrictInt, Field(ge=0, le=1_000_000)]


class NewLine(Frozen):
    """A line to add; amounts are minor units of the order's currency."""

    line_id: LineId
    sku: Annotated[str, Field(min_length=1, max_length=100)]
    title: Annotated[str, Field(max_length=300)] = ""
    quantity: Units
    unit_price: Annotated[StrictInt, Field(ge=0, le=10**12)] = 0
    tax: Annotated[StrictInt, Field(ge=0, le=10**12)] = 0
    tax_included: bool = True


class LinesBody(Frozen):
    """Lower quantities and add lines."""

    set: Annotated[tuple[LineSetting, ...], Field(max_length=500)] = ()
    add: Annotated[tuple[NewLine, ...], Field(max_length=500)] = ()
    reason: Words = ""


class ReasonBody(Frozen):
    """Why."""

    reason: Words = ""


class HoldBody(Frozen):
    """Hold the order; ``on_expiry`` says what happens when nobody lifts it in time."""

    reason: Annotated[str, StringConstraints(min_length=1, max_length=500, strip_whitespace=True)]
    expires_at: AwareMoment | None = None
    on_expiry: Literal["release", "cancel", "reject", "escalate"] = "escalate"


class ReviewBody(Frozen):
    """Decide a fraud review."""

    decision: Literal[Verdict.ACCEPT, Verdict.REJECT]
    reason: Words = ""


class MethodBody(Frozen):
    """Pay by another method: your payment provider's references, never card data."""

    method: Annotated[str, Field(min_length=1, max_length=200)]
    customer: Annotated[str, Field(max_length=200)] = ""
    reason: Words = ""


class ScheduleBody(Frozen):
    """When to deliver."""

    deliver_on: Day
    reason: Words = ""


class ReturnBody(Frozen):
    """Ask to return delivered units."""

    lines: Annotated[tuple[LineQuantity, ...], Field(min_length=1, max_length=500)]
    reason: Words = ""
    resolution: Resolution = Resolution.REFUND


class ApprovalBody(Frozen):
    """Allow or refuse a return."""

    approve: bool = True
    reason: Words = ""


class ReceiveBody(Frozen):
    """Units that have arrived; no lines means all."""

    lines: Lines = ()
    reason: Words = ""


class Inspected(LineQuantity):
    """What inspection found of some units."""

    disposition: Literal["restock", "damaged", "rejected"] = "restock"


class InspectBody(Frozen):
    """The result of inspecting a return; no lines means all received units to stock."""

    lines: Annotated[tuple[Inspected, ...], Field(max_length=500)] = ()
    reason: Words = ""


class FoundLine(Frozen):
    """What was found of one line; ``missing`` is for the record, the rest follows from it."""

    line_id: LineId
    quantity: Annotated[StrictInt, Field(ge=0, le=1_000_000)]
    missing: Annotated[StrictInt, Field(ge=0, le=1_000_000)] = 0


class PickedBody(Frozen):
    """All units are in the box; the lines may be named for the record."""

    lines: Annotated[tuple[FoundLine, ...], Field(max_length=500)] = ()
    reason: Words = ""


class ShortPickBody(PickedBody):
    """The units that were found; lines not named were not found at all."""


class ParcelBody(Parcel):
    """A parcel: grams and millimetres."""

    weight_grams: Annotated[int, Field(gt=0, le=1_000_000)]
    length_mm: Annotated[int, Field(gt=0, le=10_000)] = 300
    width_mm: Annotated[int, Field(gt=0, le=10_000)] = 200
    height_mm: Annotated[int, Field(gt=0, le=10_000)] = 100


class PackedBody(Frozen):
    """The parcel is closed and weighed."""

    parcel: ParcelBody
    reason: Words = ""


class HandedOverBody(Frozen):
    """The carrier has the parcel."""

    tracking_number: Annotated[str, Field(max_length=100)] = ""
    reason: Words = ""
