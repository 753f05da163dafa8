"""The control API: what a test or a demonstration does to the outside world. Loopback only."""

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from testbed import payments, webhooks
from testbed.carrier_tracking import Carrier, Scan
from testbed.database import Json
from testbed.faults import FaultRule
from testbed.ledger import statement
from testbed.operations import Call, Refusal
from testbed.payment_charges import EXPIRE, store
from testbed.payment_refunds import open_dispute
from testbed.world import World

OWN_OPERATIONS = (
    "webhook.deliver", "carrier.move", "carrier.scan", "warehouse.pick", "warehouse.inspect",
    "mail.accept",
)  # fmt: skip


class Advance(BaseModel):
    """How far the clock moves."""

    advance_seconds: float = Field(ge=0)


class Dispute(BaseModel):
    """A charge-back; no amount means all that is left."""

    amount: int | None = Field(default=None, ge=1)
    reason: str = "fraudulent"


class Challenge(BaseModel):
    """The cardholder's answer to the bank."""

    passed: bool = True


class CaptureBefore(BaseModel):
    """When an authorisation lapses, epoch seconds on the testbed's clock."""

    at: float


class ManualScan(BaseModel):
    """A scan out of the ordinary, such as a carrier's correction."""

    status: str
    status_detail: str = "status_update"
    message: str = "Status update"
    at: float | None = None


def control_routes(world: World, carrier: Carrier, operations: list[str]) -> APIRouter:
    """Return clock, settings and ledger, with the routes for faults, payments and parcels."""
    router = APIRouter(prefix="/control", tags=["control"])
    _fault_routes(router, world, operations)
    _payment_routes(router, world)
    _parcel_routes(router, world, carrier)

    @router.get("/ledger")
    async def ledger(order_id: str | None = None) -> Json:
        """Tell what really happened, of one order or of all."""
        return statement(world, order_id)

    @router.get("/clock")
    async def clock() -> Json:
        """Tell the testbed's time, epoch seconds."""
        return {"now": world.now()}

    @router.post("/clock")
    async def advance(body: Advance) -> Json:
        """Move the clock forward; what became due happens in the order of its due time."""
        now = world.clock.advance(body.advance_seconds)
        world.agenda.wake()
        return {"now": now}

    @router.get("/settings")
    async def settings() -> Json:
        """Show all settings."""
        return world.settings.model_dump()

    @router.put("/settings")
    async def change(body: Json) -> Json:
        """Change run-time settings; they are kept over a restart."""
        try:
            return world.change_settings(body).model_dump()
        except ValueError as problem:
            raise HTTPException(422, str(problem)) from problem

    return router


def _fault_routes(router: APIRouter, world: World, operations: list[str]) -> None:
    plan = world.faults

    @router.get("/faults")
    async def faults() -> Json:
        """Show the plan with its counters, and the operation names rules can match."""
        return {"rules": plan.listed(), "operations": sorted([*operations, *OWN_OPERATIONS])}

    @router.put("/faults")
    async def replace_plan(rules: list[FaultRule]) -> Json:
        """Make this the whole plan."""
        plan.replace(rules)
        return {"rules": plan.listed()}

    @router.post("/faults", status_code=201)
    async def add_rule(rule: FaultRule) -> Json:
        """Add a rule at the end, or replace the one of the same id."""
        plan.add(rule)
        return plan.listed()[-1]

    @router.delete("/faults", status_code=204)
    async def clear_plan() -> None:
        """Take all rules out."""
        plan.clear()

    @router.delete("/faults/{rule_id}", status_code=204)
    async def remove_rule(rule_id: str) -> None:
        """Take one rule out."""
        if not plan.remove(rule_id):
            raise HTTPException(404, f"no rule {rule_id}")


def _payment_routes(router: APIRouter, world: World) -> None:
    def intent_of(intent_id: str) -> Json:
        intent = world.db.get(intent_id, "payment_intent")
        if intent is None:
            raise HTTPException(404, f"no payment intent {intent_id}")
        return intent

    @router.post("/payment_intents/{intent_id}/dispute", status_code=201)
    async def dispute(intent_id: str, body: Dispute) -> Json:
        """Charge a captured payment back."""
        with world.db.transaction():
            return open_dispute(world, intent_of(intent_id), body.amount, body.reason)

    @router.post("/payment_intents/{intent_id}/authenticate")
    async def authenticate(intent_id: str, request: Request, body: Challenge) -> Json:
        """Let the cardholder pass or fail the challenge of an intent in ``requires_action``."""
        call = Call(world, "control", {}, {"id": intent_id}, str(request.base_url), None)
        with world.db.transaction():
            return payments.authenticate(world, intent_of(intent_id), call, body.passed)

    @router.post("/payment_intents/{intent_id}/capture-before")
    async def capture_before(intent_id: str, body: CaptureBefore) -> Json:
        """Change when an authorisation lapses."""
        intent = intent_of(intent_id)
        if intent["status"] != "requires_capture":
            raise HTTPException(409, f"the intent is {intent['status']}")
        charge = world.db.get(intent["latest_charge"], "charge") or {}
        charge["payment_method_details"]["card"]["capture_before"] = int(body.at)
        with world.db.transaction():
            store(world, intent, charge)
            world.agenda.drop(EXPIRE, intent_id)
            world.agenda.add(EXPIRE, intent_id, body.at)
        return charge


def _parcel_routes(router: APIRouter, world: World, carrier: Carrier) -> None:
    @router.post("/parcels/{number}/drop-off")
    async def drop_off(number: str) -> Json:
        """Give a parcel to the carrier: the customer drops off a return."""
        with world.db.transaction():
            carrier.take(number)
        return world.db.row("SELECT * FROM parcel WHERE tracking_number = ?", number) or {}

    @router.post("/parcels/{number}/scans", status_code=201)
    async def scan(number: str, body: ManualScan) -> Json:
        """Write a scan by hand and send its event."""
        seen = Scan(body.status, body.status_detail, body.message)
        with world.db.transaction():
            return carrier.scan(number, seen, world.now() if body.at is None else body.at)

    @router.get("/webhooks")
    async def deliveries(state: str = "", subject: str = "") -> Json:
        """List events sent or to be sent, newest first."""
        rows = world.db.rows(
            "SELECT event_id, provider, type, subject, created, state, attempts, last_status"
            " FROM delivery WHERE (? = '' OR state = ?) AND (? = '' OR subject = ?)"
            " ORDER BY seq DESC LIMIT 500",
            *(state, state, subject, subject),
        )
        return {"deliveries": rows}

    @router.post("/webhooks/{event_id}/resend", status_code=202)
    async def resend(event_id: str) -> Response:
        """Send a stored event once more."""
        return Response(status_code=202 if webhooks.resend(world, event_id) else 404)


def refused(request: Request, refusal: Exception) -> Response:
    """Answer a refusal that reached the control API."""
    status, body = (refusal.status, refusal.body) if isinstance(refusal, Refusal) else (500, {})
    return JSONResponse(body, status_code=status)
