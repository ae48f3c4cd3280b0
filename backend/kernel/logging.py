"""Structured logs: one JSON line each on standard error, with the request id and no personal data.

Values under names that could carry personal data or secrets are dropped as a last line of defence.
"""

from __future__ import annotations

import logging
import sys
from typing import Any

import structlog

FORBIDDEN = frozenset(
    {"name", "patient_name", "phone", "id_number", "address", "card", "token", "password", "credential",
     "authorization", "cookie", "code_url", "body"}
)  # fmt: skip


def _drop_personal(_logger: Any, _method: str, entry: dict[str, Any]) -> dict[str, Any]:
    return {key: "[dropped]" if key in FORBIDDEN else value for key, value in entry.items()}


def configure(level: str = "INFO") -> None:
    """Set up structlog and send the standard library's records the same way."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _drop_personal,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer(ensure_ascii=False, default=str),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for noisy in ("werkzeug", "engineio", "socketio", "huey", "urllib3", "geventwebsocket"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
