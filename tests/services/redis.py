"""A private Redis server for tests: free port, memory only, gone afterwards."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis

from tests.services.ports import free_port, wait_listening
from tests.services.processes import start_server, stop_server


@dataclass(frozen=True)
class RedisServer:
    """A running server."""

    port: int
    version: str

    @property
    def url(self) -> str:
        """The URL of its database 0."""
        return f"redis://127.0.0.1:{self.port}/0"

    def clear(self) -> None:
        """Forget everything, so that one test never sees another's keys."""
        with redis.Redis(port=self.port) as client:
            client.flushall()


@contextmanager
def running_redis() -> Iterator[RedisServer]:
    """Run a fresh server for the length of the block.

    Raises FileNotFoundError when Redis is not installed: tests fail, they do not skip.
    """
    program = shutil.which("redis-server")
    if program is None:
        raise FileNotFoundError(
            "redis-server is missing: apt-get install redis-server (or run `make setup`)"
        )
    folder = Path(tempfile.mkdtemp(prefix="xinglin-redis-"))
    try:
        port = free_port()
        options = ["--bind", "127.0.0.1", "--port", str(port), "--save", "", "--appendonly", "no"]
        process = start_server(
            [program, *options, "--dir", folder], log=folder / "server.log", cwd=folder
        )
        try:
            wait_listening(port)
            with redis.Redis(port=port) as client:
                information: Any = client.info("server")
            yield RedisServer(port=port, version=str(information["redis_version"]))
        finally:
            stop_server(process)
    finally:
        shutil.rmtree(folder)
