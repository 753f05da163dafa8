"""The customer's page in a real browser, with and without JavaScript."""

import json
import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from api.compose import read_order
from api.intake import delivery_of
from contracts.commands import CancelAnswer, CancelOutcome, ReturnAnswer
from contracts.orders import OrderRef
from domain.errors import DomainError
from domain.holds import Expiry, Hold, HoldKind
from domain.progress import (
    LineUnits,
    OrderStatus,
    ReturnProgress,
    ReturnStatus,
    ShipmentStatus,
)
from domain.units import Units
from ports.carriers import Scan, TrackingState
from tests.api.api_world import CARD, new_order, picture
from tests.browser.conftest import Site

SHOTS = os.environ.get("WAYBILL_SCREENSHOTS", "")
ORDER = "api-1001"


def placed(site: Site, title: str = "Blue mug, hand-thrown") -> str:
    """Place an order and return the address of its page."""
    lines = [
        {"line_id": "l1", "sku": "MUG", "title": title, "quantity": 3, "unit_price": 1250},
        {"line_id": "l2", "sku": "TEA", "title": "Darjeeling first flush, 100 g", "quantity": 1,
         "unit_price": 1490},
    ]  # fmt: skip
    now = site.world.clock()
    order = read_order(json.dumps(new_order(lines=lines, total=5240)).encode(), "api", now)
    site.world.store.accept(delivery_of("api", "d", "t", b"body", now, order.external_id), order)
    site.world.orders.started[ORDER] = OrderRef(order_id=ORDER)
    token = site.world.links.issue(ORDER, "view", now + timedelta(days=1))
    return f"{site.address}/o/{token}"


def in_grace(site: Site, **changes: Any) -> None:
    until = site.world.clock() + timedelta(minutes=24)
    hold = Hold(
        hold_id="h1", kind=HoldKind.GRACE, reason="the customer may cancel", placed_by="waybill",
        placed_at=site.world.clock(), expires_at=until, on_expiry=Expiry.RELEASE,
    )  # fmt: skip
    shown = picture(status=OrderStatus.ON_HOLD, holds=(hold,), grace_until=until, **changes)
    site.world.project(shown)


def delivered(site: Site, **changes: Any) -> None:
    shown = picture(
        status=OrderStatus.DELIVERED,
        shipment=ShipmentStatus.DELIVERED,
        units=Units(delivered=3),
        return_until=site.world.clock() + timedelta(days=30),
        **changes,
    )
    site.world.project(shown)


