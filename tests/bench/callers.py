"""Many HTTP clients at once, in a process of their own so that the server's figures are not theirs.

Each client keeps one connection and sends its calls one after another. `python -m tests.bench.callers` reads a
``Rush`` as JSON from standard input, waits until every client is connected, and writes what it saw to standard output.
"""

from __future__ import annotations

import http.client
import json
import statistics
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any

#: Longer than any limit of a bench: a call that takes so long is a failure, not a figure.
CALL_SECONDS = 30.0
RUN_SECONDS = 600.0
#: The status of a call that got no answer.
NO_ANSWER = 0


@dataclass(frozen=True, slots=True)
class Call:
    """One request."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any = None


@dataclass(frozen=True, slots=True)
class Seen:
    """What the clients of one run saw: seconds of all of it, milliseconds and status a call."""

    seconds: float
    times: list[float]
    statuses: list[int]

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.times) / self.seconds

    @property
    def p50(self) -> float:
        """The median, in milliseconds."""
        return statistics.median(self.times)

    @property
    def p99(self) -> float:
        """The 99th percentile, in milliseconds."""
        return statistics.quantiles(self.times, n=100, method="inclusive")[98]

    @property
    def failed(self) -> int:
        """Calls that were not answered 2xx."""
        return sum(not 200 <= status < 300 for status in self.statuses)


def call_all(port: int, clients: list[list[Call]]) -> Seen:
    """Send every client's calls, all clients at once, from a process of their own."""
    wanted = {"port": port, "clients": [[asdict(call) for call in calls] for calls in clients]}
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.callers"],
        input=json.dumps(wanted),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=RUN_SECONDS,
    )
    return Seen(**json.loads(done.stdout))


class Client:
    """One connection; a call without an answer closes it, and the next opens another."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=CALL_SECONDS)

    def send(self, call: Call) -> int:
        """The status of the answer, read to its end."""
        body = None if call.body is None else json.dumps(call.body)
        try:
            self._connection.request(call.method, call.path, body, call.headers)
            answer = self._connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException):
            self._connection.close()
            return NO_ANSWER
        return answer.status


def _run(port: int, clients: list[list[Call]]) -> Seen:
    ready = threading.Barrier(len(clients) + 1)

    def client(calls: list[Call]) -> list[tuple[float, int]]:
        one = Client(port)
        one.send(Call("GET", "/healthz", {}))
        ready.wait()
        found = []
        for call in calls:
            began = time.perf_counter()
            status = one.send(call)
            found.append(((time.perf_counter() - began) * 1000, status))
        return found

    with ThreadPoolExecutor(len(clients)) as pool:
        futures = [pool.submit(client, calls) for calls in clients]
        ready.wait()
        began = time.perf_counter()
        results = [pair for future in futures for pair in future.result()]
        seconds = time.perf_counter() - began
    return Seen(seconds, [each[0] for each in results], [each[1] for each in results])


def main() -> None:
    """Read, run, write."""
    wanted = json.load(sys.stdin)
    seen = _run(wanted["port"], [[Call(**call) for call in calls] for calls in wanted["clients"]])
    json.dump(asdict(seen), sys.stdout)


if __name__ == "__main__":
    main()
