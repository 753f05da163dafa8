"""The customer's page, behind a signed link: see, cancel, return, mend the address.

Works without JavaScript. Looking at it (GET) never changes anything, because mail scanners follow
links; what changes something is a form with a token of its own.
"""

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.routing import APIRoute
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.commands import command
from api.deps import Deps, World
from api.links import ADDRESS, CANCEL, RETURN, VIEW
from api.moving import move
from api.pages.forms import address_of, cancel_said, chosen_units, fields_of, once
from api.pages.picture import OVER, Said, picture
from api.problems import Problem, respond
from api.routes.documents import attachment
from api.routes.orders import scans_of
from api.views import progress_of
from contracts.commands import Cancel, CancelAnswer, RequestReturn, ReturnAnswer
from domain.errors import DomainError, InvalidOrder, ProviderUnavailable
from domain.policy import Resolution
from ports.stores import StoredOrder

CUSTOMER = "customer"
REASONS = (
    "Too small",
    "Too large",
    "Damaged or faulty",
    "Not as described",
    "Wrong item",
    "Changed my mind",
    "Other",
)
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; "
    "img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
    "Cache-Control": "no-store",
}
APOLOGIES = {
    404: ("This link does not work", "It may have been cut off. Please open it again from our "
          "message, with the whole address."),
    410: ("This link is no longer valid", "Links to an order end after a while. Please contact "
          "us, and we will send you a new one."),
    503: ("Please try again in a moment", "We cannot look up your order right now. Nothing of "
          "what you did was lost."),
}  # fmt: skip
SORRY = ("Something went wrong", "Please try again in a moment.")

_templates = Environment(
    loader=FileSystemLoader(Path(__file__).parent.parent / "templates"),
    autoescape=select_autoescape(default=True, default_for_string=True),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


class PageRoute(APIRoute):
    """A route whose refusals are pages that a customer can read."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap the handler."""
        answer = super().get_route_handler()

        async def readable(request: Request) -> Response:
            try:
                return await answer(request)
            except Exception as error:
                problem = respond(error)
                title, text = APOLOGIES.get(problem.status_code, SORRY)
                body = _templates.get_template("sorry.html").render(title=title, text=text)
                return HTMLResponse(body, problem.status_code, HEADERS)

        return readable


router = APIRouter(
    prefix="/o/{token}", tags=["customer"], route_class=PageRoute, include_in_schema=False
)


@router.get("")
async def show(token: str, deps: World) -> HTMLResponse:
    """Show the order."""
    return await _page(deps, token, await _order(deps, token))


@router.get("/cancel")
@router.get("/return")
@router.get("/address")
async def back(token: str) -> RedirectResponse:
    """Lead back to the page whoever reloads an answer."""
    return RedirectResponse(f"/o/{token}", 303, HEADERS)


@router.post("/cancel")
async def cancel(token: str, request: Request, deps: World) -> HTMLResponse:
    """Cancel the whole order or the chosen units."""

    async def do(fields: Mapping[str, str], stored: StoredOrder, key: str) -> Said:
        units = () if fields.get("what") == "all" else chosen_units(fields)
        if fields.get("what") != "all" and not units:
            return Said(tone="bad", title="Nothing was chosen", text="Nothing was changed.")
        asked = Cancel(actor=CUSTOMER, reason=fields.get("reason", ""), lines=units)
        answer = await command(deps, stored.order.order_id, "cancel", asked, CancelAnswer, key)
        titles = {line.line_id: line.title or line.sku for line in stored.order.lines}
        return cancel_said(answer, stored.order.currency, titles)

    return await _answer(deps, token, request, CANCEL, do)


@router.post("/return")
async def ask_return(token: str, request: Request, deps: World) -> HTMLResponse:
    """Open a return of the chosen units."""

    async def do(fields: Mapping[str, str], stored: StoredOrder, key: str) -> Said:
        units = chosen_units(fields)
        if not units:
            return Said(tone="bad", title="Nothing was chosen", text="Nothing was changed.")
        asked = RequestReturn(
            actor=CUSTOMER,
            reason=": ".join(p for p in (fields.get("reason"), fields.get("words")) if p),
            lines=units,
            resolution=Resolution(fields.get("resolution", Resolution.REFUND)),
        )
        order_id = stored.order.order_id
        await command(deps, order_id, "request_return", asked, ReturnAnswer, key)
        text = "You find the return below, with its label as soon as it is ready."
        return Said(tone="good", title="Your return is requested", text=text)

    return await _answer(deps, token, request, RETURN, do)


@router.post("/address")
async def mend_address(token: str, request: Request, deps: World) -> HTMLResponse:
    """Correct where the order goes."""

    async def do(fields: Mapping[str, str], stored: StoredOrder, key: str) -> Said:
        address = address_of(fields, stored.ship_to)
        order_id = stored.order.order_id
        await move(deps, order_id, address, CUSTOMER, "corrected by the customer", key)
        return Said(tone="good", title="Thank you", text="Your order goes to the new address.")

    return await _answer(deps, token, request, ADDRESS, do)


@router.get("/returns/{return_id}/label.pdf")
async def return_label(token: str, return_id: str, deps: World) -> Response:
    """Return the label of a return that is still to be sent."""
    stored = await _order(deps, token)
    mine = [one for one in progress_of(stored).returns if one.return_id == return_id]
    found = await run_in_threadpool(deps.store.label, return_id) if mine else None
    if found is None or mine[0].status in OVER:
        raise Problem(404, "not_found", "No such label.")
    return attachment(found[1], f"return-{return_id}.pdf")


Do = Callable[[Mapping[str, str], StoredOrder, str], Awaitable[Said]]


async def _answer(deps: Deps, token: str, request: Request, purpose: str, do: Do) -> HTMLResponse:
    """Do what a form asks for and show the order as it then is, with the answer above it."""
    stored = await _order(deps, token)
    fields = fields_of(await request.form(max_fields=2000))

    async def told(key: str) -> Said:
        try:
            return await do(fields, stored, key)
        except InvalidOrder as faults:
            wrong = "; ".join(f"{field.split('.')[-1]} {text}" for field, text in faults.problems)
            return Said(tone="bad", title="Please check what you wrote", text=wrong.capitalize())
        except (ValidationError, ValueError):
            return Said(tone="bad", title="Please check what you wrote", text="Nothing changed.")
        except (DomainError, Problem) as refused:
            if isinstance(refused, Problem) and refused.status_code >= 500:
                raise ProviderUnavailable(refused.detail) from None
            reason = refused.detail if isinstance(refused, Problem) else str(refused)
            return Said(tone="bad", title="That is not possible any more", text=reason[:300])

    order_id = stored.order.order_id
    said = await once(deps, order_id, purpose, str(request.url.path), fields, told)
    return await _page(deps, token, await _order(deps, token), said)


async def _order(deps: Deps, token: str) -> StoredOrder:
    try:
        link = deps.links.read(token, VIEW, deps.now())
    except DomainError as error:
        status = 410 if error.code == "link_expired" else 404
        raise Problem(status, error.code, "This link is not valid.") from None
    stored = await run_in_threadpool(deps.store.get, link.order_id)
    if stored is None:
        raise Problem(404, "link_invalid", "This link is not valid.")
    return stored


async def _page(
    deps: Deps, token: str, stored: StoredOrder, said: Said | None = None
) -> HTMLResponse:
    _, policy = await run_in_threadpool(deps.store.policy)
    shown = picture(deps, token, stored, await scans_of(deps, stored), policy)
    html = _templates.get_template("order.html").render(page=shown, said=said, reasons=REASONS)
    return HTMLResponse(html, headers=HEADERS)
