"""The whole way through a real Temporal server: its answers and its database hold no clear text."""

import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from temporalio import activity, workflow
from temporalio.client import Client, WorkflowFailureError
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from adapters.settings import Settings
from adapters.temporal.client import connect
from adapters.temporal.converter import data_converter
from adapters.temporal.keys import KeyRing
from domain.order import Address

MARK = "QqJaneMarkedDoe"
PASSED = ("adapters", "contracts", "domain", "pydantic", "pydantic_core", "cryptography")


@activity.defn
async def greet(address: Address) -> Address:
    return address


@activity.defn
async def fail(address: Address) -> None:
    raise ApplicationError(f"no street for {address.name}", address, non_retryable=True)


@workflow.defn
class Marked:
    """Carries marked data through input, activity, memo, update, result and failure."""

    def __init__(self) -> None:
        self.seen = Address()

    @workflow.run
    async def run(self, address: Address) -> Address:
        await workflow.wait_condition(lambda: self.seen.name != "")
        workflow.upsert_memo({"who": address})
        brief = timedelta(seconds=10)
        await workflow.execute_activity(greet, address, start_to_close_timeout=brief)
        await workflow.execute_activity(fail, address, start_to_close_timeout=brief)
        return address

    @workflow.update
    async def meet(self, address: Address) -> Address:
        self.seen = address
        return address


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[tuple[WorkflowEnvironment, Path]]:
    database = tmp_path / "temporal.sqlite"
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=str(Path(sys.executable).with_name("temporal")),
        dev_server_database_filename=str(database),
    ) as environment:
        yield environment, database


async def test_nothing_marked_is_found_in_history_or_database(
    server: tuple[WorkflowEnvironment, Path], ring: KeyRing, old_ring: KeyRing
) -> None:
    environment, database = server
    address = environment.client.service_client.config.target_host
    client = await Client.connect(address, data_converter=data_converter(old_ring))
    where = Address(name=MARK, line1=f"{MARK} street")
    runner = SandboxedWorkflowRunner(
        restrictions=SandboxRestrictions.default.with_passthrough_modules(*PASSED)
    )
    async with Worker(
        client,
        task_queue="safety",
        workflows=[Marked],
        activities=[greet, fail],
        workflow_runner=runner,
    ):
        handle = await client.start_workflow(
            Marked.run, where, id=f"order/{uuid4()}", task_queue="safety", memo={"note": MARK}
        )
        assert await handle.execute_update(Marked.meet, where) == where
        with pytest.raises(WorkflowFailureError) as failed:
            await handle.result()
    assert MARK in str(failed.value.cause.__cause__)

    rotated = await Client.connect(address, data_converter=data_converter(ring))
    stored = await rotated.get_workflow_handle(handle.id).fetch_history()
    assert MARK not in stored.to_json()
    described = await rotated.get_workflow_handle(handle.id).describe()
    assert (await described.memo())["note"] == MARK
    files = [path for path in database.parent.iterdir() if path.name.startswith(database.name)]
    assert any(path.stat().st_size > 100_000 for path in files)
    assert not any(MARK.encode() in path.read_bytes() for path in files)


async def test_settings_lead_to_a_client(server: tuple[WorkflowEnvironment, Path]) -> None:
    address = server[0].client.service_client.config.target_host
    client = await connect(Settings(mode="demo", temporal_address=address))
    assert client.data_converter.payload_codec is not None
    assert await client.service_client.check_health()


async def test_a_lazy_client_needs_no_server() -> None:
    settings = Settings(mode="demo", temporal_address="127.0.0.1:1", temporal_api_key="k")
    assert (await connect(settings, lazy=True)).namespace == "default"
