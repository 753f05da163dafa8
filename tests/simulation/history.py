"""What an order has done, as its history keeps it; replaying it must give the same commands."""

from collections.abc import Sequence
from dataclasses import dataclass

from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.bridge.proto.workflow_commands import WorkflowCommand

from tests.simulation.instance import Instance


class Diverged(AssertionError):
    """A replay gave other commands than the history holds (INVARIANTS D1)."""


class LeftATrace(AssertionError):
    """A rejected update commanded something, which no history would show."""


@dataclass(frozen=True)
class Activated:
    """Jobs that came, and the commands that they led to."""

    activation: WorkflowActivation
    commands: Sequence[WorkflowCommand]


class History:
    """The activations of complete tasks."""

    def __init__(self) -> None:
        self._kept: list[tuple[WorkflowActivation, list[bytes]]] = []
        self._unresolved: dict[int, WorkflowCommand] = {}
        self._accepted: set[str] = set()

    @property
    def length(self) -> int:
        """How many activations it holds."""
        return len(self._kept)

    def write(self, task: Sequence[Activated], commands: Sequence[WorkflowCommand]) -> None:
        """Add a complete task, without the updates that it rejected."""
        rejected = self._rejected(commands)
        for one in task:
            for job in one.activation.jobs:
                if job.HasField("resolve_activity"):
                    self._unresolved.pop(job.resolve_activity.seq, None)
            for command in one.commands:
                if command.HasField("schedule_local_activity"):
                    self._unresolved[command.schedule_local_activity.seq] = command
            kept = _without(one.activation, rejected) if rejected else one.activation
            left = [c for c in one.commands if not _answers(c, rejected)]
            if not kept.jobs and left:
                raise LeftATrace(f"a rejected update led to {[_name(c) for c in left]}")
            if kept.jobs:
                self._kept.append((kept, _bytes(left)))

    def replay(self, instance: Instance) -> list[WorkflowCommand]:
        """Bring a new instance to the history's end; return the local activities still to do.

        Raises:
            Diverged: the code does something else than it did.
        """
        for no, (kept, expected) in enumerate(self._kept):
            activation = WorkflowActivation()
            activation.CopyFrom(kept)
            activation.is_replaying = True
            for job in activation.jobs:
                if job.HasField("do_update"):
                    job.do_update.run_validator = False
            commands = instance.activate(activation).successful.commands
            if _bytes(commands) != expected:
                raise Diverged(_difference(no, commands, expected))
        return [command for _, command in sorted(self._unresolved.items())]

    def _rejected(self, commands: Sequence[WorkflowCommand]) -> set[str]:
        """Return the updates that were rejected before they were accepted."""
        responses = [c.update_response for c in commands if c.HasField("update_response")]
        self._accepted |= {r.protocol_instance_id for r in responses if r.HasField("accepted")}
        refused = {r.protocol_instance_id for r in responses if r.HasField("rejected")}
        return refused - self._accepted


def _without(activation: WorkflowActivation, rejected: set[str]) -> WorkflowActivation:
    kept = WorkflowActivation()
    kept.CopyFrom(activation)
    jobs = [
        job
        for job in activation.jobs
        if not (job.HasField("do_update") and job.do_update.protocol_instance_id in rejected)
    ]
    del kept.jobs[:]
    kept.jobs.extend(jobs)
    return kept


def _answers(command: WorkflowCommand, rejected: set[str]) -> bool:
    response = command.update_response
    return command.HasField("update_response") and response.protocol_instance_id in rejected


def _bytes(commands: Sequence[WorkflowCommand]) -> list[bytes]:
    return [command.SerializeToString(deterministic=True) for command in commands]


def _name(command: WorkflowCommand) -> str:
    return str(command.WhichOneof("variant"))


def _difference(no: int, commands: Sequence[WorkflowCommand], expected: list[bytes]) -> str:
    was = []
    for one in expected:
        command = WorkflowCommand()
        command.ParseFromString(one)
        was.append(str(command)[:400])
    now = [str(command)[:400] for command in commands]
    return f"activation {no}: history {was}\nnow {now}"
