"""The yardstick: a workflow that makes no-op calls and waits for timers, and nothing else."""

import asyncio

from temporalio import activity, workflow

with workflow.unsafe.imports_passed_through():
    from datetime import timedelta

    from bench.words import say
    from contracts.orders import ORDERS
    from domain.frozen import Wire

QUEUE = f"bare-{ORDERS}"
LONGEST = timedelta(seconds=30)


class Load(Wire):
    """How much a bare workflow does: calls and timers, one after the other and in turn."""

    calls: int
    timers: int
    seconds: float = 1.0


class Step(Wire):
    """What a call is given: an id and a number, as ours are."""

    order_id: str
    n: int


class Answer(Wire):
    """What a call answers."""

    reference: str


@activity.defn(name="bare_step")
async def step(ask: Step) -> Answer:
    """Do nothing."""
    return Answer(reference=f"{ask.order_id}:{ask.n}")


@workflow.defn(name="Bare")
class Bare:
    """Makes its calls with its timers spread between them, and says when it is done."""

    @workflow.run
    async def run(self, load: Load) -> int:
        """Do as much as ``load`` says."""
        order_id = workflow.info().workflow_id
        waited = 0
        for n in range(load.calls):
            await workflow.execute_activity(
                step, Step(order_id=order_id, n=n), start_to_close_timeout=LONGEST
            )
            while waited < load.timers * (n + 1) // load.calls:
                waited += 1
                await asyncio.sleep(load.seconds)
        if not workflow.unsafe.is_replaying():
            say("done", order_id)
        return load.calls
