"""The crowd of `python -m tests.bench rush`: one asyncio process, one task a person, a connection a request.

Prints one JSON object. Ends after MOST_SECONDS whatever happens; who has no answer by then is counted.
"""

from __future__ import annotations

import asyncio
import json
import resource
import statistics
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

MOST_SECONDS = 240
ANSWER_SECONDS = 60.0
HEAD = (
    "{method} {path} HTTP/1.1\r\nHost: {host}\r\nAccept: application/json\r\nConnection: close\r\n"
)


@dataclass
class Person:
    """One of the crowd, and what became of them."""

    token: str
    sent: float = 0.0
    number: int = 0
    numbered: float = 0.0
    is_sold: bool = False
    is_told: bool = False
    done: float = 0.0


@dataclass
class Counts:
    """What the whole crowd saw."""

    times: list[float] = field(default_factory=list)
    server_errors: int = 0
    refusals: int = 0
    reconnected: int = 0


class Crowd:
    """Everybody, against one server."""

    def __init__(self, url: str, tokens: list[str]) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port or 80
        self.people = [Person(token) for token in tokens]
        self.counts = Counts()

    async def run(self) -> None:
        """Until everybody has an answer, or the time is over."""
        tasks = [asyncio.create_task(self._live(person)) for person in self.people]
        _done, late = await asyncio.wait(tasks, timeout=MOST_SECONDS)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    async def _live(self, person: Person) -> None:
        while True:
            status, line = await self._ask(person, "POST", "arrive")
            if status == 200:
                break
            await asyncio.sleep(1)
        person.number, person.numbered = line["number"], time.monotonic()
        while True:
            if line["state"] == "your_turn":
                status, _body = await self._ask(person, "POST", "book")
                if status == 200:
                    person.is_sold, person.done = True, time.monotonic()
                    return
                await asyncio.sleep(1)
            elif line["state"] == "sold_out":
                person.is_told, person.done = True, time.monotonic()
                return
            else:
                await asyncio.sleep(line["next"])
            status, fresh = await self._ask(person, "GET", "now")
            line = fresh if status == 200 else line

    async def _ask(self, person: Person, method: str, act: str) -> tuple[int, dict]:  # type: ignore[type-arg]
        """One request, tried again while no connection comes about."""
        while True:
            began = time.monotonic()
            try:
                status, body = await asyncio.wait_for(
                    self._send(person, method, act), ANSWER_SECONDS
                )
            except (OSError, EOFError, TimeoutError):
                self.counts.reconnected += 1
                await asyncio.sleep(0.5)
                continue
            self.counts.times.append(time.monotonic() - began)
            self.counts.server_errors += status >= 500
            self.counts.refusals += 400 <= status < 500
            return status, body

    async def _send(self, person: Person, method: str, act: str) -> tuple[int, dict]:  # type: ignore[type-arg]
        reader, writer = await asyncio.open_connection(self._host, self._port)
        try:
            head = HEAD.format(method=method, path=f"/r/{person.token}/{act}", host=self._host)
            length = "Content-Length: 0\r\n" if method == "POST" else ""
            writer.write(f"{head}{length}\r\n".encode())
            if act == "arrive" and not person.sent:
                person.sent = time.monotonic()
            answer = await reader.read()
        finally:
            writer.close()
        if not answer:
            raise EOFError
        top, _sep, body = answer.partition(b"\r\n\r\n")
        return int(top.split(b" ", 2)[1]), json.loads(body or b"{}")


def tell(crowd: Crowd, began: float) -> dict[str, float]:
    """The figures."""
    people, counts = crowd.people, crowd.counts
    sold = [one for one in people if one.is_sold]
    numbered = sorted((one for one in people if one.number), key=lambda one: one.number)
    disorder, latest = 0.0, 0.0
    for one in numbered:
        # Somebody with a smaller number sent later than this one: by how much?
        disorder = max(disorder, latest - one.sent)
        latest = max(latest, one.sent)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "sold": len(sold),
        "told": sum(one.is_told for one in people),
        "unanswered": sum(not one.done for one in people),
        "server_errors": counts.server_errors,
        "refusals": counts.refusals,
        "reconnected": counts.reconnected,
        "disorder_seconds": disorder,
        "sold_numbers_last": max((one.number for one in sold), default=0),
        "numbered_seconds": max((one.numbered for one in numbered), default=began) - began,
        "sold_seconds": max((one.done for one in sold), default=began) - began,
        "last_seconds": max((one.done for one in people), default=began) - began,
        "requests": len(counts.times),
        "p50_ms": statistics.median(counts.times) * 1000,
        "p99_ms": statistics.quantiles(counts.times, n=100)[98] * 1000,
        "cpu": usage.ru_utime + usage.ru_stime,
    }


def main() -> None:
    """`rush_crowd URL FILE`: the file is a JSON list of tokens."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 32_768), hard))
    crowd = Crowd(sys.argv[1], json.loads(Path(sys.argv[2]).read_text()))
    began = time.monotonic()
    asyncio.run(crowd.run())
    print(json.dumps(tell(crowd, began)))


if __name__ == "__main__":
    main()
