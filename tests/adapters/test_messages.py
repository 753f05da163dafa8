"""Messages: every template, every fact missing or hostile, money and dates as people write them."""

import re
from datetime import UTC, date, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest
from babel import Locale
from pydantic import ValidationError

from adapters.messages.facts import LineFact, MessageFacts, Template, TrackingFact
from adapters.messages.render import TEMPLATES, Renderer, display, render
from domain.errors import EffectRefused
from domain.money import Money

BARE = MessageFacts(order_number="#1042", shop_name="Kaffee & Söhne")
FULL = BARE.model_copy(
    update={
        "customer_name": "Zoë <b>", "support": "help@shop.example", "locale": "de-DE",
        "timezone": "Europe/Berlin", "order_url": "https://shop.example/o/tok",
        "lines": (LineFact(title="<script>alert(1)</script> beans", quantity=2, sku="ESP-1",
                           amount=Money(amount=3980, currency="EUR")),),
        "total": Money(amount=3980, currency="EUR"), "amount": Money(amount=1250, currency="EUR"),
        "tracking": (TrackingFact(carrier="TestPost", number="TP1", url="https://t.example/TP1"),),
        "expected_on": date(2026, 11, 27), "address": ("Zoë", "Hauptstr. 1"), "action": "payment",
        "action_url": "https://shop.example/o/tok/pay", "reason": "Because <i>so</i>",
        "deadline": datetime(2026, 11, 24, 12, tzinfo=UTC), "label_url": "https://l.example/l.pdf",
        "bundle_terms": ("The set comes back as a whole.",),
    }
)  # fmt: skip


class Remote(HTMLParser):
    """Collects what a mail program would fetch by itself, and tags left open."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("img", "link", "script", "iframe", "object"):
            self.fetched.append(tag)
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("facts", [BARE, FULL], ids=["bare", "full"])
@pytest.mark.parametrize("template", Template)
def test_every_template_renders(template: Template, facts: MessageFacts) -> None:
    mail = render(template, facts, "zoe@example.com")
    assert mail.subject
    assert "#1042" in mail.subject + mail.text
    assert "Kaffee & Söhne" in mail.text
    assert "None" not in mail.text + mail.html
    assert not re.search(r"\n\n\n| ,|\.\.", mail.text)
    html = Remote()
    html.feed(mail.html)
    assert (html.fetched, html.open) == ([], [])
    assert "url(" not in mail.html


def test_every_template_file_is_named(tmp_path: Path) -> None:
    assert {path.stem for path in TEMPLATES.glob("*.jinja")} == {str(name) for name in Template}


def test_what_customers_write_is_text_in_html() -> None:
    mail = render("cancelled", FULL, "zoe@example.com")
    assert "<script>" not in mail.html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in mail.html
    assert "Because &lt;i&gt;so&lt;/i&gt;" in mail.html
    assert "Because <i>so</i>" in mail.text


def test_dates_and_amounts_are_written_as_the_customer_does() -> None:
    text = render("confirmation", FULL, "zoe@example.com").text
    assert "39,80 €".replace(" ", "\xa0") in text
    assert "24 November 2026, 13:00 CET" in text


def test_a_partial_cancellation_says_which_items_and_how_much() -> None:
    facts = FULL.model_copy(update={"whole": False})
    mail = render("cancelled", facts, "zoe@example.com")
    assert "Part of" in mail.subject
    assert "12,50" in mail.text
    assert "2 x" in mail.text


def test_nothing_is_said_of_money_that_did_not_go_back() -> None:
    text = render("cancelled", BARE, "a@b.example").text
    assert "charged" not in text
    assert "goes back" not in text


@pytest.mark.parametrize(
    ("amount", "currency", "locale", "shown"),
    [
        (1250, "EUR", "de", "12,50 €"),
        (1250, "JPY", "ja", "¥1,250"),
        (1250, "IQD", "en", "IQD 1.250"),
        (-5, "USD", "en", "-$0.05"),
        (123_456_789, "KWD", "en", "KWD 123,456.789"),
    ],
)
def test_decimals_are_those_of_iso(amount: int, currency: str, locale: str, shown: str) -> None:
    text = display(Money(amount=amount, currency=currency), Locale.parse(locale))
    assert text.replace("\xa0", " ").replace("￥", "¥") == shown


@pytest.mark.parametrize("locale", ["", "xx", "de-DE", "pt_BR", "zh-Hans-CN", "../etc", "en-"])
def test_any_locale_renders(locale: str) -> None:
    assert render("shipped", FULL.model_copy(update={"locale": locale}), "a@b.example").html


@pytest.mark.parametrize("field", ["order_number", "shop_name"])
def test_line_breaks_do_not_reach_a_header(field: str) -> None:
    facts = BARE.model_copy(update={field: "x\r\nBcc: all@example.com"})
    with pytest.raises(EffectRefused) as refused:
        render("confirmation", facts, "a@b.example")
    assert refused.value.code == "header_injection"


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "https://a b", "//x"])
def test_a_link_is_a_web_address(url: str) -> None:
    with pytest.raises(ValidationError):
        MessageFacts(order_number="1", shop_name="s", order_url=url)


@pytest.mark.parametrize("name", ["nothing", "../facts", "/etc/passwd"])
def test_an_unknown_template_is_refused(name: str) -> None:
    with pytest.raises(EffectRefused) as refused:
        render(name, BARE, "a@b.example")
    assert refused.value.code == "unknown_template"


def test_a_merchant_may_write_their_own(tmp_path: Path) -> None:
    (tmp_path / "de").mkdir()
    (tmp_path / "de/shipped.jinja").write_text(
        "{% block subject %}Unterwegs{% endblock %}{% block heading %}Hallo{% endblock %}"
        "{% block body %}Bis {{ day(facts.expected_on) }}{% endblock %}"
    )
    renderer = Renderer(tmp_path)
    mail = renderer.render("shipped", FULL, "a@b.example")
    assert mail.subject == "Unterwegs"
    assert "Bis 27. November 2026" in mail.text
    english = renderer.render("shipped", FULL.model_copy(update={"locale": "en"}), "a@b.example")
    assert "on its way" in english.subject
