"""Three versions of one workflow. Alone here, because the sandbox reads a workflow's file anew."""

from temporalio import workflow


@workflow.defn(name="Order")
class Broken:
    """A version of the workflow with a programming error."""

    @workflow.run
    async def run(self, ref: dict[str, str]) -> str:
        return ref["no such field"]


@workflow.defn(name="Order")
class Waiting:
    """A version that waits."""

    @workflow.run
    async def run(self, ref: dict[str, str]) -> str:
        await workflow.sleep(3600)
        return ""


@workflow.defn(name="Order")
class Fixed:
    """The version that is deployed then; to ``Waiting``'s history it does not fit."""

    @workflow.run
    async def run(self, ref: dict[str, str]) -> str:
        return ref["order_id"]
