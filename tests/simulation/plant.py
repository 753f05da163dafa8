"""The workers of one shop, with their clock and their chance, and who watches them."""

import hashlib
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.bridge.proto.workflow_commands import WorkflowCommand
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion

from tests.simulation.clock import Agenda, Appointment
from tests.simulation.luck import Luck
from tests.simulation.steps import Step, Steps

if TYPE_CHECKING:
    from tests.simulation.execution import Execution


class Watcher:
    """Sees everything that orders do; watches what it likes."""

    def task_completed(self, execution: "Execution") -> None:
        """A workflow task is history now."""

    def step_scheduled(self, execution: "Execution", step: Step) -> None:
        """An activity goes to its task queue."""

    def step_finished(self, execution: "Execution", step: Step) -> None:
        """An activity's result goes to the order."""

    def activated(
        self,
        execution: "Execution",
        activation: WorkflowActivation,
        commands: Sequence[WorkflowCommand],
    ) -> None:
        """Workflow code has run."""


class Plant:
    """Where the orders of one shop are worked on."""

    def __init__(self, agenda: Agenda, luck: Luck, steps: Steps) -> None:
        self.agenda = agenda
        self.luck = luck
        self.steps = steps
        self.watchers: list[Watcher] = []
        self.executions: list[Execution] = []
        self._hash = hashlib.sha256()

    @property
    def at_work(self) -> bool:
        """Whether workers are there."""
        return self.agenda.now() >= self.steps.away_until

    def when_at_work(self, seconds: float, act: Callable[[], None]) -> Appointment:
        """Do something some seconds from now, or from when workers are back."""
        begin = max(self.agenda.now(), self.steps.away_until)
        return self.agenda.at(begin + timedelta(seconds=seconds), act)

    def die(self, away: float) -> None:
        """Kill all workers: every run is forgotten, every attempt lost; they stay away a while."""
        self.luck.count("all workers die")
        self.steps.workers_die(away)
        for execution in self.executions:
            if not execution.ended:
                execution.lose_task()

    def close(self) -> None:
        """Drop all runs from memory."""
        for execution in self.executions:
            execution.forget()

    def trace(self, activation: WorkflowActivation, done: WorkflowActivationCompletion) -> None:
        """Add an activation and its commands to the trace."""
        self._hash.update(activation.SerializeToString(deterministic=True))
        self._hash.update(done.SerializeToString(deterministic=True))

    @property
    def digest(self) -> bytes:
        """The hash of all that has happened."""
        return self._hash.digest()

    def tell(
        self,
        execution: "Execution",
        activation: WorkflowActivation,
        commands: Sequence[WorkflowCommand],
    ) -> None:
        """Tell the watchers that code has run."""
        for watcher in self.watchers:
            watcher.activated(execution, activation, commands)

    def completed(self, execution: "Execution") -> None:
        """Tell the watchers that a task is complete."""
        for watcher in self.watchers:
            watcher.task_completed(execution)

    def scheduled(self, execution: "Execution", step: Step) -> None:
        """Tell the watchers that an activity goes out."""
        for watcher in self.watchers:
            watcher.step_scheduled(execution, step)

    def finished(self, execution: "Execution", step: Step) -> None:
        """Tell the watchers that an activity came back."""
        for watcher in self.watchers:
            watcher.step_finished(execution, step)
