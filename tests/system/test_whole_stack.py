"""The whole product as a person meets it: mail, link, page, Temporal UI; and what lies on disk."""

import json
import re
import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.system.conftest import Running, wait_for

MARKED = ("Gil Renner", "gil.renner", "25 Palm Row", "+1 201 555 0145", "33130")
"""Personal data of the examples that must lie in our own database only."""

pytestmark = pytest.mark.serial


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1400, "height": 1000})
    yield context.new_page()
    context.close()


def shown_on(page: Page, text: str) -> bool | None:
    """Whether a text is on the page; the UI puts Markdown into frames of its own."""
    return True if any(text in frame.content() for frame in page.frames) else None


def status(running: Running, order_id: str) -> str:
    return str(running.api("GET", f"/orders/{order_id}").json().get("status"))


def test_a_customer_cancels_through_the_link_in_the_mail(running: Running, page: Page) -> None:
    order_id = running.storefront.example("generic-split")
    mail = wait_for(lambda: next(iter(running.mails("gil.renner@example.com")), None))
    text = (
        json.dumps(mail)
        + httpx.get(f"{running.addresses.testbed_url}/mail/messages/{mail['id']}").text
    )
    link = re.search(r"https?://[^\s\"'\\]+/o/[\w.-]+", text)
    assert link, text[:2000]

    page.goto(link[0])
    assert "Gil" not in page.url
    page.get_by_text("Cancel the order or some items").click()
    page.get_by_label("The whole order").check()
    page.get_by_role("button", name="Cancel what I chose").click()
    page.wait_for_load_state()
    wait_for(lambda: True if status(running, order_id) == "cancelled" else None)
    ledger = httpx.get(
        f"{running.addresses.testbed_url}/control/ledger", params={"order_id": order_id}
    ).json()
    kinds = [row["kind"] for row in ledger["payments"]]
    assert "capture" not in kinds
    assert "void" in kinds


def test_an_operator_reads_and_steers_an_order_in_the_temporal_ui(
    running: Running, page: Page
) -> None:
    order_id = running.storefront.example("generic-return")
    wait_for(lambda: True if status(running, order_id) == "on_hold" else None)
    home = f"{running.addresses.ui_url}/namespaces/default/workflows"

    query = f'WaybillHold="grace" AND WaybillStatus="on_hold" AND WorkflowId="order/{order_id}"'
    page.goto(f"{home}?query={httpx.QueryParams({'q': query})['q']}")
    page.get_by_role("link", name=f"order/{order_id}").first.click(timeout=30_000)
    page.get_by_role("tab", name="User Metadata").click(timeout=30_000)
    for shown in ("the customer may cancel", "2 units, 6100 USD"):
        wait_for(partial(shown_on, page, shown))

    page.get_by_role("button", name="More Actions").first.click()
    page.get_by_role("menuitem", name="Send an Update").click()
    dialog = page.locator("#update-confirmation-modal[open]")
    dialog.get_by_role("button").nth(1).click()
    page.get_by_role("option", name=re.compile("place_hold")).first.click()
    dialog.locator(".cm-content").fill('{"reason": "asked by phone", "actor": "operator:ann"}')
    dialog.locator("#update-id").click()
    expect(dialog.get_by_text('"asked by phone",')).to_be_visible()
    dialog.get_by_role("button", name="Submit").click()

    def held() -> bool | None:
        holds = running.api("GET", f"/orders/{order_id}").json()["holds"]
        return True if any(hold["reason"] == "asked by phone" for hold in holds) else None

    wait_for(held)
    told = running.api("GET", f"/orders/{order_id}/timeline").text
    assert "operator:ann" in told


def test_no_personal_data_lies_outside_our_own_database(running: Running) -> None:
    logs = list(running.installation.logs.iterdir())
    temporal = list(running.installation.folder.glob("temporal.sqlite*"))
    assert logs
    assert temporal
    metrics = running.api("GET", "/metrics").text.encode()
    worker = httpx.get(f"http://127.0.0.1:{running.addresses.metrics}/metrics").content
    places: list[tuple[str, bytes]] = [("metrics", metrics), ("worker metrics", worker)]
    places += [(path.name, path.read_bytes()) for path in (*logs, *temporal) if is_ours(path)]
    for place, content in places:
        for marked in MARKED:
            assert marked.encode() not in content, f"{marked!r} is in {place}"


def is_ours(path: Path) -> bool:
    """The testbed plays the outside world: it knows the customer, as a carrier does."""
    return path.name != "testbed.log"
