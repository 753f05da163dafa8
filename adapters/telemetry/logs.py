"""Logging: one JSON object a line, bound to its order, with nothing personal in it.

Everything goes through here, also what uvicorn, temporalio and SQLAlchemy say by the standard
library. Configure once, first thing in a process; run uvicorn with ``log_config=None``.
"""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

import structlog
from structlog.types import EventDict, Processor, WrappedLogger

from adapters.telemetry.redaction import redact, redact_text

QUIET = ("uvicorn.access", "httpx", "httpcore", "stripe", "aiosqlite", "multipart")
"""They print addresses of requests, which hold ids of customers and tokens of links."""
OURS = frozenset({"event", "level", "timestamp", "logger", "exception", "stack"})


def configure(level: str = "INFO", stream: TextIO | None = None) -> None:
    """Send all logging of this process as JSON lines to ``stream`` (default: stdout)."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_shared(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream or sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[
                structlog.stdlib.ExtraAdder(allow=["temporal_workflow", "temporal_activity"]),
                *_shared(),
            ],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.StackInfoRenderer(),
                structlog.processors.format_exc_info,
                redact_event,
                structlog.processors.JSONRenderer(sort_keys=False, ensure_ascii=False),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in list(logging.root.manager.loggerDict):
        if name.split(".")[0] in ("uvicorn", "temporalio", "sqlalchemy", "alembic", "fastapi"):
            logging.getLogger(name).handlers[:] = []
            logging.getLogger(name).propagate = True
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.captureWarnings(True)


@contextmanager
def about(order_id: str) -> Iterator[None]:
    """Bind an order to every line that is logged inside, in this task and what it starts."""
    with structlog.contextvars.bound_contextvars(order_id=order_id):
        yield


def redact_event(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """The last processor: let nothing personal or secret through, whoever logged it."""
    return {
        redact_text(str(name)): redact_text(str(value)) if name in OURS else redact(name, value)
        for name, value in event.items()
    }


def _shared() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.PositionalArgumentsFormatter(),
    ]
