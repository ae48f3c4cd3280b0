"""The real server for benches: gunicorn exactly as `xinglin web` starts it, with its folder, keys and Redis."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from backend.bootstrap import Program, build_program
from backend.kernel.schema import create_schema
from backend.serving import gunicorn_command
from backend.settings import Environment, Settings
from tests.services.ports import free_port, wait_listening
from tests.services.postgres import running_postgres
from tests.services.processes import start_server, stop_server
from tests.services.redis import running_redis


@dataclass(frozen=True, slots=True)
class Web:
    """A served installation: where it listens, and its program in this process for preparing and checking."""

    port: int
    program: Program


@contextmanager
def postgres_web(folder: Path, *, processes: int) -> Iterator[Web]:
    """gevent processes over a fresh PostgreSQL; Redis between them when there are several."""
    with ExitStack() as stack:
        server = stack.enter_context(running_postgres())
        redis = stack.enter_context(running_redis()).url if processes > 1 else ""
        settings = Settings(
            env=Environment.TEST, data_dir=folder, redis_url=redis, web_processes=processes,
            database_url=server.url(server.create_database()),
        )  # fmt: skip
        yield stack.enter_context(_serving(settings))


@contextmanager
def sqlite_web(folder: Path) -> Iterator[Web]:
    """The one process with threads over the embedded database, which also does the background work."""
    with _serving(Settings(env=Environment.TEST, data_dir=folder)) as web:
        yield web


@contextmanager
def _serving(settings: Settings) -> Iterator[Web]:
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    program = build_program(settings)
    create_schema(program.database.engine)
    port = free_port()
    # The child's whole configuration is said here: what the caller's shell sets must not change a figure.
    said = {
        "XINGLIN_ENV": settings.env.value,
        "XINGLIN_DATA_DIR": str(settings.data_dir.resolve()),
        "XINGLIN_DATABASE_URL": settings.database_url,
        "XINGLIN_REDIS_URL": settings.redis_url,
    }
    command = ["env", *(f"{name}={value}" for name, value in said.items())]
    process = start_server(
        [*command, *gunicorn_command(settings, port)], log=settings.data_dir / "web.log"
    )
    try:
        _wait(process, port, settings.data_dir / "web.log")
        yield Web(port, program)
    finally:
        stop_server(process)
        program.database.engine.dispose()


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    try:
        wait_listening(port)
    except TimeoutError as error:
        raise RuntimeError(f"gunicorn ({process.poll()}): {log.read_text()[-2000:]}") from error
