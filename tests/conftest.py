"""Fixtures for every test: traffic stays on this machine; real PostgreSQL, Redis and Chromium on
request, one of each a test process; databases, clock, subscribers. The rules of a whole run (no
test passed over, services named) are in `tests/services/rules.py`."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from playwright.sync_api import Browser, BrowserContext

from backend.kernel.clock import FixedClock
from backend.kernel.outbox import Subscriptions
from backend.kernel.uow import Database
from tests.factories.databases import MONDAY_MORNING, make_database, make_empty_database
from tests.services import used
from tests.services.browser import running_chromium, watched_context
from tests.services.network import only_loopback
from tests.services.postgres import PostgresServer, running_postgres
from tests.services.redis import RedisServer, running_redis

# The same examples at every run: what fails here fails for everybody, and a green run stays green. How long
# drawing and trying them takes says only how busy the machine is.
settings.register_profile(
    "steady", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("steady")


@pytest.fixture(autouse=True, scope="session")
def _traffic_stays_here() -> Iterator[None]:
    with only_loopback():
        yield


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A private PostgreSQL server, started at first use and dropped at the end of the run."""
    with running_postgres() as server:
        used.record("postgresql", server.version)
        yield server


@pytest.fixture
def postgres_url(postgres: PostgresServer) -> Iterator[str]:
    """The SQLAlchemy URL of an empty database of the test's own."""
    name = postgres.create_database()
    yield postgres.url(name)
    postgres.drop_database(name)


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """A private Redis server, started at first use and ended with the run."""
    with running_redis() as server:
        used.record("redis", server.version)
        yield server


@pytest.fixture
def redis_url(redis_server: RedisServer) -> str:
    """The URL of an empty Redis."""
    redis_server.clear()
    return redis_server.url


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Headless Chromium, started at first use."""
    with running_chromium() as browser:
        used.record("chromium", browser.version)
        yield browser


@pytest.fixture
def browser_context(chromium: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """Opens browser contexts; a CSP message or script error on any page fails the test.

    Call it with Playwright's context options: `browser_context(viewport={...})`.
    """
    with ExitStack() as stack:

        def open_context(**options: Any) -> BrowserContext:
            return stack.enter_context(watched_context(chromium, **options))

        yield open_context


@pytest.fixture
def clock() -> FixedClock:
    """A clock that stands at a Monday, 08:30 in Shanghai."""
    return FixedClock(MONDAY_MORNING)


@pytest.fixture
def subscriptions() -> Subscriptions:
    """No subscribers; override it, or add to it before the database is asked for."""
    return Subscriptions()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with the whole schema, made once; tests get copies of it."""
    path = tmp_path_factory.mktemp("template") / "schema.db"
    make_empty_database(f"sqlite:///{path}", FixedClock(MONDAY_MORNING)).engine.dispose()
    return path


@pytest.fixture(scope="session")
def postgres_template(postgres: PostgresServer) -> str:
    """The name of a PostgreSQL database with the whole schema, made once; tests get copies of it."""
    name = postgres.create_database()
    make_empty_database(postgres.url(name), FixedClock(MONDAY_MORNING)).engine.dispose()
    return name


@pytest.fixture
def sqlite_database(
    sqlite_template: Path, tmp_path: Path, clock: FixedClock, subscriptions: Subscriptions
) -> Iterator[Database]:
    """An empty SQLite database with the whole schema."""
    path = tmp_path / "test.db"
    shutil.copyfile(sqlite_template, path)
    database = make_database(f"sqlite:///{path}", clock, subscriptions)
    yield database
    database.engine.dispose()


@pytest.fixture
def postgres_database(
    postgres: PostgresServer,
    postgres_template: str,
    clock: FixedClock,
    subscriptions: Subscriptions,
) -> Iterator[Database]:
    """An empty PostgreSQL database with the whole schema."""
    name = postgres.create_database(postgres_template)
    database = make_database(postgres.url(name), clock, subscriptions)
    yield database
    database.engine.dispose()
    postgres.drop_database(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Database:
    """The same test on both databases."""
    name = "sqlite_database" if request.param == "sqlite" else "postgres_database"
    found: Database = request.getfixturevalue(name)
    return found
