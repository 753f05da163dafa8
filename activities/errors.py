"""The one place where an error becomes what Temporal shall do about it.

A ``DomainError`` is final (non-retryable, its code is the type); ``ProviderUnavailable`` is tried
again, after the provider's own wish when it names one.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from temporalio.exceptions import ApplicationError

from domain.errors import DomainError, ProviderUnavailable

LONGEST_MESSAGE = 500


@contextmanager
def translated() -> Iterator[None]:
    """Translate domain refusals and provider trouble for Temporal."""
    try:
        yield
    except DomainError as refused:
        raise ApplicationError(
            str(refused)[:LONGEST_MESSAGE], type=refused.code, non_retryable=True
        ) from None
    except ProviderUnavailable as trouble:
        wait = trouble.retry_after
        raise ApplicationError(
            str(trouble)[:LONGEST_MESSAGE],
            type="unavailable",
            next_retry_delay=timedelta(seconds=wait) if wait else None,
        ) from None
