"""A database that is away is said as such, to people and to programs; nobody sees its message."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Blueprint
from sqlalchemy.exc import OperationalError

from backend.kernel.uow import Database
from backend.kernel.web import public
from tests.factories.webapp import ActorSwitch, make_app


@pytest.mark.parametrize("path", ["/page", "/api/thing"])
def test_503_with_the_next_step(sqlite_database: Database, tmp_path: Path, path: str) -> None:
    blueprint = Blueprint("away", __name__)

    @blueprint.get(path)
    @public("a test")
    def view() -> str:
        raise OperationalError("SELECT secret", None, ConnectionError("server closed secret"))

    client = make_app(sqlite_database, tmp_path, ActorSwitch(), blueprint).test_client()
    answer = client.get(path)
    assert answer.status_code == 503
    assert "服务暂时不可用" in (answer.get_json()["title"] if answer.is_json else answer.text)
    assert "secret" not in answer.text
    if answer.is_json:
        assert answer.get_json()["code"] == "database_unavailable"
