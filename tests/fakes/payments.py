"""A payment provider in memory that keeps the promises of the port, and its own books."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from domain.errors import EffectRefused, PaymentDeclined
from domain.money import Money
from ports.payments import Authorisation, Capture, PaymentState, Refund
from tests.fakes.desk import Clock, Desk, Ledger, standing_clock
from tests.fakes.faults import FaultPlan

LIFE = timedelta(days=7)


def fee(amount: int) -> int:
    """Return the provider's fee: 2.9 % rounded half up, plus 30 minor units."""
    return (amount * 29 + 500) // 1000 + 30


@dataclass
class Held:
    """One payment at the provider, in minor units."""

    reference: str
    amount: int
    currency: str
    state: PaymentState
    expires_at: datetime
    order_id: str = ""
    key: str = ""
    several: bool = False
    customer: str = ""
    method: str = ""
    captured: int = 0
    released: int = 0
    refunded: int = 0
    charged_back: int = 0
    made_at: datetime = field(default_factory=standing_clock)
    lapsed_early: bool = False
    effects: dict[str, Capture | Refund] = field(default_factory=dict)

    @property
    def capturable(self) -> int:
        """What may still be captured."""
        held = self.state is PaymentState.AUTHORISED
        return self.amount - self.captured - self.released if held else 0


