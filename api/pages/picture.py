"""What the customer's page shows, worked out before any template sees it."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from api.deps import Deps
from api.links import ADDRESS, CANCEL, RETURN, form_token
from api.pages import words
from api.views import HAS_LABEL, line_views, progress_of, return_view, shipment_view
from domain.frozen import Wire
from domain.holds import HoldKind
from domain.order import Address
from domain.policy import Policy
from domain.progress import TERMINAL, OrderProgress, ReturnStatus, ShipmentStatus
from ports.carriers import Scan
from ports.stores import StoredOrder

SHOWN_SCANS = 20
OVER = frozenset(
    {
        ReturnStatus.REFUNDED,
        ReturnStatus.EXCHANGED,
        ReturnStatus.REJECTED,
        ReturnStatus.EXPIRED,
        ReturnStatus.CANCELLED,
    }
)
GONE = (ShipmentStatus.RELEASED, ShipmentStatus.PICKED, ShipmentStatus.PACKED, *HAS_LABEL)


class Said(Wire):
    """The answer to a form. ``tone`` is ``good``, ``note`` or ``bad``; ``again`` are the fields
    of a form whose answer is not known yet."""

    tone: str
    title: str
    text: str
    again: tuple[tuple[str, str], ...] = ()
    action: str = ""


class Line(Wire):
    """One line as shown; ``cancellable`` and ``returnable`` are units."""

    line_id: str
    title: str
    quantity: int
    total: str
    state: str
    cancellable: int
    returnable: int


class ScanLine(Wire):
    """One scan as shown."""

    at: datetime
    when: str
    text: str


class Parcel(Wire):
    """One parcel as shown."""

    state: str
    carrier: str
    number: str
    url: str
    contents: str
    expected: str
    scans: tuple[ScanLine, ...]


class Return(Wire):
    """One return as shown."""

    return_id: str
    state: str
    contents: str
    refund: str
    label: bool


class Picture(Wire):
    """The whole page. A form's token is empty when the form has nothing to offer."""

    shop: str
    support: str
    token: str
    number: str
    placed: str
    total: str
    headline: words.Headline
    promise: str
    deadline: datetime | None
    deadline_words: str
    lines: tuple[Line, ...]
    parcels: tuple[Parcel, ...]
    returns: tuple[Return, ...]
    address: Address | None
    address_wanted: bool
    return_until: str
    cancel_token: str
    return_token: str
    address_token: str
    resolutions: tuple[tuple[str, str], ...] = ()


def picture(
    deps: Deps,
    token: str,
    stored: StoredOrder,
    scans: Mapping[str, Sequence[Scan]],
    policy: Policy,
) -> Picture:
    """Return what the page shows now; changes nothing."""
    order, progress, now = stored.order, progress_of(stored), deps.now()
    lines = _lines(stored, progress, now)
    titles = {line.line_id: line.title for line in lines}
    deadline = progress.grace_until
    running = progress.status not in TERMINAL
    open_grace = bool(running and deadline and deadline > now)
    movable = running and not any(one.status in GONE for one in progress.shipments)
    live = any(line.cancellable for line in lines)
    back = any(line.returnable for line in lines)
    return Picture(
        shop=policy.messages.shop_name,
        support=policy.messages.support,
        token=token,
        number=order.number or order.external_id,
        placed=words.day(order.placed_at),
        total=words.money(order.totals.total, order.currency),
        headline=words.headline(progress),
        promise=words.day(progress.promise) if progress.promise and running and live else "",
        deadline=deadline if open_grace else None,
        deadline_words=words.moment(deadline) if open_grace and deadline else "",
        lines=lines,
        parcels=_parcels(progress, scans, titles),
        returns=_returns(order.order_id, order.currency, progress, titles),
        address=stored.ship_to,
        address_wanted=running and any(h.kind is HoldKind.ADDRESS for h in progress.holds),
        return_until=words.day(progress.return_until) if back and progress.return_until else "",
        cancel_token=form_token(deps, order.order_id, CANCEL) if running and live else "",
        return_token=form_token(deps, order.order_id, RETURN) if back else "",
        address_token=form_token(deps, order.order_id, ADDRESS) if movable and live else "",
        resolutions=tuple((r.value, words.RESOLUTIONS[r]) for r in policy.returns.resolutions),
    )


def _lines(stored: StoredOrder, progress: OrderProgress, now: datetime) -> tuple[Line, ...]:
    order = stored.order
    on_return: dict[str, int] = {}
    for one in progress.returns:
        for units in one.lines if one.status not in OVER else ():
            on_return[units.line_id] = on_return.get(units.line_id, 0) + units.quantity
    may_return = (
        progress.return_until is None or now < progress.return_until
    ) and progress.status not in TERMINAL
    return tuple(
        Line(
            line_id=line.line_id,
            title=line.title or line.sku,
            quantity=line.quantity,
            total=words.money(line.total.amount, order.currency),
            state=words.units(line.units),
            cancellable=line.units.live if progress.status not in TERMINAL else 0,
            returnable=max(0, line.units.delivered - on_return.get(line.line_id, 0))
            if may_return and line.requires_shipping
            else 0,
        )
        for line in line_views(order, progress)
    )


def _parcels(
    progress: OrderProgress, scans: Mapping[str, Sequence[Scan]], titles: Mapping[str, str]
) -> tuple[Parcel, ...]:
    shown = [
        shipment_view(one, scans.get(one.tracking_number, ()))
        for one in progress.shipments
        if one.status not in (ShipmentStatus.PLANNED, ShipmentStatus.CANCELLED)
    ]
    return tuple(
        Parcel(
            state=words.PARCELS[one.status],
            carrier=one.carrier if one.status in HAS_LABEL else "",
            number=one.tracking_number if one.status in HAS_LABEL else "",
            url=one.tracking_url if one.tracking_url.startswith("https://") else "",
            contents=words.contents(one.lines, titles),
            expected=words.day(one.expected_on)
            if one.expected_on and one.status is not ShipmentStatus.DELIVERED
            else "",
            scans=tuple(
                ScanLine(
                    at=scan.at,
                    when=words.moment(scan.at),
                    text=", ".join(
                        part for part in (scan.message or scan.code, scan.place) if part
                    ),
                )
                for scan in list(reversed(one.scans))[:SHOWN_SCANS]
            ),
        )
        for one in shown
    )


def _returns(
    order_id: str, currency: str, progress: OrderProgress, titles: Mapping[str, str]
) -> tuple[Return, ...]:
    return tuple(
        Return(
            return_id=one.return_id,
            state=words.RETURNS[one.status],
            contents=words.contents(one.lines, titles),
            refund=words.money(one.refund, currency) if one.refund else "",
            label=bool(one.label_url) and one.status not in OVER,
        )
        for one in (return_view(order_id, each) for each in progress.returns)
    )
