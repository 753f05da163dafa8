"""The story of one order in readable lines: what came, what the order did, what others did."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.bridge.proto.workflow_commands import WorkflowCommand

from tests.simulation.instance import PAYLOADS
from tests.simulation.plant import Watcher

if TYPE_CHECKING:
    from tests.simulation.execution import Execution
    from tests.simulation.steps import Step

QUIET = ("upsert_workflow_search_attributes", "modify_workflow_properties")


class Story(Watcher):
    """Collects lines; ``of`` tells those of one order."""

    def __init__(self, now: Any = None) -> None:
        self._now = now
        self._lines: list[tuple[datetime, str, str]] = []

    def line(self, at: datetime, order_id: str, text: str) -> None:
        """Add a line; without an order it is everybody's."""
        self._lines.append((at, order_id, text))

    def of(self, order_id: str, last: int = 4000) -> list[str]:
        """Return the lines of an order."""
        chosen = [one for one in self._lines if one[1] in ("", order_id)]
        return [f"{at:%d %b %H:%M:%S.%f}"[:-3] + f"  {text}" for at, _, text in chosen[-last:]]

    # what the watchers' side sees

    def activated(
        self,
        execution: "Execution",
        activation: WorkflowActivation,
        commands: Sequence[WorkflowCommand],
    ) -> None:
        """Tell what came and what it led to."""
        came = ", ".join(_job(job) for job in activation.jobs)
        did = ", ".join(_command(c) for c in commands if c.WhichOneof("variant") not in QUIET)
        at = activation.timestamp.ToDatetime()
        self.line(at, execution.order_id, f"  * {came} → {did or 'nothing'}")

    def task_completed(self, execution: "Execution") -> None:
        """Tell where the order stands."""
        order = execution.instance.order if execution.instance else None
        if order and order.state.facts:
            at = execution.plant.agenda.now()
            holds = ",".join(str(hold.kind) for hold in order.state.holds.values())
            parcels = ",".join(
                f"{one.shipment_id.rsplit('-', 1)[1]} {one.status}"
                for one in order.state.shipments.values()
            )
            money = order.state.money()
            text = f"  = {order.state.status()} [{parcels}] holds [{holds}]"
            text += f" authorised {money.authorised} captured {money.captured}"
            self.line(at, execution.order_id, f"{text} refunded {money.refunded}")

    def step_scheduled(self, execution: "Execution", step: "Step") -> None:
        """Tell what goes out."""
        at = execution.plant.agenda.now()
        self.line(at, execution.order_id, f"  > {step.name} {_short(step.ask)}")

    def step_finished(self, execution: "Execution", step: "Step") -> None:
        """Tell what came back."""
        at = execution.plant.agenda.now()
        what = step.failure.cause.message if step.failure else _short(step.result)
        self.line(at, execution.order_id, f"  < {step.name} ({step.attempt}) {what}")


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) < 240 else text[:237] + "…"


def _job(job: Any) -> str:
    kind = job.WhichOneof("variant")
    if kind == "signal_workflow":
        return "signal " + str(PAYLOADS.from_payloads(job.signal_workflow.input)[0].get("kind"))
    if kind == "do_update":
        return f"update {job.do_update.name}"
    if kind == "resolve_activity":
        result = job.resolve_activity.result.WhichOneof("status")
        return f"step {job.resolve_activity.seq} {result}"
    if kind == "fire_timer":
        return f"timer {job.fire_timer.seq}"
    return str(kind)


def _command(command: WorkflowCommand) -> str:
    kind = str(command.WhichOneof("variant"))
    if kind == "schedule_local_activity":
        return f"{command.schedule_local_activity.activity_type} here"
    if kind == "schedule_activity":
        return command.schedule_activity.activity_type
    if kind == "start_timer":
        timer = command.start_timer
        seconds = timer.start_to_fire_timeout.ToTimedelta().total_seconds()
        return f"timer {timer.seq} ({seconds:.0f} s)"
    if kind == "cancel_timer":
        return f"no timer {command.cancel_timer.seq}"
    if kind == "update_response":
        return f"update {command.update_response.WhichOneof('response')}"
    return kind
