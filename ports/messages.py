"""What Waybill needs to tell a customer something."""

from typing import Protocol

from domain.frozen import Wire


class Message(Wire):
    """A mail, rendered. Header fields hold no line breaks."""

    to: str
    subject: str
    text: str
    html: str = ""
    message_id: str = ""


class Mailer(Protocol):
    """Sends one mail. Raises ``EffectRefused`` for a bad recipient, ``ProviderUnavailable`` when
    it is certain that nothing was accepted, and ``OutcomeUnknown`` when it is not."""

    async def send(self, message: Message) -> None:
        """Hand the mail to the provider."""


class OutcomeUnknown(Exception):
    """The connection was lost after the content was sent; the mail may or may not go out."""
