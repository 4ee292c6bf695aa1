"""Logging: one line of JSON an event, and every line, ours or a library's, passes through the redactor."""

from __future__ import annotations

import logging
import sys
from typing import Any

import structlog

from bot.redact import Redactor

_NOISY = ("aiohttp.access", "asyncio", "urllib3", "kubernetes", "httpx2", "httpcore2", "anthropic", "alembic")


def configure(redactor: Redactor, *, level: str, stream: Any = None) -> None:
    """Send all logging to ``stream`` (standard error): readable on a terminal, JSON lines everywhere else."""
    out = stream or sys.stderr
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    pretty = bool(getattr(out, "isatty", bool)())
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    last: Any = structlog.dev.ConsoleRenderer() if pretty else structlog.processors.JSONRenderer(ensure_ascii=False)
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                redactor.processor,
                last,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in _NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)
