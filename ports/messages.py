"""What Waybill needs to tell a customer something."""

from typing import Protocol

from contracts.steps import MessageStep
from domain.frozen import Wire
from domain.policy import Policy
from ports.stores import StoredOrder


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


class Composer(Protocol):
    """Writes the mail that a step asks for, from the order as it stands in the database."""

    def compose(self, step: MessageStep, stored: StoredOrder, policy: Policy) -> Message | None:
        """Return the mail, None when the customer left no address to write to."""
