"""All that the API says to Temporal: start an order, command it, tell it, ask it.

Two id policies together keep an order from ever running twice (TEMPORAL.md T8): a running one is
used, an ended one refuses. Updates carry the request's key as their id, so asking again after
silence gives the first answer (T7); with no worker nothing was stored, and silence says so.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any, NoReturn

from temporalio.client import (
    Client,
    WorkflowHandle,
    WorkflowQueryFailedError,
    WorkflowQueryRejectedError,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.common import (
    SearchAttributeKey,
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from api.deps import A, OrderNotRunning
from contracts.commands import Milestone
from contracts.orders import ORDERS, WORKFLOW, OrderRef, workflow_id
from domain.errors import DomainError, ProviderUnavailable
from domain.frozen import Wire
from domain.order import Order
from domain.progress import OrderProgress

PATIENCE = timedelta(seconds=5)

CHANNEL = SearchAttributeKey.for_keyword("WaybillChannel")
STATUS = SearchAttributeKey.for_keyword("WaybillStatus")

_ENDED = frozenset(
    {"order_ended", "AcceptedUpdateCompletedWorkflow", "WorkflowUpdateCompletedWorkflow"}
)


class OrdersAway(ProviderUnavailable):
    """Temporal or its workers did not answer in time; what was asked may be asked again."""


class TemporalOrders:
    """``api.deps.Orders`` over a Temporal client.

    Args:
        connect: makes the client; called at first use and again until it succeeds, so that the
            API starts, and takes orders in, while Temporal is away.
        attributes: search attributes that are registered; others are left out at start.
        patience: how long an answer is waited for.
    """

    def __init__(
        self,
        connect: Callable[[], Awaitable[Client]],
        queue: str = ORDERS,
        attributes: Sequence[str] = (CHANNEL.name, STATUS.name),
        patience: timedelta = PATIENCE,
    ) -> None:
        self._connect = connect
        self._queue = queue
        self._attributes = frozenset(attributes)
        self._patience = patience
        self._connected: Client | None = None

    async def start(self, ref: OrderRef, order: Order) -> None:
        """Start an order's process; one that runs, or has run, is left alone."""
        client = await self._client()
        try:
            await client.start_workflow(
                WORKFLOW,
                ref,
                id=workflow_id(ref.order_id),
                task_queue=self._queue,
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                search_attributes=self._searchable(order),
                static_summary=summary(order),
                rpc_timeout=self._patience,
            )
        except WorkflowAlreadyStartedError:
            return
        except RPCError as error:
            raise OrdersAway(f"start: {error.status.name}") from error

    async def command(
        self, order_id: str, name: str, request: Wire, answer: type[A], key: str
    ) -> A:
        """Send an update and await its answer; ``key`` is the update's id."""
        handle = await self._handle(order_id)
        try:
            found = await handle.execute_update(
                name, request, id=key, result_type=answer, rpc_timeout=self._patience
            )
        except WorkflowUpdateFailedError as error:
            _refused(error)
        except WorkflowUpdateRPCTimeoutOrCancelledError as error:
            raise OrdersAway("no worker answered in time") from error
        except RPCError as error:
            _failed(error)
        return answer.model_validate(found)

    async def milestone(self, order_id: str, milestone: Milestone) -> None:
        """Send the one signal; stored by Temporal even while no worker runs."""
        handle = await self._handle(order_id)
        try:
            await handle.signal("milestone", milestone, rpc_timeout=self._patience)
        except RPCError as error:
            _failed(error)

    async def progress(self, order_id: str) -> OrderProgress:
        """Query how far the order is; needs a worker."""
        handle = await self._handle(order_id)
        try:
            found = await handle.query(
                "progress", result_type=OrderProgress, rpc_timeout=self._patience
            )
        except (WorkflowQueryFailedError, WorkflowQueryRejectedError) as error:
            raise OrdersAway("the order does not answer yet") from error
        except RPCError as error:
            _failed(error)
        return OrderProgress.model_validate(found)

    async def ready(self) -> bool:
        """Whether Temporal answers."""
        try:
            client = await self._client()
            return await client.service_client.check_health(timeout=timedelta(seconds=2))
        except (OrdersAway, RPCError):
            return False

    async def _client(self) -> Client:
        if self._connected is None:
            try:
                self._connected = await asyncio.wait_for(
                    self._connect(), self._patience.total_seconds()
                )
            except (RuntimeError, TimeoutError) as error:  # what the SDK raises when it cannot
                raise OrdersAway("Temporal does not answer") from error
        return self._connected

    async def _handle(self, order_id: str) -> WorkflowHandle[Any, Any]:
        return (await self._client()).get_workflow_handle(workflow_id(order_id))

    def _searchable(self, order: Order) -> TypedSearchAttributes:
        pairs = (
            SearchAttributePair(CHANNEL, order.channel),
            SearchAttributePair(STATUS, "received"),
        )
        return TypedSearchAttributes([p for p in pairs if p.key.name in self._attributes])


def summary(order: Order) -> str:
    """Return one line for the Temporal UI, without anything personal."""
    units = sum(line.quantity for line in order.lines)
    number = order.number or order.external_id
    return f"{order.channel} #{number}: {units} units, {order.totals.total} {order.currency} minor"


def _refused(error: WorkflowUpdateFailedError) -> NoReturn:
    """Raise what the process answered: its refusal, or that it ended meanwhile."""
    cause = error.cause
    if not isinstance(cause, ApplicationError):
        raise OrderNotRunning("the order ended meanwhile") from error
    code = cause.type or "refused"
    if code in _ENDED:
        raise OrderNotRunning("the order ended meanwhile") from error
    raise DomainError(cause.message, code if code.islower() else "refused") from error


def _failed(error: RPCError) -> NoReturn:
    if error.status is RPCStatusCode.NOT_FOUND:
        raise OrderNotRunning("the order has no open process") from error
    raise OrdersAway(f"Temporal: {error.status.name}") from error
