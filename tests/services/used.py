"""Which real services this test run used, with their versions, for the summary at its end.

Fixtures call `record`; the hooks in `tests/conftest.py` carry the answers of xdist workers to
the controlling process, print them, and fail a run that demanded a service nobody used.
"""

from __future__ import annotations

_used: dict[str, str] = {}


def record(service: str, version: str) -> None:
    """Note that a test really used a service, for example ("pcscd", "1.9.9, virtual card")."""
    _used[service] = version


def used_services() -> dict[str, str]:
    """Return what was recorded in this process so far: service name → version."""
    return dict(_used)
