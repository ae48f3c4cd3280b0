"""`python -m tests.bench journey`: visits a minute through a whole demo, started for this on ports of its own."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.table import Table

from backend.serving import KIOSKS
from backend.settings import Settings
from tests.services.processes import start_server, stop_server

XINGLIN = Path(sys.executable).with_name("xinglin")
#: The first start loads two thousand patients with thirty days of history.
START_SECONDS = 900
SPAN = 40


def run(console: Console, *, patients: int, parallel: int, running: bool = False) -> int:
    """Measure `/healthz` and run the journey, in a demo started for this or in the one that runs.

    The journey's exit status; 1 when no demo comes up.
    """
    try:
        if running:
            base = Settings().port_base
            _wait_ready(base, None, Path())
            return _measure(console, base, patients, parallel)
        with tempfile.TemporaryDirectory(prefix="xinglin-bench-") as folder:
            base = _free_base()
            console.print(f"starting a demo on ports from {base}")
            with _demo(base, Path(folder)):
                return _measure(console, base, patients, parallel)
    except (LookupError, OSError) as error:
        console.print(str(error), markup=False)
        return 1


@contextmanager
def _demo(base: int, folder: Path) -> Iterator[None]:
    """A demo with its data in ``folder``, ready when the block begins, gone when it ends."""
    os.environ.update(XINGLIN_DATA_DIR=str(folder), XINGLIN_PORT_BASE=str(base), XINGLIN_ENV="demo")
    log = folder / "run.log"
    demo = start_server([XINGLIN, "run"], log=log)
    try:
        _wait_ready(base, demo, log)
        yield
    finally:
        stop_server(demo, timeout_seconds=15)


def _measure(console: Console, base: int, patients: int, parallel: int) -> int:
    floor = _floor(base)
    began = time.monotonic()
    done = subprocess.run(
        [XINGLIN, "journey", "--patients", str(patients), "--parallel", str(parallel)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "XINGLIN_PORT_BASE": str(base)},
    )
    took = time.monotonic() - began
    if done.returncode:
        console.print(done.stdout[-4000:], done.stderr[-4000:], markup=False)
        return done.returncode
    told = re.search(r"([\d.]+) a minute", done.stdout)
    rate = float(told.group(1)) if told else patients / took * 60
    table = Table(title="journey", title_justify="left")
    for column in (
        "visits",
        "at once",
        "seconds",
        "visits a minute",
        "/healthz ms",
        "visit ÷ floor",
    ):
        table.add_column(column, justify="right")
    table.add_row(
        str(patients), str(parallel), f"{took:.1f}", f"{rate:.1f}", f"{floor:.1f}",
        f"{60_000 / rate / floor:,.0f}",
    )  # fmt: skip
    console.print(table)
    return 0


def _free_base() -> int:
    """The first port of a free span as `xinglin run` uses it."""
    for base in range(20000, 40000, 100):
        if all(_is_free(base + offset) for offset in range(SPAN)):
            return base
    raise OSError("no free ports for a demo")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def _open(url: str) -> int:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=5) as answer:
            return int(answer.status)
    except (urllib.error.HTTPError, OSError) as error:
        return int(getattr(error, "code", 0) or 0)


def _wait_ready(base: int, demo: subprocess.Popen[bytes] | None, log: Path) -> None:
    """Until backend and kiosks serve; LookupError with the log's end when the demo gives up.

    Without ``demo`` one has to be running already.
    """
    ends = time.monotonic() + (START_SECONDS if demo else 0)
    ports = (base, *(base + 10 + index for index in range(KIOSKS)), base + 20, base + 30)
    while True:
        if demo is not None and demo.poll() is not None:
            raise LookupError(f"the demo ended:\n{log.read_text()[-2000:]}")
        if all(_open(f"http://127.0.0.1:{port}/healthz") == 200 for port in ports):
            return
        if time.monotonic() > ends:
            raise LookupError(
                f"no demo is ready on the ports from {base}: start it with `make run`"
            )
        time.sleep(0.5)


def _floor(base: int) -> float:
    """The median of `/healthz`, in milliseconds."""
    times = []
    for _ in range(50):
        began = time.perf_counter()
        _open(f"http://127.0.0.1:{base}/healthz")
        times.append((time.perf_counter() - began) * 1000)
    return sorted(times)[len(times) // 2]
