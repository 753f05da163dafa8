"""Mail by SMTP, one connection a mail.

The moment that matters is DATA: before it nothing was accepted and the mail may be tried again;
once it has begun, a lost connection leaves the outcome unknown and the mail is not sent again.
"""

import re
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from enum import StrEnum

import aiosmtplib

from domain.errors import EffectRefused, ProviderUnavailable
from ports.messages import Message, OutcomeUnknown

ADDRESS = re.compile(r"^[^\s@<>,;\x00-\x1f]+@[^\s@<>,;\x00-\x1f]+$")


class Encryption(StrEnum):
    """How the connection is encrypted; ``none`` is for a catcher on this machine."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


class SmtpMailer:
    """A ``ports.messages.Mailer``.

    Args:
        sender: the From header, ``Shop <orders@shop.example>`` or a bare address.
        reply_to: optional Reply-To.
        username: empty for no login.
        timeout: seconds for one step of the conversation.
    """

    def __init__(
        self,
        host: str,
        port: int = 587,
        *,
        sender: str,
        reply_to: str = "",
        username: str = "",
        password: str = "",
        encryption: Encryption = Encryption.STARTTLS,
        timeout: float = 20.0,
    ) -> None:
        self._host, self._port, self._timeout = host, port, timeout
        self._sender, self._reply_to = sender, reply_to
        self._username, self._password = username, password
        self._encryption = encryption

    async def send(self, message: Message) -> None:
        """Hand one mail to the server.

        Raises:
            EffectRefused: the recipient or the content is refused for good (``bad_recipient``,
                ``mail_refused``), or a header holds a line break (``header_injection``).
            ProviderUnavailable: nothing was accepted; try again.
            OutcomeUnknown: the connection was lost after the content was sent.
        """
        mail = compose(message, self._sender, self._reply_to)
        recipient = str(mail["To"])
        server = aiosmtplib.SMTP(
            hostname=self._host,
            port=self._port,
            timeout=self._timeout,
            use_tls=self._encryption is Encryption.TLS,
            start_tls=self._encryption is Encryption.STARTTLS,
        )
        try:
            await self._greet(server, recipient)
            await self._data(server, mail.as_bytes())
        finally:
            server.close()

    async def _greet(self, server: aiosmtplib.SMTP, recipient: str) -> None:
        """Everything before DATA, where any trouble means that nothing was accepted."""
        try:
            await server.connect()
            if self._username:
                await server.login(self._username, self._password)
            await server.mail(_bare(self._sender))
            await server.rcpt(recipient)
        except aiosmtplib.SMTPRecipientRefused as error:
            if error.code >= 500:
                raise EffectRefused(f"{recipient}: {error.message}", "bad_recipient") from error
            raise ProviderUnavailable(f"mail: {error!r}") from error
        except (aiosmtplib.SMTPException, OSError) as error:
            raise ProviderUnavailable(f"mail: {error!r}") from error

    async def _data(self, server: aiosmtplib.SMTP, content: bytes) -> None:
        try:
            await server.data(content)
        except aiosmtplib.SMTPDataError as error:
            if error.code >= 500:
                raise EffectRefused(f"mail: {error.message}", "mail_refused") from error
            raise ProviderUnavailable(f"mail: {error!r}") from error
        except (aiosmtplib.SMTPException, OSError) as error:
            raise OutcomeUnknown(f"mail: {error!r}") from error


def compose(message: Message, sender: str, reply_to: str = "") -> EmailMessage:
    """Return the mail: plain text, with HTML beside it when there is any."""
    headers = {
        "From": sender,
        "To": _on_the_wire(message.to),
        "Subject": message.subject,
        "Message-ID": _message_id(message.message_id, _bare(sender).rpartition("@")[2]),
        "Date": formatdate(usegmt=True),
        # Keeps holiday answers away: RFC 3834.
        "Auto-Submitted": "auto-generated",
    }
    if reply_to:
        headers["Reply-To"] = reply_to
    mail = EmailMessage()
    for name, value in headers.items():
        if "\r" in value or "\n" in value:
            raise EffectRefused(f"line break in {name}", "header_injection")
        mail[name] = value
    mail.set_content(message.text)
    if message.html:
        mail.add_alternative(message.html, subtype="html")
    return mail


def _message_id(given: str, domain: str) -> str:
    """Return the id in the form of RFC 5322; a bare name becomes ``<name@domain>``."""
    if not given:
        return make_msgid(domain=domain)
    return given if given.startswith("<") else f"<{given}@{domain}>"


def _on_the_wire(recipient: str) -> str:
    """Return the address in ASCII: domains have such a form, local parts have none."""
    local, _, domain = recipient.rpartition("@")
    try:
        address = f"{local}@{domain.encode('idna').decode()}"
    except UnicodeError:
        address = ""
    if not local.isascii() or not ADDRESS.fullmatch(address):
        raise EffectRefused(f"{recipient!r} is no mail address", "bad_recipient")
    return address


def _bare(sender: str) -> str:
    return sender.rsplit("<", 1)[-1].rstrip("> ") if "<" in sender else sender
