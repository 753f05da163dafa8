"""A broken promise."""


class Broken(AssertionError):
    """A promise of INVARIANTS does not hold; ``promise`` is its number there."""

    def __init__(self, promise: str, order_id: str, text: str) -> None:
        super().__init__(f"{promise}: {text}")
        self.promise = promise
        self.order_id = order_id


def must(holds: bool, promise: str, order_id: str, *said: object) -> None:
    """Raise ``Broken`` unless a promise holds; what is said is put together only then."""
    if not holds:
        raise Broken(promise, order_id, " ".join(str(one) for one in said))
