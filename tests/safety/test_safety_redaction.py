"""Logs: marked personal data and secrets go in by every door, and never come out."""

import asyncio
import io
import json
import logging
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, SecretStr

from adapters.storefronts.cards import luhn
from adapters.telemetry import logs
from adapters.telemetry.redaction import MAX_TEXT, is_denied, redact, redact_text
from domain.order import Address, Customer

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines() -> Iterator[Lines]:
    """Configure logging as a process does; return what it wrote."""
    root = logging.getLogger()
    before, level, stream = root.handlers[:], root.level, io.StringIO()
    logs.configure("INFO", stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
    logging.captureWarnings(False)
    root.handlers[:] = before
    root.setLevel(level)


def _card(digits: str) -> str:
    return next(digits + str(d) for d in range(10) if luhn(digits + str(d)))


mails = st.emails() | st.sampled_from(["jürgen@müller.example", "o'neil+x@a.b.co", "a%40b.example"])
cards = st.from_regex(
    r"4([0-9]{11}|[0-9]{14}|[0-9]{17})|5[1-5][0-9]{13}|3[47][0-9]{12}|36[0-9]{11}|6011[0-9]{11,14}",
    fullmatch=True,
).map(_card)
grouped = cards.map(lambda n: " ".join(n[i : i + 4] for i in range(0, len(n), 4)))
dashed = cards.map(lambda n: "-".join(n[i : i + 4] for i in range(0, len(n), 4)))
phones = st.from_regex(r"\+[1-9][0-9]{1,2} ?[0-9]{3}[ -]?[0-9]{4,7}", fullmatch=True)
tokens = st.sampled_from(
    [
        "wb_" + "x9Q-_" * 8,
        "sk_live_51HxyzABCdef",
        "whsec_abcdefghijkl",
        "EZAK1234567890abcdef",
        "pi_3abc_secret_9xyzXYZ123",
        "eyJhbGciOiJI.eyJzdWIiOiIxMjM0.SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV",
    ]
)
marked = mails | cards | grouped | dashed | phones | tokens
around = st.sampled_from(["{}", "order of {} failed", "see {}, please", "({})", "x={};", '"{}"'])


@settings(max_examples=250, deadline=None)
@given(secret=marked, text=around)
@example(secret="4242424242424242", text="4242 cards {} 12")
@example(secret="jane@example.com", text="postgresql://{}/db")
def test_what_looks_personal_never_comes_out(secret: str, text: str) -> None:
    assert secret not in redact_text(text.format(secret))
    for value in (text.format(secret), [secret], {"a": {"b": (secret,)}}, {secret: 1}):
        assert secret not in json.dumps(redact("detail", value), ensure_ascii=False)


class Wrapped(BaseModel):
    inner: Address
    mail: str


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    name=st.text(st.characters(categories=["Lu", "Ll"]), min_size=6, max_size=20),
    secret=mails | cards | phones | tokens,
)
def test_nothing_marked_leaves_by_any_door_of_logging(name: str, secret: str, lines: Lines) -> None:
    marked_name = f"QQ{name}QQ"
    address = Address(name=marked_name, line1=marked_name, city=marked_name, country="DE")
    log, std = structlog.get_logger("a.b"), logging.getLogger("temporalio.activity")
    log.info("order.taken", name=marked_name, ship_to=address, detail={"firstName": marked_name})
    log.info("mail to %s", secret, wrapped=Wrapped(inner=address, mail=secret))
    log.info("repr", customer_was=f"{address!r} {Customer(email=secret, name=marked_name)!r}")
    log.info("json", text=address.model_dump_json())
    std.warning("stdlib %s for %s", secret, {"name": marked_name})
    std.warning("extra", extra={"temporal_activity": {"activity_id": "1", "email": secret}})
    with logs.about("shop-1001"):
        for wrong in ({"quantity": 1, "unit_price": marked_name}, {"quantity": secret}):
            try:
                Address.model_validate({"name": marked_name, "postal": wrong, "city": [secret]})
            except ValueError as error:
                log.exception("invalid", error=error)
                std.exception("stdlib invalid")
        try:
            try:
                raise KeyError(secret)
            except KeyError as cause:
                raise RuntimeError(f"{address!r} was refused") from cause
        except RuntimeError:
            log.exception("failed")
    written = lines()
    everything = json.dumps(written, ensure_ascii=False)
    assert marked_name not in everything
    assert secret not in everything
    assert json.dumps(secret)[1:-1] not in everything
    assert {line["order_id"] for line in written if line["event"] in ("invalid", "failed")} == {
        "shop-1001"
    }


