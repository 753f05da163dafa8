"""Two families of errors, and no third.

DomainError                 a refusal by rule; stable ``code``; never retried
├── FieldsAtFault           what was sent cannot be read; names every field at once
│   ├── InvalidOrder        … as an order
│   └── UnreadableEvent     … as a carrier's or payment provider's event
├── InvalidTransition       a move that the state diagram does not have
├── PaymentDeclined         the issuer said no
└── EffectRefused           the provider refused for good (unknown address, label already void)

ProviderUnavailable         trouble outside; retried with the same key
"""


class DomainError(Exception):
    """A refusal by rule. ``code`` is stable and part of the API."""

    code = "refused"

    def __init__(self, message: str, code: str | None = None) -> None:
        super().__init__(message)
        self.code = code or type(self).code


class FieldsAtFault(DomainError):
    """Something that cannot be read; ``problems`` are (field, message) pairs, all of them."""

    def __init__(self, problems: list[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{field}: {message}" for field, message in problems))
        self.problems = problems


class InvalidOrder(FieldsAtFault):
    """An order that cannot be read."""

    code = "invalid_order"


class UnreadableEvent(FieldsAtFault):
    """A provider's event that cannot be read."""

    code = "unreadable_event"


class InvalidTransition(DomainError):
    """A move that the state diagram does not have."""

    code = "invalid_transition"


class PaymentDeclined(DomainError):
    """The issuer said no; asking again with the same method will not help."""

    code = "declined"


class EffectRefused(DomainError):
    """A provider refused for good; a person or another route is needed."""

    code = "provider_refused"


class ProviderUnavailable(Exception):
    """A provider did not answer, or answered that it cannot now; ask again with the same key.

    Args:
        retry_after: seconds the provider asked us to wait, when it said so.
    """

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after
