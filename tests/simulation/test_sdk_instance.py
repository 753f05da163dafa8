"""The SDK's private classes that the simulator drives: what an upgrade must be looked at for."""

import dataclasses
import inspect

from temporalio.bridge.proto.workflow_activation import WorkflowActivation, WorkflowActivationJob
from temporalio.bridge.proto.workflow_commands import WorkflowCommand
from temporalio.worker import _workflow_instance as sdk

from tests.simulation.instance import DETAILS_WE_FILL, SINGLE_BATCH

HOW = "temporalio has changed; look at tests/simulation/instance.py: "


def test_the_details_of_a_workflow_instance_are_those_we_fill() -> None:
    fields = {field.name for field in dataclasses.fields(sdk.WorkflowInstanceDetails)}
    assert fields == DETAILS_WE_FILL, f"{HOW}{sorted(fields ^ DETAILS_WE_FILL)}"


def test_activations_and_commands_have_the_fields_we_use() -> None:
    jobs = {field.name for field in WorkflowActivationJob.DESCRIPTOR.fields}
    wanted = {
        "initialize_workflow", "fire_timer", "do_update", "signal_workflow", "cancel_workflow",
        "resolve_activity", "remove_from_cache", "query_workflow",
    }  # fmt: skip
    assert wanted <= jobs, f"{HOW}jobs {sorted(wanted - jobs)}"
    commands = {field.name for field in WorkflowCommand.DESCRIPTOR.fields}
    wanted = {
        "schedule_activity", "schedule_local_activity", "start_timer", "cancel_timer",
        "update_response", "complete_workflow_execution", "fail_workflow_execution",
    }  # fmt: skip
    assert wanted <= commands, f"{HOW}commands {sorted(wanted - commands)}"
    assert "available_internal_flags" in WorkflowActivation.DESCRIPTOR.fields_by_name, HOW


def test_the_batching_flag_is_known_and_still_off_by_default() -> None:
    assert SINGLE_BATCH == 2, HOW
    on = sdk._DEFAULT_ENABLED_WORKFLOW_LOGIC_FLAGS
    assert SINGLE_BATCH not in on, f"{HOW}the flag is on by default: new histories use it"
    assert "_single_batch_activation" in inspect.getsource(sdk._WorkflowInstanceImpl.activate), HOW
