"""Behind a reverse proxy: live pages opened by https are let in, on the word of the trusted proxy alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.app import create_app
from backend.kernel.uow import Database
from backend.web_parts import Parts
from tests.factories.webapp import make_program


def is_let_in(database: Database, folder: Path, *, proxies: int, scheme: str) -> bool:
    """Whether Socket.IO takes a page of https://this-host for ours when the header says ``scheme``."""
    app = create_app(make_program(database, folder, trusted_proxies=proxies), Parts())
    answer = app.test_client().get(
        "/socket.io/?EIO=4&transport=websocket",
        headers={"Origin": "https://localhost", "X-Forwarded-Proto": scheme},
    )
    # Whoever passes the door is told that a plain request cannot become a WebSocket.
    refusals = {"Not an accepted origin.": False, "Invalid websocket upgrade": True}
    return refusals[answer.get_json(force=True)]


@pytest.mark.parametrize(
    ("proxies", "scheme"), [(1, "https"), (1, "http, https"), (2, "http, https")]
)
def test_a_page_by_https_is_let_in_behind_trusted_proxies(
    sqlite_database: Database, tmp_path: Path, proxies: int, scheme: str
) -> None:
    assert is_let_in(sqlite_database, tmp_path, proxies=proxies, scheme=scheme)


def test_without_a_trusted_proxy_the_last_word_counts_for_nothing(
    sqlite_database: Database, tmp_path: Path
) -> None:
    assert not is_let_in(sqlite_database, tmp_path, proxies=0, scheme="http, https")