class FakePaymentGateway:
    """A ``PaymentGateway``. Methods with ``declin`` in their name are declined, those with
    ``authenticationRequired`` ask for the cardholder (or decline when off session)."""

    def __init__(self, now: Clock = standing_clock, faults: FaultPlan | None = None) -> None:
        self._desk = Desk("payments", now, faults or FaultPlan())
        self.several_captures = True
        self.life = LIFE
        self._held: dict[str, Held] = {}
        self._of_order: dict[str, list[Held]] = {}

    @property
    def ledger(self) -> Ledger:
        """The provider's own books: authorise, capture, release, void, expire, refund, dispute."""
        return self._desk.ledger

    async def authorise(
        self,
        order_id: str,
        amount: Money,
        *,
        customer: str,
        method: str,
        multi_capture: bool,
        key: str,
    ) -> Authorisation:
        """Hold an amount for ``life``, seven days of the fake's clock."""

        def effect() -> Authorisation:
            several = multi_capture and self.several_captures
            held = self._new(amount, method, customer, order_id, key, several=several)
            if "declin" in method.lower():
                held.state = PaymentState.DECLINED
            elif "authenticationRequired" in method:
                held.state = PaymentState.DECLINED if customer else PaymentState.ACTION_REQUIRED
            if held.state is PaymentState.DECLINED:
                code = "authentication_required" if "authentication" in method else "card_declined"
                self._record("decline", held, key, amount.amount)
                raise PaymentDeclined(f"{method} was declined", code)
            if held.state is PaymentState.AUTHORISED:
                self._record("authorise", held, key, amount.amount)
            return _shown(held)

        params = (order_id, amount, customer, method, multi_capture)
        return self._desk.do("authorise", key, params, effect)

    async def adopt(self, order_id: str, reference: str, *, key: str) -> Authorisation:
        """Mark a storefront's payment as the order's."""

        def effect() -> Authorisation:
            held = self._known(reference)
            if held.order_id not in ("", order_id):
                text = f"{reference} belongs to order {held.order_id}"
                raise EffectRefused(text, "adopted_by_another_order")
            if not held.order_id:
                self._of_order.setdefault(order_id, []).append(held)
            held.order_id, held.key = order_id, key
            self._record("adopt", held, key, 0)
            return _shown(held)

        return self._desk.do("adopt", key, (order_id, reference), effect)

    async def capture(
        self, order_id: str, reference: str, amount: Money, *, final: bool, key: str
    ) -> Capture:
        """Take part of a hold; without multi-capture the rest is released."""

        def effect() -> Capture:
            held = self._known(reference)
            if held.state is not PaymentState.AUTHORISED:
                raise EffectRefused(
                    f"{reference} is {held.state}", "payment_intent_unexpected_state"
                )
            if amount.currency != held.currency or not 0 < amount.amount <= held.capturable:
                raise EffectRefused(f"{amount} of {held.capturable}", "amount_too_large")
            if not final and not held.several:
                raise EffectRefused("multi-capture is not available", "multi_capture_unavailable")
            held.captured += amount.amount
            self._record("capture", held, key, amount.amount)
            if final and held.capturable:
                self._record("release", held, key, held.capturable)
                held.released += held.capturable
            if final or not held.capturable:
                held.state = PaymentState.CAPTURED
            taken = Capture(
                reference=f"{reference}:charge",
                amount=amount.amount,
                fee=fee(amount.amount),
                capturable=held.capturable,
            )
            held.effects[key] = taken
            return taken

        return self._desk.do("capture", key, (order_id, reference, amount, final), effect)

    async def void(self, order_id: str, reference: str, *, key: str) -> None:
        """Release a hold; void already, lapsed and unknown are all right."""

        def effect() -> None:
            held = self._held.get(reference)
            if held is None or self._lapsed(held) or held.state is PaymentState.VOIDED:
                return
            if held.captured and not held.capturable:
                raise EffectRefused(f"{reference} is captured", "already_captured")
            if held.capturable:
                self._record("void", held, key, held.capturable)
            held.released += held.capturable
            held.state = PaymentState.CAPTURED if held.captured else PaymentState.VOIDED

        self._desk.do("void", key, (order_id, reference), effect)

    async def refund(self, order_id: str, reference: str, amount: Money, *, key: str) -> Refund:
        """Give back part of what was captured and not charged back."""

        def effect() -> Refund:
            held = self._known(reference)
            left = held.captured - held.refunded - held.charged_back
            if amount.currency != held.currency or not 0 < amount.amount <= left:
                raise EffectRefused(f"{amount.amount} of {left}", "amount_too_large")
            held.refunded += amount.amount
            self._record("refund", held, key, amount.amount)
            given = Refund(reference=self._desk.new_id("re"), amount=amount.amount)
            held.effects[key] = given
            return given

        return self._desk.do("refund", key, (order_id, reference, amount), effect)

    async def find(
        self, order_id: str, key: str, *, reference: str = ""
    ) -> Authorisation | Capture | Refund | None:
        """Look up the effect of a key."""
        self._desk.read("find", key)
        for held in self._of_order.get(order_id, ()):
            if held.key == key:
                self._lapsed(held)
                return _shown(held)
            if key in held.effects:
                return held.effects[key]
        return None

    async def retrieve(self, reference: str) -> Authorisation:
        """Return how a payment stands."""
        self._desk.read("retrieve", reference)
        return _shown(self._known(reference))

    def placed_by_storefront(
        self, amount: Money, *, captured: bool = False, several: bool = False, customer: str = ""
    ) -> str:
        """Make a payment that a storefront took, to be adopted; returns its reference. With a
        ``customer`` its method may be used again."""
        held = self._new(amount, "pm_storefront", customer, "", "", several=several)
        self._record("authorise", held, "", amount.amount)
        if captured:
            self.captured_by_merchant(held.reference)
        return held.reference

    def captured_by_merchant(self, reference: str) -> None:
        """Capture all that is held, in the storefront or at the provider, past us."""
        held = self._held[reference]
        taken, held.state = held.capturable, PaymentState.CAPTURED
        held.captured += taken
        self._record("capture", held, "", taken)

    def confirm(self, reference: str) -> None:
        """Let the cardholder pass the challenge that ``action_required`` asked for."""
        held = self._known(reference)
        assert held.state is PaymentState.ACTION_REQUIRED, held.state
        held.state = PaymentState.AUTHORISED
        self._record("authorise", held, held.key, held.amount)

    def payments_of(self, order_id: str) -> tuple[Held, ...]:
        """Return the payments that were made for an order, or adopted."""
        return tuple(self._of_order.get(order_id, ()))

    def left_of(self, reference: str) -> int:
        """Return what of a payment could still be given back."""
        held = self._known(reference)
        return held.captured - held.refunded - held.charged_back

    def lapse(self, reference: str) -> None:
        """Let a hold lapse before its time, as banks do."""
        held = self._known(reference)
        held.expires_at, held.lapsed_early = self._desk.now(), True
        self._lapsed(held)

    def charge_back(self, reference: str, amount: int) -> None:
        """Let the cardholder's bank take money back."""
        held = self._known(reference)
        held.charged_back += amount
        self._record("dispute", held, "", amount)

    def _new(
        self, amount: Money, method: str, customer: str, order_id: str, key: str, *, several: bool
    ) -> Held:
        held = Held(
            reference=self._desk.new_id("pi"),
            amount=amount.amount,
            currency=amount.currency,
            state=PaymentState.AUTHORISED,
            expires_at=self._desk.now() + self.life,
            made_at=self._desk.now(),
            order_id=order_id,
            key=key,
            several=several,
            customer=customer,
            method=method if customer else "",
        )
        self._held[held.reference] = held
        if order_id:
            self._of_order.setdefault(order_id, []).append(held)
        return held

    def _known(self, reference: str) -> Held:
        held = self._held.get(reference)
        if held is None:
            raise EffectRefused(f"no payment {reference}", "resource_missing")
        self._lapsed(held)
        return held

    def _lapsed(self, held: Held) -> bool:
        """Let a hold lapse once its time has come."""
        if held.state is PaymentState.AUTHORISED and self._desk.now() >= held.expires_at:
            self._record("expire", held, "", held.capturable)
            held.released += held.capturable
            held.state = PaymentState.CAPTURED if held.captured else PaymentState.VOIDED
            return True
        return False

    def _record(self, kind: str, held: Held, key: str, amount: int) -> None:
        self._desk.record(
            kind, held.order_id, key, held.reference, amount=amount, currency=held.currency
        )


def _shown(held: Held) -> Authorisation:
    return Authorisation(
        reference=held.reference,
        state=held.state,
        amount=held.amount,
        currency=held.currency,
        capturable=held.capturable,
        captured=held.captured,
        refunded=held.refunded,
        expires_at=held.expires_at if held.state is PaymentState.AUTHORISED else None,
        multi_capture=held.several,
        customer=held.customer,
        reusable_method=held.method,
    )
