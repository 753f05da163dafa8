"""Customer links: who may look, and the single-use forms behind the page."""

from datetime import timedelta

from api.deps import Deps
from ports.stores import StoredOrder

VIEW, CANCEL, RETURN, ADDRESS = "view", "cancel", "return", "address"
VIEWABLE_FOR = timedelta(days=120)
FORM_FOR = timedelta(hours=1)


def page_link(deps: Deps, stored: StoredOrder) -> str:
    """Return the address of the customer's page of an order."""
    until = deps.now() + VIEWABLE_FOR
    return f"{deps.public_url}/o/{deps.links.issue(stored.order.order_id, VIEW, until)}"


def form_token(deps: Deps, order_id: str, purpose: str) -> str:
    """Return the token of one form on the page: for one purpose, one hour and one effect."""
    return deps.links.issue(order_id, purpose, deps.now() + FORM_FOR)
