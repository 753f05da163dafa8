"""The examples are webhooks that our own adapters accept, signed, dated and paid for."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapters.addresses.i18n import check
from adapters.storefronts.generic import GenericStorefront
from adapters.storefronts.shopify import ShopifyStorefront
from adapters.storefronts.woocommerce import WooCommerceStorefront
from cli.scenarios import EXAMPLES, SAMPLES, SCENARIOS
from cli.seed import products
from cli.storefront import Payload, platform_of, read_payload
from domain.errors import DomainError
from domain.order import Order
from ports.storefronts import EventKind, Storefront

NOW = datetime(2026, 5, 4, 12, 30, tzinfo=UTC)
SECRET = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
READERS: dict[str, Storefront] = {
    "shopify": ShopifyStorefront(),
    "woocommerce": WooCommerceStorefront(),
    "generic": GenericStorefront(),
}
ORDERS = sorted(p.stem for p in EXAMPLES.glob("*.json") if not p.stem.endswith(".cancelled"))


def received(payload: Payload) -> tuple[EventKind, Order | None]:
    """Sign a payload, and read it as the API would."""
    delivery = payload.signed(SECRET, NOW)
    headers = {name.lower(): value for name, value in delivery.headers.items()}
    reader = READERS[payload.platform]
    reader.verify(headers, delivery.body, [SECRET], NOW)
    event = reader.read(headers, delivery.body, delivery.channel, NOW)
    return event.kind, event.order


@pytest.mark.parametrize("name", ORDERS)
def test_each_example_is_an_order_whose_sums_agree(name: str) -> None:
    kind, order = received(read_payload(EXAMPLES / f"{name}.json").dated(NOW))
    assert kind is EventKind.ORDER
    assert order is not None
    assert order.differences == ()
    assert order.placed_at == NOW
    sold = {product.sku for product in products(NOW.date())}
    assert {line.sku for line in order.lines} <= sold
    assert order.ship_to is not None
    assert bool(check(order.ship_to)[0]) == ("bad-address" in name)


def test_a_storefronts_cancel_names_the_order_it_cancels() -> None:
    cancel = read_payload(EXAMPLES / "shopify-storefront-cancel.cancelled.json")
    kind, _ = received(Payload(cancel.platform, cancel.body, "orders/cancelled"))
    assert kind is EventKind.CANCEL


def test_the_payment_made_at_the_checkout_takes_the_placeholders_place() -> None:
    payload = read_payload(EXAMPLES / "woo-captured.json")
    assert payload.needs_payment
    assert payload.captured
    assert payload.total == (7100, "USD")
    _, order = received(payload.paid_with("pi_abc123"))
    assert order is not None
    assert (order.payment.provider, order.payment.reference) == ("stripe", "pi_abc123")


def test_scenarios_and_samples_name_examples_that_exist() -> None:
    named = {scenario.file for scenario in SCENARIOS} | set(SAMPLES)
    assert named == set(ORDERS)


def test_a_delivery_as_it_was_recorded_keeps_its_topic(tmp_path: Path) -> None:
    body = read_payload(EXAMPLES / "shopify-authorised.json").body
    file = tmp_path / "recorded.json"
    file.write_text(json.dumps({"headers": {"X-Shopify-Topic": "orders/paid"}, "body": body}))
    payload = read_payload(file)
    assert (payload.platform, payload.topic) == ("shopify", "orders/paid")


@pytest.mark.parametrize("body", [None, [], "text", 3, {}, {"id": 1}])
def test_what_nobody_can_tell_is_told_by_its_path(body: object, tmp_path: Path) -> None:
    assert platform_of(body) is None
    (tmp_path / "woocommerce").mkdir()
    file = tmp_path / "woocommerce" / "odd.json"
    file.write_text(json.dumps(body))
    assert read_payload(file).platform == "woocommerce"
    assert json.loads(read_payload(file).signed(SECRET, NOW).body) == body


def test_a_file_that_is_no_json_is_refused_by_name(tmp_path: Path) -> None:
    file = tmp_path / "broken.json"
    file.write_text("{")
    with pytest.raises(DomainError, match=r"broken\.json"):
        read_payload(file)
