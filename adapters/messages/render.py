"""Messages rendered from templates: plain text, and simple HTML that every mail program shows.

Each template is one Jinja file with the blocks ``subject``, ``heading``, ``body`` (paragraphs, one
a line) and optionally ``button``; it is rendered twice, into ``layout.txt`` as it is and into
``layout.html`` escaped. An undefined name is an error.

A merchant's folder may override any file; a file in a folder of a language (``de/shipped.jinja``)
wins for customers of that language. Dates follow the language of the text, amounts the customer.
"""

import re
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_time
from babel.numbers import parse_pattern
from jinja2 import (
    ChoiceLoader,
    Environment,
    FileSystemLoader,
    StrictUndefined,
    Template,
    TemplateNotFound,
)

from adapters.currencies import decimals
from adapters.messages.facts import MessageFacts
from domain.errors import EffectRefused
from domain.money import Money
from ports.messages import Message

TEMPLATES = Path(__file__).parent / "templates"
LONGEST_SUBJECT = 200
CACHED = 512
"""Templates and locales are read once; a merchant's new file is seen after a restart."""


class Renderer:
    """Renders messages.

    Args:
        overrides: a folder whose files win over the shipped ones.
    """

    def __init__(self, overrides: Path | None = None) -> None:
        folders = [overrides, TEMPLATES] if overrides else [TEMPLATES]
        self._folders = folders
        self._environments = {kind: _environment(folders, kind) for kind in ("txt", "html")}
        self._select = lru_cache(maxsize=CACHED)(self._search)

    def render(self, template: str, facts: MessageFacts, to: str) -> Message:
        """Return the message.

        Raises:
            EffectRefused: there is no such template (``unknown_template``), or the recipient or a
                fact in the subject holds a line break (``header_injection``).
        """
        language = self._language(facts)
        text, html = (self._body(template, facts, kind, language) for kind in ("txt", "html"))
        subject = self._block("txt", template, "subject", facts, language).strip()
        for header in (to, subject, facts.order_number, facts.shop_name):
            if re.search(r"[\r\n\x00]", header):
                raise EffectRefused("line break in a header", "header_injection")
        return Message(to=to, subject=subject[:LONGEST_SUBJECT], text=text, html=html)

    def _body(self, template: str, facts: MessageFacts, kind: str, language: dict[str, Any]) -> str:
        layout = self._found(kind, f"layout.{kind}", facts)
        parts = {
            name: self._block(kind, template, name, facts, language)
            for name in ("heading", "body", "button")
        }
        paragraphs = [line.strip() for line in parts["body"].splitlines() if line.strip()]
        rendered = layout.render(
            facts=facts, heading=parts["heading"].strip(), paragraphs=paragraphs,
            button=parts["button"].strip(), template=template, **language,
        )  # fmt: skip
        return re.sub(r"\n{3,}", "\n\n", rendered).strip() + "\n"

    def _block(
        self, kind: str, template: str, name: str, facts: MessageFacts, language: dict[str, Any]
    ) -> str:
        environment = self._environments[kind]
        try:
            found = self._found(kind, f"{template}.jinja", facts)
        except TemplateNotFound as error:
            raise EffectRefused(f"there is no message {template!r}", "unknown_template") from error
        if name not in found.blocks:
            return ""
        context = found.new_context({"facts": facts, **language})
        text = "".join(found.blocks[name](context))
        # Blocks are escaped already, and go into the layout as they are.
        return environment.filters["safe"](text) if kind == "html" else text

    def _found(self, kind: str, name: str, facts: MessageFacts) -> Template:
        return self._select(kind, locale_of(facts.locale).language, name)

    def _search(self, kind: str, language: str, name: str) -> Template:
        return self._environments[kind].select_template([f"{language}/{name}", name])

    def _language(self, facts: MessageFacts) -> dict[str, Any]:
        """Return what templates call: dates in the text's language, amounts in the customer's."""
        customer = locale_of(facts.locale)
        translated = any((folder / customer.language).is_dir() for folder in self._folders)
        text = customer if translated else locale_of(f"en_{customer.territory or 'US'}")
        zone = ZoneInfo(facts.timezone)

        def day(value: date) -> str:
            return str(format_date(value, "long", locale=text))

        def moment(value: datetime) -> str:
            local = value.astimezone(zone)
            time = format_time(local, "short", tzinfo=zone, locale=text)
            return f"{day(local.date())}, {time} {local.tzname()}"

        def money(value: Money) -> str:
            return display(value, customer)

        return {"day": day, "moment": moment, "money": money, "language": text.language}


def render(template: str, facts: MessageFacts, to: str) -> Message:
    """Render a shipped template; see ``Renderer.render``."""
    return _shipped().render(template, facts, to)


@lru_cache(maxsize=1)
def _shipped() -> Renderer:
    return Renderer()


def _environment(folders: list[Path], kind: str) -> Environment:
    return Environment(
        loader=ChoiceLoader([FileSystemLoader(folder) for folder in folders]),
        autoescape=kind == "html",
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )


@lru_cache(maxsize=CACHED)
def locale_of(name: str) -> Locale:
    """Return the locale of a storefront's name (``de-DE``, ``pt_BR``), English when unknown."""
    try:
        return Locale.parse(name.replace("-", "_"))
    except (UnknownLocaleError, ValueError, TypeError):
        return Locale.parse("en")


def display(money: Money, locale: Locale) -> str:
    """Return an amount as people of the locale write it.

    The number of decimals is ISO's: babel's own says none for IQD, where ISO has three.
    """
    digits = decimals(money.currency)
    pattern = parse_pattern(locale.currency_formats["standard"].pattern)
    pattern.frac_prec = (digits, digits)
    value = Decimal(money.amount).scaleb(-digits)
    text = pattern.apply(value, locale, currency=money.currency, currency_digits=False)
    # A code is set apart from the number (CLDR's alphaNextToNumber, which babel leaves out).
    return re.sub(r"(?<=[A-Za-z])(?=\d)", "\xa0", str(text))
