"""What an order leaves in Temporal: events by kind, and bytes as the server counts them."""

from collections import Counter
from dataclasses import dataclass

from temporalio.api.enums.v1 import EventType
from temporalio.client import Client


@dataclass(frozen=True)
class History:
    """One ended workflow's history. ``timers`` counts timers started, ended by firing or not."""

    events: int
    size: int
    kinds: dict[str, int]

    @property
    def calls(self) -> int:
        """Normal activities: the external calls."""
        return self.kinds.get("ACTIVITY_TASK_SCHEDULED", 0)

    @property
    def timers(self) -> int:
        """Timers started."""
        return self.kinds.get("TIMER_STARTED", 0)

    @property
    def fired(self) -> int:
        """Timers that ran out; the others were cancelled when what they guarded came in time."""
        return self.kinds.get("TIMER_FIRED", 0)


async def history_of(client: Client, workflow: str) -> History:
    """Fetch and count one history."""
    handle = client.get_workflow_handle(workflow)
    fetched = await handle.fetch_history()
    described = await handle.describe()
    kinds = Counter(
        EventType.Name(event.event_type).removeprefix("EVENT_TYPE_") for event in fetched.events
    )
    size = described.raw_description.workflow_execution_info.history_size_bytes
    return History(events=len(fetched.events), size=size, kinds=dict(kinds))
