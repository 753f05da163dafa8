"""The SDK's own workflow instance, driven by us: the only file that touches its private classes.

Tried on temporalio 1.35. ``test_sdk_instance.py`` says what is missing after an upgrade.
"""

import asyncio
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from temporalio import activity, workflow
from temporalio.api.common.v1 import Payloads
from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.common import Priority, TypedSearchAttributes
from temporalio.worker import UnsandboxedWorkflowRunner
from temporalio.worker import _workflow_instance as sdk

from adapters.temporal.converter import data_converter
from contracts.orders import ORDERS, WORKFLOW
from domain.errors import DomainError

CONVERTER = data_converter(None)
PAYLOADS = CONVERTER.payload_converter
FAILURES = CONVERTER.failure_converter
SINGLE_BATCH = int(sdk._WorkflowLogicFlag.PROCESS_WORKFLOW_ACTIVATION_JOBS_AS_SINGLE_BATCH)
"""With this flag all jobs of an activation are applied before any workflow code runs."""

DETAILS_WE_FILL = frozenset(
    {
        "payload_converter_factory",
        "failure_converter_class",
        "interceptor_classes",
        "defn",
        "info",
        "randomness_seed",
        "extern_functions",
        "disable_eager_activity_execution",
        "worker_level_failure_exception_types",
        "patch_activation_callback",
        "last_completion_result",
        "last_failure",
        "default_workflow_logic_flags",
    }
)
_RUNNER = UnsandboxedWorkflowRunner()
_LOOP = asyncio.new_event_loop()
_NOTHING = Payloads()
_EXTERN: dict[str, Callable[..., Any]] = {
    "__temporal_get_metric_meter": lambda: None,
    "__temporal_assert_local_activity_valid": lambda name: None,
}
"""What workflow code may call outside of its instance; a worker fills these in."""


class TaskFailed(AssertionError):
    """Workflow code raised what no workflow may raise: the order would stand still for ever."""


class Instance:
    """One workflow run in memory. ``activate`` takes jobs and gives commands."""

    def __init__(self, cls: type, workflow_id: str, seed: int, started: datetime) -> None:
        defn = workflow._Definition.must_from_class(cls)
        with _running(_LOOP):
            self._run = _RUNNER.create_instance(
                sdk.WorkflowInstanceDetails(
                    payload_converter_factory=CONVERTER.payload_converter_class,
                    failure_converter_class=CONVERTER.failure_converter_class,
                    interceptor_classes=[],
                    defn=defn,
                    info=_info(workflow_id, started),
                    randomness_seed=seed,
                    extern_functions=_EXTERN,
                    disable_eager_activity_execution=True,
                    worker_level_failure_exception_types=[DomainError],
                    patch_activation_callback=None,
                    last_completion_result=_NOTHING,
                    last_failure=None,
                )
            )

    def activate(self, activation: WorkflowActivation) -> WorkflowActivationCompletion:
        """Run workflow code.

        Raises:
            TaskFailed: it failed the workflow task.
        """
        done = self._run.activate(activation)
        if done.HasField("failed"):
            raise TaskFailed(done.failed.failure.message + "\n" + _trace(done.failed.failure))
        return done

    @property
    def order(self) -> Any:
        """The workflow object itself, to be looked at; None before its first activation."""
        return self._run._object  # type: ignore[attr-defined]

    def evict(self) -> None:
        """Drop the run from memory, as a worker's cache does."""
        activation = WorkflowActivation(run_id="evicted")
        activation.jobs.add().remove_from_cache.SetInParent()
        self._run.activate(activation)


def activation_at(workflow_id: str, now: datetime, batch: bool) -> WorkflowActivation:
    """Return an empty activation at a time, with the SDK's batching flag on or off."""
    activation = WorkflowActivation(run_id=workflow_id)
    activation.timestamp.FromDatetime(now)
    if batch:
        activation.available_internal_flags.append(SINGLE_BATCH)
    return activation


def activity_of(method: Callable[..., Any]) -> tuple[str, type]:
    """Return the name of an activity and the type of its only argument."""
    found = activity._Definition.must_from_callable(method)
    assert found.name, method
    assert found.arg_types, method
    return found.name, found.arg_types[0]


@contextmanager
def _running(loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    """Let a loop count as running: the SDK asks for one when an instance is made."""
    asyncio._set_running_loop(loop)
    try:
        yield
    finally:
        asyncio._set_running_loop(None)


def _info(workflow_id: str, started: datetime) -> workflow.Info:
    known: dict[str, Any] = {
        "attempt": 1,
        "first_execution_run_id": workflow_id,
        "original_execution_run_id": workflow_id,
        "run_id": workflow_id,
        "workflow_id": workflow_id,
        "headers": {},
        "raw_memo": {},
        "search_attributes": {},
        "typed_search_attributes": TypedSearchAttributes.empty,
        "namespace": "simulated",
        "priority": Priority.default,
        "start_time": started,
        "workflow_start_time": started,
        "task_queue": ORDERS,
        "task_timeout": timedelta(seconds=10),
        "workflow_type": WORKFLOW,
    }
    return workflow.Info(**{name: known.get(name) for name in INFO_FIELDS})


INFO_FIELDS = tuple(inspect.signature(workflow.Info).parameters)


def _trace(failure: Any) -> str:
    trace = failure.stack_trace
    if failure.HasField("encoded_attributes"):
        said = PAYLOADS.from_payloads([failure.encoded_attributes])[0]
        trace = f"{said.get('message')}\n{said.get('stack_trace')}"
    return str(trace)
