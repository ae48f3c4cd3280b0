"""How greenlets wait for PostgreSQL, in a process that gevent has taken over."""

from __future__ import annotations

import json
import subprocess
import sys

PROGRAM = """
from gevent import monkey
monkey.patch_all()

import json, sys, time
import gevent
from gevent.event import Event
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from backend.kernel import greenlets
from backend.kernel.uow import make_engine

assert greenlets.are_in_charge()
greenlets.teach_psycopg()
engine = make_engine(sys.argv[1])
found = {}


def ask(sql, **values):
    with engine.connect() as connection:
        return connection.execute(text(sql), values).scalar()


ticks = 0


def tick():
    global ticks
    while True:
        ticks += 1
        gevent.sleep(0.01)


ticking = gevent.spawn(tick)
began = time.monotonic()
ten = [gevent.spawn(ask, "SELECT :n FROM pg_sleep(0.5)", n=n) for n in range(10)]
found["ten"] = [one.get() for one in ten]
found["together"] = time.monotonic() - began < 2.5
found["others_ran"] = ticks > 10
ticking.kill()

long = "x" * 20_000_000
found["big"] = ask("SELECT length(:long)", long=long) == len(long)
found["big_back"] = len(ask("SELECT repeat('y', 20000000)"))

known = Event()
victim = {}


def wait_for_ever():
    with engine.connect() as connection:
        victim["pid"] = connection.execute(text("SELECT pg_backend_pid()")).scalar()
        known.set()
        try:
            connection.execute(text("SELECT pg_sleep(60)"))
        except OperationalError:
            return "refused"


waiting = gevent.spawn(wait_for_ever)
known.wait()
ask("SELECT pg_terminate_backend(:pid)", pid=victim["pid"])
found["ended"] = waiting.get(timeout=10)
found["after"] = ask("SELECT 1")

try:
    with gevent.Timeout(0.2):
        ask("SELECT pg_sleep(60)")
except gevent.Timeout:
    found["given_up"] = ask("SELECT 2")
print(json.dumps(found))
"""


def test_greenlets_wait_beside_each_other_and_none_for_ever(postgres_url: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, postgres_url],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "ten": list(range(10)),
        "together": True,
        "others_ran": True,
        "big": True,
        "big_back": 20_000_000,
        "ended": "refused",
        "after": 1,
        "given_up": 2,
    }
