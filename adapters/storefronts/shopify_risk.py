"""What Shopify thinks of an order's risk, where a payload says so.

A webhook's order has none of its own; apps and exports add the answer of the risk endpoint
(``risks``: ``recommendation`` accept, investigate or cancel), newer payloads a ``risk_level``.
"""

from adapters.storefronts.reading import Reading

MEANS = {
    "low": "low",
    "accept": "low",
    "medium": "medium",
    "investigate": "medium",
    "high": "high",
    "cancel": "high",
}
WORST_FIRST = ("high", "medium", "low")


def read_risk(body: Reading) -> str:
    """Return ``low``, ``medium`` or ``high``, the worst that is said; empty when nothing is."""
    opinions = [body, *body.parts("risks"), *body.parts("order_risks")]
    words = {one.text("risk_level").lower() for one in opinions}
    words |= {one.text("recommendation").lower() for one in opinions[1:]}
    said = {MEANS.get(word, "") for word in words}
    return next((level for level in WORST_FIRST if level in said), "")
