"""Structured logs: one JSON line each on standard error, with the request id and no personal data.

As a last line of defence, values under names that could carry personal data or secrets are dropped, numbers
that look like a resident's or a phone's are struck out of every text, and so are the row contents that
PostgreSQL adds to its messages.
"""

from __future__ import annotations

import logging
import os
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

FORBIDDEN = frozenset(
    {"name", "patient_name", "phone", "id_number", "address", "card", "token", "password", "credential",
     "authorization", "cookie", "code_url", "body"}
)  # fmt: skip


_PERSONAL = re.compile(
    r"(?<![0-9A-Za-z-])(?:\d{17}[0-9Xx]|1[3-9]\d{9})(?![0-9A-Za-z-])"  # resident number, mobile phone
    r"|(?<=DETAIL:)[^\n]*"  # the row a constraint of PostgreSQL refused, value by value
)
Entry = MutableMapping[str, Any]


def _drop_personal(_logger: Any, _method: str, entry: Entry) -> Entry:
    return {key: "[dropped]" if key in FORBIDDEN else _clean(value) for key, value in entry.items()}


def _clean(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: "[dropped]" if key in FORBIDDEN else _clean(inner) for key, inner in value.items()
        }
    if isinstance(value, list | tuple):
        return [_clean(inner) for inner in value]
    return _PERSONAL.sub("[dropped]", value) if isinstance(value, str) else value


def _strike_out(_logger: Any, _method: str, entry: Entry) -> Entry:
    """Once more over everything, now that exceptions and foreign messages have become text."""
    return {key: _clean(value) for key, value in entry.items()}


def _add_process(_logger: Any, _method: str, entry: Entry) -> Entry:
    """Which process of several spoke."""
    entry["pid"] = os.getpid()
    return entry


def configure(level: str = "INFO") -> None:
    """Set up structlog and send the standard library's records the same way."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add_process,
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
                _strike_out,
                structlog.processors.JSONRenderer(ensure_ascii=False, default=str),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for noisy in ("werkzeug", "engineio", "socketio", "huey", "urllib3", "geventwebsocket"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
