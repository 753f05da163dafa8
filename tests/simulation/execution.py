"""One order's run as server and worker see it: events, workflow tasks, commands, timers, updates.

Faithful where it matters: events gather while no worker takes them and come in one activation; what
a task commands counts only when the task is complete; a task that is lost is done again, its local
activities too; a rejected update leaves no trace; an end that overlooks an event is refused.
"""

from collections.abc import Sequence
from typing import Any

from temporalio.bridge.proto.workflow_commands import WorkflowCommand

from contracts.orders import WORKFLOW, OrderRef, workflow_id
from tests.simulation.clock import Appointment
from tests.simulation.history import Activated, History
from tests.simulation.instance import PAYLOADS, Instance, activation_at
from tests.simulation.plant import Plant
from tests.simulation.steps import Step
from tests.simulation.tasks import ENDS, Job, Task, ends, resolved
from tests.simulation.updates import Answer, Told, Updates


class Execution:
    """The run of one order."""

    def __init__(self, plant: Plant, workflow: type, ref: OrderRef, seed: int, batch: bool) -> None:
        self.plant = plant
        self.order_id = ref.order_id
        self.workflow = workflow
        self.seed = seed
        self.batch = batch
        self.started_at = plant.agenda.now()
        self.instance: Instance | None = None
        self.task: Task | None = None
        self.history = History()
        self.updates = Updates()
        self.steps: dict[int, Step] = {}
        self.timers: dict[int, Appointment] = {}
        self.ended = ""
        self.result: Any = None
        self.tasks_done = 0
        self._inbox: list[Job] = []
        self._wake: Appointment | None = None
        self._owed = False
        self._signals = 0
        job = Job()
        start = job.initialize_workflow
        start.workflow_type, start.workflow_id = WORKFLOW, workflow_id(self.order_id)
        start.randomness_seed, start.attempt = seed, 1
        start.arguments.extend(PAYLOADS.to_payloads([ref]))
        start.start_time.FromDatetime(self.started_at)
        self._event(job)

    @property
    def goes_on(self) -> bool:
        """Whether anything is due that will wake the order by itself."""
        return bool(self.timers or self.steps or self._inbox)

    # what reaches the order from outside

    def signal(self, name: str, value: Any) -> bool:
        """Send a signal; False when the order has ended."""
        if self.ended:
            return False
        job = Job()
        self._signals += 1
        job.signal_workflow.signal_name = name
        job.signal_workflow.originating_event_id = self._signals
        job.signal_workflow.input.extend(PAYLOADS.to_payloads([value]))
        self._event(job)
        return True

    def ask(self, name: str, value: Any, update_id: str, told: Told) -> None:
        """Send an update; the answer comes when the task that gives it is complete."""
        if self.ended:
            told(Answer("not_found"))
        elif self.updates.join(update_id, name, told):
            job = Job()
            job.do_update.id = update_id
            job.do_update.protocol_instance_id = self.updates.attempt(update_id)
            job.do_update.name = name
            job.do_update.run_validator = True
            job.do_update.input.extend(PAYLOADS.to_payloads([value]))
            self._event(job)

    def stop(self) -> None:
        """Cancel the workflow itself, as an operator may in the Temporal UI."""
        if not self.ended:
            job = Job()
            job.cancel_workflow.reason = "stopped by an operator"
            self._event(job)

    def _event(self, job: Job) -> None:
        self._inbox.append(job)
        self._arrange()

    def _arrange(self) -> None:
        """Have a worker take the next workflow task."""
        if self.ended or self.task or self._wake or not (self._inbox or self._owed):
            return
        self._wake = self.plant.when_at_work(self.plant.luck.task_delay(), self._open)

    # workflow tasks

    def _open(self) -> None:
        self._wake = None
        if not self.plant.at_work:
            self._arrange()
            return
        events, self._inbox, self._owed = self._inbox, [], False
        self._shuffle(events)
        self.task = Task(events)
        self.plant.at_hand = self.order_id
        self._revive()
        if events:
            self._activate(events)
        elif not self.task.locals:
            self._complete()

    def _shuffle(self, events: list[Job]) -> None:
        if len(events) > 1:
            self.plant.luck.count("several jobs in one activation")
            first = events.pop(0) if events[0].HasField("initialize_workflow") else None
            self.plant.luck.rng.shuffle(events)
            if first:
                events.insert(0, first)

    def _activate(self, jobs: Sequence[Job]) -> None:
        assert self.task
        assert self.instance
        activation = activation_at(self.order_id, self.plant.agenda.now(), self.batch)
        activation.jobs.extend(jobs)
        completion = self.instance.activate(activation)
        commands = list(completion.successful.commands)
        self.plant.trace(activation, completion)
        self.plant.tell(self, activation, commands)
        self.task.activated.append(Activated(activation, commands))
        for command in commands:
            if command.HasField("schedule_local_activity"):
                self._do_here(command)
            elif not command.HasField("request_cancel_local_activity"):
                self.task.commands.append(command)
        if not self.task.locals:
            self._complete()

    def _do_here(self, command: WorkflowCommand) -> None:
        assert self.task
        local = command.schedule_local_activity
        step = self.plant.steps.step(local, self._done_here)
        step.attempt = max(0, local.attempt - 1)
        self.task.locals[step.seq] = step
        self.plant.steps.do_here(step)

    def _done_here(self, step: Step) -> None:
        if self.task is None or self.task.locals.get(step.seq) is not step:
            return
        luck = self.plant.luck
        if luck.strikes(luck.weather.task_lost):
            luck.count("worker dies in a workflow task")
            self.lose_task()
            return
        del self.task.locals[step.seq]
        jobs = [resolved(step, True)]
        if self._inbox and luck.strikes(luck.weather.heartbeat):
            luck.count("task with a heartbeat: events come between its steps")
            self._complete(heartbeat=True)
            events, self._inbox = self._inbox, []
            self.task.events += events
            jobs += events
            luck.rng.shuffle(jobs)
        self._activate(jobs)

    def _complete(self, heartbeat: bool = False) -> None:
        """Report a task: from here on it is history, and its commands are carried out."""
        task = self.task
        assert task
        if ends(task.commands) and any(not job.HasField("do_update") for job in self._inbox):
            self.plant.luck.count("end refused: an event had come meanwhile")
            self.lose_task()
            return
        self.history.write(task.activated, task.commands)
        commands, task.commands, task.activated, task.events = task.commands, [], [], []
        if not heartbeat:
            self.task = None
            self.tasks_done += 1
        for command in commands:
            self._carry_out(command)
        if heartbeat:
            return
        self.plant.completed(self)
        if not self.ended:
            if self.plant.luck.strikes(self.plant.luck.weather.evicted):
                self.forget()
            self._arrange()

    # what a task commands

    def _carry_out(self, command: WorkflowCommand) -> None:
        kind = command.WhichOneof("variant")
        if kind == "start_timer":
            timer = command.start_timer
            seconds = timer.start_to_fire_timeout.ToTimedelta().total_seconds()
            self.timers[timer.seq] = self.plant.agenda.after(seconds, self._fire, timer.seq)
        elif kind == "cancel_timer":
            self._cancel_timer(command.cancel_timer.seq)
        elif kind == "schedule_activity":
            step = self.plant.steps.step(command.schedule_activity, self._done_outside)
            self.steps[step.seq] = step
            self.plant.scheduled(self, step)
            self.plant.steps.schedule(step)
        elif kind == "request_cancel_activity":
            self.plant.steps.cancel(self.steps[command.request_cancel_activity.seq])
        elif kind == "update_response":
            self.updates.respond(command.update_response)
        elif kind in ENDS:
            self._end(kind, command)

    def _fire(self, seq: int) -> None:
        if self.timers.pop(seq, None):
            job = Job()
            job.fire_timer.seq = seq
            self._event(job)

    def _cancel_timer(self, seq: int) -> None:
        timer = self.timers.pop(seq, None)
        if timer:
            timer.cancel()
        self._inbox = [
            job
            for job in self._inbox
            if not (job.HasField("fire_timer") and job.fire_timer.seq == seq)
        ]

    def _done_outside(self, step: Step) -> None:
        if self.steps.pop(step.seq, None) and not self.ended:
            self.plant.finished(self, step)
            self._event(resolved(step, False))

    def _end(self, kind: str, command: WorkflowCommand) -> None:
        self.ended = kind
        if kind == ENDS[0]:
            self.result = PAYLOADS.from_payloads([command.complete_workflow_execution.result])[0]
        elif kind == ENDS[1]:
            self.result = command.fail_workflow_execution.failure.message
        for timer in self.timers.values():
            timer.cancel()
        self.timers.clear()
        self.updates.close()

    # loss and replay

    def lose_task(self) -> None:
        """Lose an open task: its events are delivered again, what it did here is done again."""
        if self.task:
            self._inbox = self.task.events + self._inbox
            for step in self.task.locals.values():
                step.done = True
            self.task, self._owed = None, True
        self.forget()
        self._arrange()

    def forget(self) -> None:
        """Drop the run from the worker's memory."""
        if self.instance:
            self.instance.evict()
            self.instance = None

    def _revive(self) -> None:
        """Have the run in memory: bring a new one to where the history ends."""
        if self.instance:
            return
        name = workflow_id(self.order_id)
        self.instance = Instance(self.workflow, name, self.seed, self.started_at)
        if self.history.length:
            self.plant.luck.count("replay")
            for command in self.history.replay(self.instance):
                self._do_here(command)