@pytest.fixture(params=[False, True], ids=["without JavaScript", "with JavaScript"])
def page(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    context = browser.new_context(java_script_enabled=request.param)
    page = context.new_page()
    faults: list[str] = []
    page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    yield page
    context.close()
    assert faults == []


def shoot(page: Page, name: str) -> None:
    if SHOTS:
        page.screenshot(path=Path(SHOTS) / f"{name}.png", full_page=True)


def test_the_page_says_until_when_and_counts_down(site: Site, page: Page) -> None:
    address = placed(site)
    in_grace(site)
    page.goto(address)
    expect(page.get_by_role("heading", level=1)).to_have_text("Your order is confirmed")
    expect(page.locator(".deadline")).to_contain_text("You can change or cancel until")
    scripted = page.evaluate("1") == 1 and page.locator("#left").inner_text() != ""
    if scripted:
        expect(page.locator("#left")).to_contain_text("left")
    else:
        expect(page.locator(".deadline time")).to_contain_text("UTC")
    assert page.locator("meta[name=robots]").get_attribute("content") == (
        "noindex, nofollow, noarchive"
    )
    assert site.world.orders.asked == []


def test_cancel_of_some_units_is_answered_on_the_page(site: Site, page: Page) -> None:
    address = placed(site)
    in_grace(site)
    site.world.orders.answers["cancel"] = CancelAnswer(
        outcome=CancelOutcome.PARTLY_CANCELLED,
        cancelled=(LineUnits(line_id="l1", quantity=2),),
        refunded=2500,
    )
    page.goto(address)
    page.get_by_text("Cancel the order or some items").click()
    page.get_by_label("Only some items").check()
    page.locator("form.cancel").get_by_label("Blue mug, hand-thrown").select_option("2")
    page.get_by_label("Why? (optional)").fill("bought one too many")
    page.get_by_role("button", name="Cancel what I chose").click()
    said = page.get_by_role("status")
    expect(said).to_contain_text("Part of your order is cancelled")
    expect(said).to_contain_text("2 × Blue mug, hand-thrown")  # noqa: RUF001
    expect(said).to_contain_text("€25.00")
    _, name, asked, _ = site.world.orders.asked[0]
    assert name == "cancel"
    assert asked.model_dump()["actor"] == "customer"
    assert asked.model_dump()["lines"] == ({"line_id": "l1", "quantity": 2},)
    page.reload()
    expect(page.get_by_role("status")).to_contain_text("Part of your order is cancelled")
    assert len(site.world.orders.asked) == 1


def test_a_cancel_that_nobody_could_confirm_can_be_asked_again(site: Site, page: Page) -> None:
    address = placed(site)
    in_grace(site)
    site.world.orders.answers["cancel"] = CancelAnswer(outcome=CancelOutcome.CANCELLED)
    site.world.orders.workers = False
    page.goto(address)
    page.get_by_text("Cancel the order or some items").click()
    page.get_by_label("The whole order").check()
    page.get_by_role("button", name="Cancel what I chose").click()
    expect(page.get_by_role("status")).to_contain_text("We could not confirm this yet")
    site.world.orders.workers = True
    page.get_by_role("button", name="Ask again").click()
    expect(page.get_by_role("status")).to_contain_text("Your order is cancelled")


def test_a_late_cancel_offers_the_return(site: Site, page: Page) -> None:
    address = placed(site)
    in_grace(site)
    site.world.orders.answers["cancel"] = CancelAnswer(outcome=CancelOutcome.TOO_LATE)
    page.goto(address)
    page.get_by_text("Cancel the order or some items").click()
    page.get_by_label("The whole order").check()
    page.get_by_role("button", name="Cancel what I chose").click()
    expect(page.get_by_role("alert")).to_contain_text("It is too late to cancel")
    expect(page.get_by_role("alert")).to_contain_text("return")


def test_a_delivered_item_can_be_sent_back(site: Site, page: Page) -> None:
    address = placed(site)
    delivered(site)
    site.world.orders.answers["request_return"] = ReturnAnswer(return_id="r", status="authorised")
    page.goto(address)
    page.get_by_text("Return something").click()
    page.get_by_label("Blue mug, hand-thrown").select_option("1")
    page.get_by_label("Why?", exact=True).select_option("Damaged or faulty")
    page.get_by_role("button", name="Request the return").click()
    expect(page.get_by_role("status")).to_contain_text("Your return is requested")
    asked = site.world.orders.asked[0][2].model_dump()
    assert (asked["reason"], asked["lines"]) == (
        "Damaged or faulty", ({"line_id": "l1", "quantity": 1},),
    )  # fmt: skip


def test_an_address_on_hold_is_mended(site: Site, page: Page) -> None:
    address = placed(site)
    hold = Hold(
        hold_id="h1", kind=HoldKind.ADDRESS, reason="line1: is required", placed_by="waybill",
        placed_at=site.world.clock(), expires_at=site.world.clock() + timedelta(days=3),
        on_expiry=Expiry.ESCALATE,
    )  # fmt: skip
    site.world.project(picture(status=OrderStatus.ON_HOLD, holds=(hold,)))
    site.world.orders.answers["change_address"] = DomainError("line1: is unknown", "too_late")
    page.goto(address)
    expect(page.get_by_role("heading", level=1)).to_contain_text("help with the address")
    page.get_by_label("Street and number").fill("2 Low St")
    page.get_by_role("button", name="Save the address and go on").click()
    expect(page.get_by_role("alert")).to_contain_text("not possible any more")
    asked = site.world.orders.asked[0][2].model_dump()
    assert (asked["address"]["line1"], asked["address"]["city"]) == ("2 Low St", "Berlin")


def test_what_a_customer_wrote_is_shown_as_text(site: Site, page: Page) -> None:
    address = placed(site, title="<img src=x onerror=alert(1)>")
    in_grace(site)
    page.goto(address)
    expect(page.locator(".lines")).to_contain_text("<img src=x onerror=alert(1)>")
    assert page.locator("main img").count() == 0


def test_a_link_that_is_not_one_is_explained(site: Site) -> None:
    address = placed(site)
    for bad in ("nonsense", address.rsplit("/", 1)[1][:-2] + "xx"):
        answer = httpx.get(f"{site.address}/o/{bad}")
        assert answer.status_code == 404
        assert "This link does not work" in answer.text
    site.world.clock.forward(days=2)
    old = httpx.get(address)
    assert (old.status_code, "no longer valid" in old.text) == (410, True)
    assert "default-src 'none'" in old.headers["content-security-policy"]
    assert old.headers["cache-control"] == "no-store"
    assert old.headers["referrer-policy"] == "no-referrer"


def test_a_form_is_for_one_purpose_one_order_and_one_effect(site: Site) -> None:
    address = placed(site)
    in_grace(site)
    world = site.world
    world.orders.answers["cancel"] = CancelAnswer(outcome=CancelOutcome.CANCELLED)
    until = world.clock() + timedelta(hours=1)
    wrong = (
        world.links.issue(ORDER, "return", until),
        world.links.issue("api-other", "cancel", until),
        address.rsplit("/", 1)[1],
        "",
    )
    for token in wrong:
        form = {"form": token, "what": "all"}
        assert "open for too long" in httpx.post(f"{address}/cancel", data=form).text
    assert world.orders.asked == []
    good = {"form": world.links.issue(ORDER, "cancel", until), "what": "all"}
    assert "Your order is cancelled" in httpx.post(f"{address}/cancel", data=good).text
    changed = good | {"what": "some", "unit:l1": "1"}
    assert "was sent before" in httpx.post(f"{address}/cancel", data=changed).text
    assert len(world.orders.asked) == 1
    with_card = good | {"reason": CARD}
    assert httpx.post(f"{address}/cancel", data=with_card).status_code == 422
    assert httpx.get(f"{address}/cancel").status_code == 303


def test_the_page_looks_right_everywhere(site: Site, browser: Browser) -> None:
    address = placed(site)
    coming = ReturnProgress(
        return_id="api-1001-r1", lines=(LineUnits(line_id="l1", quantity=1),),
        status=ReturnStatus.LABEL_SENT, label_id="lb",
    )  # fmt: skip
    now = site.world.clock()
    where = [
        Scan(state=TrackingState.IN_TRANSIT, code="t", message="Arrived at sorting centre",
             place="Leipzig, DE", at=now - timedelta(hours=9)),
        Scan(state=TrackingState.OUT_FOR_DELIVERY, code="o", message="Out for delivery",
             place="Berlin, DE", at=now - timedelta(hours=1)),
    ]  # fmt: skip
    site.world.store.add_scans("TestPost", "TP1", where)
    sizes = {"desktop": (1280, 900), "mobile": (360, 740)}
    for scene in ("grace", "travelling", "delivered"):
        if scene == "grace":
            in_grace(site)
        elif scene == "travelling":
            shown = picture(
                version=2, status=OrderStatus.SHIPPED, shipment=ShipmentStatus.HANDED_OVER,
                units=Units(shipped=3),
            )  # fmt: skip
            site.world.project(shown)
        else:
            delivered(site, version=3, returns=(coming,))
        for size, (width, height) in sizes.items():
            for scheme in ("light", "dark"):
                context = browser.new_context(
                    viewport={"width": width, "height": height}, color_scheme=scheme
                )
                page = context.new_page()
                page.goto(address)
                for summary in page.locator("summary").all():
                    summary.click()
                overflow = "document.documentElement.scrollWidth > window.innerWidth"
                assert not page.evaluate(overflow), (scene, size)
                assert page.evaluate(UNLABELLED) == []
                assert page.evaluate(TOO_SMALL) == []
                shoot(page, f"{scene}-{size}-{scheme}")
                context.close()


UNLABELLED = """[...document.querySelectorAll('input:not([type=hidden]), select')]
  .filter(field => !field.labels.length).map(field => field.name)"""
TOO_SMALL = """[...document.querySelectorAll('button, select, summary, .choice')]
  .filter(one => one.offsetParent && one.getBoundingClientRect().height < 40)
  .map(one => one.textContent)"""
