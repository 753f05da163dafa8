"""Jobs that an order is given, and the workflow task that they make."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from temporalio.bridge.proto.workflow_activation import WorkflowActivationJob
from temporalio.bridge.proto.workflow_commands import WorkflowCommand

from tests.simulation.history import Activated
from tests.simulation.instance import PAYLOADS
from tests.simulation.steps import Step

Job = WorkflowActivationJob
ENDS = (
    "complete_workflow_execution",
    "fail_workflow_execution",
    "cancel_workflow_execution",
    "continue_as_new_workflow_execution",
)


@dataclass
class Task:
    """An open workflow task: nothing of it counts before it is complete."""

    events: list[Job]
    activated: list[Activated] = field(default_factory=list)
    commands: list[WorkflowCommand] = field(default_factory=list)
    locals: dict[int, Step] = field(default_factory=dict)


def ends(commands: Sequence[WorkflowCommand]) -> bool:
    """Whether commands end the order."""
    return any(command.WhichOneof("variant") in ENDS for command in commands)


def resolved(step: Step, local: bool) -> Job:
    """Return what the order learns of a step that is done."""
    job = Job()
    job.resolve_activity.seq, job.resolve_activity.is_local = step.seq, local
    result = job.resolve_activity.result
    if step.backoff is not None:
        result.backoff.attempt = step.attempt + 1
        result.backoff.backoff_duration.FromTimedelta(timedelta(seconds=step.backoff))
        result.backoff.original_schedule_time.FromDatetime(step.scheduled_at)
    elif step.cancelled:
        result.cancelled.failure.CopyFrom(step.failure)
    elif step.failure is not None:
        result.failed.failure.CopyFrom(step.failure)
    else:
        result.completed.result.CopyFrom(PAYLOADS.to_payloads([step.result])[0])
    return job
