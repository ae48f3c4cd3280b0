"""Alive, ready, and the counters: what a supervisor reads, in every state the parts can be in."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from backend.app import create_app
from backend.bootstrap import Program
from backend.kernel.clock import FixedClock
from backend.kernel.dispatcher import Dispatcher
from backend.kernel.uow import Database
from backend.web_parts import Parts
from tests.factories.databases import make_database
from tests.factories.webapp import make_program, make_settings
from tests.services.ports import free_port


def ready(client: FlaskClient) -> tuple[int, dict[str, str]]:
    answer = client.get("/readyz")
    return answer.status_code, answer.get_json()["parts"]


@pytest.fixture
def client(database: Database, tmp_path: Path) -> FlaskClient:
    return create_app(make_program(database, tmp_path), Parts()).test_client()


def test_alive(client: FlaskClient) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.get_json()) == (200, {"status": "ok"})


def test_ready_follows_the_dispatchers_heartbeat(
    client: FlaskClient, database: Database, clock: FixedClock
) -> None:
    assert ready(client) == (503, {"database": "ok", "dispatcher": "never seen"})
    Dispatcher(database).beat()
    assert ready(client) == (200, {"database": "ok", "dispatcher": "ok"})
    clock.advance(dt.timedelta(seconds=29))
    assert ready(client)[0] == 200
    clock.advance(dt.timedelta(seconds=1))
    assert ready(client) == (503, {"database": "ok", "dispatcher": "late"})
    Dispatcher(database).beat()
    assert ready(client)[0] == 200


def test_a_database_that_is_away_is_named(tmp_path: Path, clock: FixedClock) -> None:
    away = make_database(f"postgresql+psycopg://postgres@127.0.0.1:{free_port()}/x", clock)
    client = create_app(make_program(away, tmp_path), Parts()).test_client()
    assert ready(client) == (503, {"database": "away", "dispatcher": "unknown"})
    assert client.get("/healthz").status_code == 200


def test_a_database_without_its_schema_is_not_ready(tmp_path: Path, clock: FixedClock) -> None:
    empty = make_database(f"sqlite:///{tmp_path / 'empty.db'}", clock)
    client = create_app(make_program(empty, tmp_path), Parts()).test_client()
    assert ready(client)[0] == 503
    empty.engine.dispose()


def test_redis_is_asked_when_it_is_used(
    sqlite_database: Database, tmp_path: Path, redis_url: str
) -> None:
    Dispatcher(sqlite_database).beat()
    assert ready(with_redis(sqlite_database, tmp_path, redis_url)) == (
        200,
        {"database": "ok", "dispatcher": "ok", "redis": "ok"},
    )


#: Redis goes with PostgreSQL; what these tests ask lies in the database they bring.
POSTGRES = "postgresql+psycopg://postgres@127.0.0.1/x"


def with_redis(database: Database, folder: Path, url: str) -> FlaskClient:
    """The application without a message queue of its own: readiness alone is asked for."""
    plain = make_program(database, folder)
    app = create_app(plain, Parts())
    app.extensions["xinglin"].settings = make_settings(folder, database_url=POSTGRES, redis_url=url)
    assert isinstance(plain, Program)
    return app.test_client()


def test_redis_that_is_away_is_named(sqlite_database: Database, tmp_path: Path) -> None:
    Dispatcher(sqlite_database).beat()
    client = with_redis(sqlite_database, tmp_path, f"redis://127.0.0.1:{free_port()}/0")
    assert ready(client) == (503, {"database": "ok", "dispatcher": "ok", "redis": "away"})


def test_the_counters_name_endpoints_not_addresses(client: FlaskClient) -> None:
    client.get("/nothing/110105196005040015")
    client.get("/healthz")
    text = client.get("/metrics").text
    assert 'xinglin_requests_total{endpoint="health.healthz",method="GET",status="200"}' in text
    assert 'endpoint="none"' in text
    assert "110105196005040015" not in text