def test_what_is_useful_stays() -> None:
    useful = {
        "order_id": "shop-5551234567890",
        "shipment_id": "S1",
        "tracking_number": "9400100897846211234567",
        "count": 12,
        "amount": 3800,
        "currency": "EUR",
        "at": "2026-10-05T08:30:12.123456+00:00",
        "outcome": "too_late",
        "payment": "pi_3PqXyZ2eZvKYlo2C1a2b3c4d",
        "ok": True,
        "nothing": None,
        "seconds": 1.5,
        "event": "capture declined after 3 tries",
    }
    assert {name: redact(name, value) for name, value in useful.items()} == useful


def test_ids_that_no_card_brand_issues_stay_readable() -> None:
    for order_id in ("shopify-5100000000102", "shopify-1234567890128"):
        assert luhn(order_id.removeprefix("shopify-"))
        text = f"activity failed on order/{order_id} again"
        assert redact_text(text) == text
    assert "5105105105105100" not in redact_text("order/shopify-5105105105105100")


DENIED = """
name email firstName customer_name postal_code postalCode line1 shippingAddress x-api-key API_KEY
stripe_webhook_secret link_secrets Authorization client_secret phone address1 city card password
token cookie body ship_to signed_by zip
"""


@pytest.mark.parametrize("name", DENIED.split())
def test_fields_are_denied_by_their_name(name: str) -> None:
    assert is_denied(name)
    assert redact(name, "Jane") == redact(name, {"a": "Jane"}) == "[redacted]"


@pytest.mark.parametrize("name", ["event", "order_id", "key_id", "status", "channel", "monkey"])
def test_other_fields_are_not(name: str) -> None:
    assert not is_denied(name)


def test_sql_parameters_bytes_secrets_and_models_are_not_printed() -> None:
    sql = "(sqlite3.Error) no [SQL: INSERT INTO a VALUES (?)]\n[parameters: ('Jane', 'x')]\n"
    assert "Jane" not in redact_text(sql)
    assert redact("raw", b"Jane") == "[4 bytes]"
    assert "Jane" not in str(redact("setting", SecretStr("Jane")))
    assert redact("who", Customer(name="Jane", tier="vip"))["tier"] == "vip"


def test_links_and_queries_lose_what_is_secret() -> None:
    line = "GET /o/1a2b3c.WyJzaG9wLTEwMDEiLDE3.oVJk3l2m4n5b6v7c8x9z0a1s2d3f4g5h?q=Jane+Doe HTTP/1.1"
    assert redact_text(line) == "GET /o/[redacted]?… HTTP/1.1"


@pytest.mark.parametrize(
    "text", ["a" * 10**6, "a@" * 10**5, "1 " * 10**5, "='" * 10**5, "name=" * 10**5]
)
def test_messages_are_cut_and_hostile_ones_cost_little(text: str) -> None:
    began = time.perf_counter()
    assert len(redact_text(text)) <= MAX_TEXT + 10
    assert time.perf_counter() - began < 0.5


def test_the_end_of_an_exception_is_kept(lines: Lines) -> None:
    try:
        raise RuntimeError("start " + "word " * 5000 + "the end")
    except RuntimeError:
        structlog.get_logger().exception("failed")
    (line,) = lines()
    assert "Traceback" in line["exception"]
    assert line["exception"].endswith("the end")
    assert len(line["exception"]) <= MAX_TEXT + 10


async def test_the_order_is_bound_per_task(lines: Lines) -> None:
    async def work(order_id: str) -> None:
        with logs.about(order_id):
            await asyncio.sleep(0)
            structlog.get_logger().info("inside")

    await asyncio.gather(work("a-1"), work("b-2"))
    structlog.get_logger().info("outside")
    assert [line.get("order_id") for line in lines()] == ["a-1", "b-2", None]


def test_frameworks_write_the_same_lines(lines: Lines) -> None:
    logging.getLogger("uvicorn.error").error("port %s", 80)
    logging.getLogger("uvicorn.access").info("GET /orders?q=Jane")
    logging.getLogger("httpx").info("HTTP Request: GET https://x/y")
    logging.getLogger("sqlalchemy.pool").warning("slow")
    written = lines()
    assert [(line["logger"], line["level"], line["event"]) for line in written] == [
        ("uvicorn.error", "error", "port 80"),
        ("sqlalchemy.pool", "warning", "slow"),
    ]
    assert all(line["timestamp"].endswith("Z") for line in written)
