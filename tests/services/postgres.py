"""A private PostgreSQL server for tests: own data directory, own port, gone afterwards.

PostgreSQL refuses to run as root, so root drops to Debian's `postgres` account. Durability is
switched off (`fsync` and friends), which changes no locking or isolation behaviour.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import psycopg
from psycopg import sql

from tests.services.ports import free_port, wait_listening
from tests.services.processes import start_server, stop_server

_ACCOUNT = "postgres"
_ROOM_BYTES = 4 * 1024**3
_INITDB_OPTIONS = ["--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]


@dataclass
class PostgresServer:
    """A running server; databases are made and dropped through it."""

    port: int
    version: str
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def url(self, database: str) -> str:
        """Return the SQLAlchemy URL of a database on this server."""
        return f"postgresql+psycopg://{_ACCOUNT}@127.0.0.1:{self.port}/{database}"

    def create_database(self, template: str | None = None) -> str:
        """Make a new database, as a copy of `template` when given, and return its name."""
        name = f"xinglin_{next(self._numbers)}"
        statement = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
        if template is not None:
            statement += sql.SQL(" TEMPLATE {}").format(sql.Identifier(template))
        self._execute(statement)
        return name

    def drop_database(self, name: str) -> None:
        """Drop a database, ending connections that a failed test left open."""
        self._execute(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        )

    def _execute(self, statement: sql.Composed) -> None:
        with psycopg.connect(
            host="127.0.0.1", port=self.port, user=_ACCOUNT, dbname="postgres", autocommit=True
        ) as connection:
            connection.execute(statement)


def _program(name: str) -> Path:
    """Find a server program: Debian keeps them out of PATH, one folder a major version."""
    folders = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: int(folder.parent.name)
    )
    for folder in reversed(folders):
        if (folder / name).exists():
            return folder / name
    raise FileNotFoundError(f"{name} is missing: apt-get install postgresql (or run `make setup`)")


def _as_account(argv: list[str]) -> list[str]:
    if os.geteuid() != 0:
        return argv
    drop = ["setpriv", "--reuid", _ACCOUNT, "--regid", _ACCOUNT, "--init-groups", "--"]
    return [*drop, *argv]


def _memory_folder() -> Path | None:
    """A folder in memory where there is room for the data: copying a database there is ten times as quick."""
    memory = Path("/dev/shm")
    has_room = memory.is_dir() and shutil.disk_usage(memory).free > _ROOM_BYTES
    return memory if has_room and os.access(memory, os.W_OK) else None


@contextmanager
def running_postgres() -> Iterator[PostgresServer]:
    """Run a fresh server for the length of the block.

    Raises FileNotFoundError when PostgreSQL is not installed: tests fail, they do not skip.
    """
    folder = Path(tempfile.mkdtemp(prefix="xinglin-postgres-", dir=_memory_folder()))
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, _ACCOUNT, _ACCOUNT)
        data = folder / "data"
        subprocess.run(
            _as_account(
                [str(_program("initdb")), "-D", str(data), "-U", _ACCOUNT, *_INITDB_OPTIONS]
            ),
            check=True,
            capture_output=True,
            cwd=folder,
        )
        port = free_port()
        settings = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "port": str(port),
            "fsync": "off",
            "synchronous_commit": "off",
            "full_page_writes": "off",
            "max_connections": "200",
            "shared_buffers": "128MB",
            "max_wal_size": "128MB",
            "min_wal_size": "32MB",
        }
        options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
        process = start_server(
            [_program("postgres"), "-D", data, *options],
            log=folder / "server.log",
            user=_ACCOUNT,
            death_signal="QUIT",
            cwd=folder,
        )
        try:
            wait_listening(port)
            yield PostgresServer(port=port, version=_server_version(port))
        finally:
            # SIGINT is PostgreSQL's fast shutdown: it does not wait for open connections.
            stop_server(process, stop_signal=signal.SIGINT)
    finally:
        shutil.rmtree(folder)


def _server_version(port: int) -> str:
    """Ask for the version; a starting server listens a moment before it answers."""
    for attempt in range(200):
        try:
            with psycopg.connect(
                host="127.0.0.1", port=port, user=_ACCOUNT, dbname="postgres"
            ) as connection:
                row = connection.execute("SHOW server_version").fetchone()
                return str(row[0]) if row else "unknown"
        except psycopg.OperationalError:
            if attempt == 199:
                raise
    raise AssertionError("unreachable")
