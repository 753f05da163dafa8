"""Refusing a command: the one way, so that its code reaches the caller."""

from typing import NoReturn

from temporalio.exceptions import ApplicationError


def refuse(code: str, message: str) -> NoReturn:
    """Refuse a command; the code reaches the caller."""
    raise ApplicationError(message, type=code, non_retryable=True)
