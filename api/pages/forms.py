"""The forms of the customer's page: each token is for one purpose and has one effect.

The token in a form is signed for one order and one purpose, which is also what keeps other sites
from posting it. Its nonce is the command's id: a double click, or asking again after silence, gets
the first answer; the same token with other content is refused.
"""

from collections.abc import Awaitable, Callable, Mapping
from hashlib import sha256

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData

from api.deps import Deps, Link
from api.pages import words
from api.pages.picture import Said
from contracts.commands import CancelAnswer, CancelOutcome
from domain.errors import DomainError, ProviderUnavailable
from domain.order import Address
from domain.progress import LineUnits

MOST_FIELDS = 1100
UNIT = "unit:"
LATER = Said(
    tone="note",
    title="We could not confirm this yet",
    text="Nothing is lost. Please ask again in a moment; it is done once, however often you ask.",
)
SENT_BEFORE = Said(
    tone="note",
    title="This form was sent before",
    text="Below you see how your order stands now. If something is still to be changed, "
    "please use the form again.",
)
OVER = Said(
    tone="bad",
    title="This page was open for too long",
    text="Nothing was changed. Below is your order as it is now; please send the form again.",
)


def fields_of(form: FormData) -> dict[str, str]:
    """Return the text fields of a form, cut to what a person may write."""
    items = list(form.multi_items())[:MOST_FIELDS]
    return {name[:120]: value[:500].strip() for name, value in items if isinstance(value, str)}


def chosen_units(fields: Mapping[str, str]) -> tuple[LineUnits, ...]:
    """Return the units chosen per line; zero and nonsense are not chosen."""
    return tuple(
        LineUnits(line_id=name.removeprefix(UNIT), quantity=int(value))
        for name, value in fields.items()
        if name.startswith(UNIT) and value.isascii() and value.isdigit() and 0 < int(value) < 10**6
    )


def address_of(fields: Mapping[str, str], before: Address | None) -> Address:
    """Return the address as written into the form; what it does not ask for stays."""
    asked = ("name", "company", "line1", "line2", "city", "region", "postal_code", "country")
    known = (before or Address()).model_dump()
    written = {name: fields[name] for name in asked if name in fields}
    written["country"] = written.get("country", known["country"]).upper()
    return Address.model_validate({**known, **written})


async def once(
    deps: Deps,
    order_id: str,
    purpose: str,
    action: str,
    fields: Mapping[str, str],
    do: Callable[[str], Awaitable[Said]],
) -> Said:
    """Do what a form asks for, once per token; ``do`` gets the command's id."""
    try:
        link = deps.links.read(fields.get("form", ""), purpose, deps.now())
    except DomainError:
        return OVER
    if link.order_id != order_id:
        return OVER
    try:
        return await _once(deps, link, fields, do)
    except ProviderUnavailable:
        return LATER.model_copy(update={"again": tuple(fields.items()), "action": action})


async def _once(
    deps: Deps, link: Link, fields: Mapping[str, str], do: Callable[[str], Awaitable[Said]]
) -> Said:
    caller, digest = f"link:{link.purpose}", _digest(fields)
    try:
        seen = await run_in_threadpool(deps.store.begin, caller, link.nonce, digest, deps.now())
    except DomainError:
        return SENT_BEFORE
    if seen and seen[0]:
        return Said.model_validate_json(seen[1])
    if seen:
        raise ProviderUnavailable("the first request is still running")
    try:
        said = await do(f"{caller}:{link.nonce}")
    except BaseException:
        await run_in_threadpool(deps.store.forget, caller, link.nonce)
        raise
    await run_in_threadpool(deps.store.finish, caller, link.nonce, 200, said.model_dump_json())
    return said


def _digest(fields: Mapping[str, str]) -> str:
    return sha256(repr(sorted(fields.items())).encode()).hexdigest()


def cancel_said(answer: CancelAnswer, currency: str, titles: Mapping[str, str]) -> Said:
    """Say what a cancel came to; nothing that is not so."""
    back = f" {words.money(answer.refunded, currency)} is not charged, or given back." * bool(
        answer.refunded
    )
    gone = words.contents(answer.cancelled, titles)
    match answer.outcome:
        case CancelOutcome.CANCELLED:
            text = f"Nothing will be sent, and nothing stays charged.{back}"
            return Said(tone="good", title="Your order is cancelled", text=text)
        case CancelOutcome.PARTLY_CANCELLED:
            text = f"Cancelled: {gone}.{back} The rest is sent as planned."
            return Said(tone="good", title="Part of your order is cancelled", text=text)
        case CancelOutcome.REQUESTED:
            text = "The warehouse is already working on it, and we have asked it to stop. "
            text += "We will tell you whether that was in time."
            return Said(tone="note", title="Your cancellation is requested", text=text)
    text = "Your parcel is already packed or on its way. "
    text += "You can return what you do not want once it has arrived, here on this page."
    return Said(tone="bad", title="It is too late to cancel", text=text)
