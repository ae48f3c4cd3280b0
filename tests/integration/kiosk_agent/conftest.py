"""Real files, real HTTP: a backend that follows the contract, a journal, a client."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosk_agent.client import BackendClient
from kiosk_agent.journal import Journal
from tests.factories.kiosk_backend import CREDENTIAL, KioskBackend, running_backend


@pytest.fixture
def backend() -> Iterator[KioskBackend]:
    """The backend as the contract describes it."""
    with running_backend() as state:
        yield state


@pytest.fixture
def client(backend: KioskBackend) -> BackendClient:
    """An enrolled client that does not really rest between repeats."""
    return BackendClient(backend.url, credential=CREDENTIAL, sleep=lambda _seconds: None)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """An empty journal."""
    found = Journal(tmp_path / "journal.sqlite3")
    yield found
    found.close()
