"""Runs many visits at once: patients queue for a free kiosk, doctors see whoever is next."""

from __future__ import annotations

import datetime as dt
import queue
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext

from rich.console import Console

from backend.demo import people
from backend.demo.dataset import DEMO_PASSWORD
from backend.demo.id_cards import IdCardSpec, id_card_of
from backend.demo.journey.chaos import Weather
from backend.demo.journey.counter import Counter
from backend.demo.journey.desk import Desks, StaffBrowser
from backend.demo.journey.report import Report
from backend.demo.journey.visit import Patience, System, take_visit
from backend.demo.journey.wires import Bench, Kiosk, Phone, StepFailed, must, session
from backend.kernel.clock import business_date

CROWDS = 2000


#: In bad weather people come back; twelve tries are each way of going on, three times.
STUBBORN = Patience(tries=12, pause=2, phone_wait=240, kiosk_wait=90)


def run(
    console: Console,
    *,
    port_base: int,
    patients: int,
    parallel: int,
    salt: int,
    weather: Weather | None = None,
) -> int:
    """Take ``patients`` through a visit, ``parallel`` at once; 0 when every step of every visit was right.

    ``salt`` chooses who walks in, so that a second run meets new people. In bad ``weather`` steps may fail, and
    right is what has come to its end all the same.
    """
    report = Report(console, is_quiet=patients > 3)
    bench = Bench(f"http://127.0.0.1:{port_base + 30}")
    day = business_date(dt.datetime.now(dt.UTC))
    try:
        system = _meet(bench, port_base, day)
    except (StepFailed, OSError) as error:
        console.print(f"[red]the demo is not running:[/red] {error}\nstart it with: make run")
        return 1
    # Each day back is another crowd; its people are only a few years older than their cards' day.
    seed = day - dt.timedelta(days=salt % CROWDS)
    crowd = [id_card_of(person, day) for person in people.walk_ins(seed, patients)]
    began = time.monotonic()
    stop = threading.Event()

    def one(index: int, card: IdCardSpec) -> None:
        who = f"#{index:03d}"
        if stop.is_set():
            return
        try:
            take_visit(system, report, who, card)
        except (StepFailed, OSError) as failure:
            report.failed(who, failure)
            stop.set()

    if weather is not None:
        system.patience, system.desks.is_stubborn = STUBBORN, True
    with weather or nullcontext(), ThreadPoolExecutor(max_workers=parallel) as pool:
        for index, card in enumerate(crowd, start=1):
            pool.submit(one, index, card)
    system.desks.close()
    if weather is not None:
        console.print(weather.summary(), soft_wrap=True)
    took = time.monotonic() - began
    rate = report.finished / took * 60
    console.print(
        f"{report.finished} of {patients} visits done in {took:.1f} s, {rate:.1f} a minute,"
        f" {len(report.failures)} wrong"
    )
    return 0 if report.finished == patients and not report.failures else 1


def _meet(bench: Bench, port_base: int, day: dt.date) -> System:
    base = f"http://127.0.0.1:{port_base}"
    must(session().get(f"{base}/readyz", timeout=5), 200)
    must(session().get(f"{bench.url}/healthz", timeout=5), 200)
    kiosks: queue.Queue[Kiosk] = queue.Queue()
    found = must(bench.http.get(f"{bench.url}/api/kiosks", timeout=5)).json()
    for index in range(len(found)):
        kiosks.put(Kiosk(index, f"http://127.0.0.1:{port_base + 10 + index}"))
    phone = Phone(f"http://127.0.0.1:{port_base + 20}")
    return System(
        bench=bench,
        kiosks=kiosks,
        phone=phone,
        desks=Desks(base, DEMO_PASSWORD),
        counter=Counter(StaffBrowser(base, "registrar", DEMO_PASSWORD), phone, day),
    )
