"""Mail: what is sent, and above all what is known afterwards."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from adapters.messages.smtp import Encryption, SmtpMailer, compose
from domain.errors import EffectRefused, ProviderUnavailable
from ports.messages import Message, OutcomeUnknown
from tests.fakes.faults import Fault, FaultPlan
from tests.fakes.messages import FakeMailer

MAIL = Message(to="zoe@example.com", subject="Bestellung #1 ✓", text="Hallo", html="<p>Hallo</p>")


class Postbox:
    """A mail server's side; ``answers`` overrides what is said at a step."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.answers: dict[str, str] = {}

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Any
    ) -> str:
        envelope.rcpt_tos.append(address)
        return self.answers.get("RCPT", "250 OK")

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        answer = self.answers.get("DATA", "250 OK")
        if answer == "hang up":
            self._keep(envelope)
            assert isinstance(server.transport, asyncio.Transport)
            server.transport.abort()
            return "250 nobody hears this"
        if answer.startswith("2"):
            self._keep(envelope)
        return answer

    def _keep(self, envelope: Envelope) -> None:
        content = envelope.original_content or b""
        mail = message_from_bytes(content, policy=default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)


@pytest.fixture
async def box() -> AsyncIterator[tuple[Postbox, SmtpMailer]]:
    postbox = Postbox()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(postbox, enable_SMTPUTF8=True), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    sender = "Kaffee <orders@shop.example>"
    mailer = SmtpMailer("127.0.0.1", port, sender=sender, encryption=Encryption.NONE, timeout=5)
    yield postbox, mailer
    server.close()
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(server.wait_closed(), 2)


Box = tuple[Postbox, SmtpMailer]


async def test_a_mail_arrives_as_text_and_html(box: Box) -> None:
    postbox, mailer = box
    await mailer.send(MAIL.model_copy(update={"message_id": "<o1.confirmation.1@shop.example>"}))
    (mail,) = postbox.mails
    assert (mail["to"], mail["subject"]) == ("zoe@example.com", "Bestellung #1 ✓")
    assert mail["message-id"] == "<o1.confirmation.1@shop.example>"
    assert mail["auto-submitted"] == "auto-generated"
    kinds = [part.get_content_type() for part in mail.walk()]
    assert kinds == ["multipart/alternative", "text/plain", "text/html"]


@pytest.mark.parametrize(
    ("step", "answer", "becomes"),
    [
        ("RCPT", "550 no such mailbox", EffectRefused),
        ("RCPT", "451 grey list", ProviderUnavailable),
        ("DATA", "554 spam", EffectRefused),
        ("DATA", "452 full", ProviderUnavailable),
        ("DATA", "hang up", OutcomeUnknown),
    ],
)
async def test_what_the_server_says_decides_what_is_known(
    box: Box, step: str, answer: str, becomes: type[Exception]
) -> None:
    postbox, mailer = box
    postbox.answers[step] = answer
    with pytest.raises(becomes):
        await mailer.send(MAIL)
    assert len(postbox.mails) == (1 if answer == "hang up" else 0)


async def test_a_dead_server_accepted_nothing() -> None:
    mailer = SmtpMailer("127.0.0.1", 9, sender="a@b.example", encryption=Encryption.NONE, timeout=2)
    with pytest.raises(ProviderUnavailable):
        await mailer.send(MAIL)


async def test_a_server_without_starttls_gets_no_mail(box: Box) -> None:
    _, plain = box
    mailer = SmtpMailer("127.0.0.1", plain._port, sender="a@b.example", timeout=2)
    with pytest.raises(ProviderUnavailable):
        await mailer.send(MAIL)


async def test_the_fake_knows_the_same_three_ends() -> None:
    faults = FaultPlan()
    mailer = FakeMailer(faults=faults)
    for fault, becomes in (
        (Fault.BEFORE, ProviderUnavailable),
        (Fault.REFUSE, EffectRefused),
        (Fault.AFTER, OutcomeUnknown),
    ):
        faults.add("mail.send", fault)
        with pytest.raises(becomes):
            await mailer.send(MAIL)
    assert len(mailer.sent) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"to": "zoe@example.com\r\nBcc: all@example.com"},
        {"to": "zoe@example.com, all@example.com"},
        {"to": "nobody"},
        {"to": "zoe@example.com\n"},
        {"to": "zoë@example.com"},
        {"to": f"zoe@{'x' * 70}.example"},
        {"subject": "Hello\r\nBcc: all@example.com"},
        {"message_id": "<a@b>\nBcc: all@example.com"},
    ],
)
def test_headers_cannot_be_smuggled_in(change: dict[str, str]) -> None:
    with pytest.raises(EffectRefused) as refused:
        compose(MAIL.model_copy(update=change), "a@b.example")
    assert refused.value.code in ("header_injection", "bad_recipient")


def test_a_domain_of_any_script_has_an_ascii_form() -> None:
    mail = compose(MAIL.model_copy(update={"to": "zoe@käse.example"}), "a@b.example")
    assert mail["To"] == "zoe@xn--kse-qla.example"


def test_a_name_becomes_a_message_id() -> None:
    mail = compose(MAIL.model_copy(update={"message_id": "shop-1.shipped.1"}), "S <a@b.example>")
    assert mail["Message-ID"] == "<shop-1.shipped.1@b.example>"
