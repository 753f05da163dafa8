"""A mail server in memory. It has no keys: whoever sends twice, sends two mails."""

from domain.errors import EffectRefused, ProviderUnavailable
from ports.messages import Message, OutcomeUnknown
from tests.fakes.desk import Clock, Desk, Ledger, standing_clock
from tests.fakes.faults import Fault, FaultPlan


class FakeMailer:
    """A ``Mailer``. Fault ``after`` accepts the mail and loses the connection."""

    def __init__(self, now: Clock = standing_clock, faults: FaultPlan | None = None) -> None:
        self._desk = Desk("mail", now, faults or FaultPlan())
        self.sent: list[Message] = []

    @property
    def ledger(self) -> Ledger:
        """The mail server's own books; the reference is the recipient."""
        return self._desk.ledger

    async def send(self, message: Message) -> None:
        """Accept a mail."""
        fault = self._desk.faults.draw("mail.send", message.message_id or message.subject)
        if fault in (Fault.REFUSE, Fault.DECLINE) or "@" not in message.to:
            raise EffectRefused(f"{message.to}: no such mailbox", "bad_recipient")
        if fault and fault not in (Fault.AFTER, Fault.STUCK_AFTER):
            raise ProviderUnavailable("mail: connection refused")
        self.sent.append(message)
        self._desk.record("mail", "", message.message_id, message.to, detail=message.subject)
        if fault:
            raise OutcomeUnknown("mail: connection lost after DATA")
