"""Replaying every history of a run on the present code (INVARIANTS D1).

A kill may leave a history that the next worker cannot read; it would be seen only when the order is
taken over once more.
"""

from temporalio.client import Client
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner

from adapters.temporal.converter import data_converter
from adapters.temporal.keys import KeyRing
from cli.addresses import Addresses
from cli.installation import Installation
from workflows.order import Order


async def unreplayable(installation: Installation, addresses: Addresses) -> list[str]:
    """Return the orders whose history does not replay, each with the reason."""
    converter = data_converter(KeyRing.parse(installation.secret("encryption_keys")))
    client = await Client.connect(addresses.temporal_address, data_converter=converter)
    replayer = Replayer(
        workflows=[Order],
        data_converter=converter,
        workflow_runner=UnsandboxedWorkflowRunner(),
    )
    histories = client.list_workflows().map_histories()
    results = await replayer.replay_workflows(histories, raise_on_replay_failure=False)
    failures = results.replay_failures
    names = {run.run_id: run.id async for run in client.list_workflows()} if failures else {}
    return [f"{names.get(run, run)}: {str(why)[:300]}" for run, why in failures.items()]
