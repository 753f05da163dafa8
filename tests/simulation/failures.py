"""Why a step failed, as the server tells a workflow. Built by hand: quick, and without traces."""

from datetime import timedelta

from temporalio.api.common.v1 import ActivityType
from temporalio.api.enums.v1 import RetryState, TimeoutType
from temporalio.api.failure.v1 import Failure
from temporalio.exceptions import ApplicationError

TIMED_OUT = RetryState.RETRY_STATE_TIMEOUT
FINAL = RetryState.RETRY_STATE_NON_RETRYABLE_FAILURE


def refusal(error: ApplicationError) -> Failure:
    """Return what an activity raised."""
    failure = Failure(message=error.message, source="PythonSDK")
    info = failure.application_failure_info
    info.type, info.non_retryable = error.type or "", error.non_retryable
    if error.next_retry_delay:
        info.next_retry_delay.FromTimedelta(error.next_retry_delay)
    return failure


def timeout(kind: "TimeoutType.ValueType", last: Failure | None) -> Failure:
    """Return that nothing was heard of an attempt in time."""
    failure = Failure(message="activity timeout", source="Server")
    failure.timeout_failure_info.timeout_type = kind
    if last is not None:
        failure.cause.CopyFrom(last)
    return failure


def start_to_close() -> Failure:
    """Return that one attempt took too long."""
    return timeout(TimeoutType.TIMEOUT_TYPE_START_TO_CLOSE, None)


def schedule_to_close(last: Failure | None) -> Failure:
    """Return that all attempts together took too long."""
    return timeout(TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_CLOSE, last)


def cancelled() -> Failure:
    """Return that the workflow cancelled the step."""
    failure = Failure(message="Cancelled", source="Server")
    failure.canceled_failure_info.SetInParent()
    return failure


def step_failed(name: str, activity_id: str, cause: Failure, state: int) -> Failure:
    """Wrap a cause in what the workflow sees: a failed activity."""
    failure = Failure(message="Activity task failed", source="Server", cause=cause)
    info = failure.activity_failure_info
    info.activity_type.CopyFrom(ActivityType(name=name))
    info.activity_id = activity_id
    info.retry_state = state  # type: ignore[assignment]
    return failure


def wait_before(error: ApplicationError) -> float | None:
    """Return the seconds that a provider asked to be left alone."""
    delay: timedelta | None = error.next_retry_delay
    return delay.total_seconds() if delay else None
