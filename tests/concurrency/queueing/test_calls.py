"""Many at once in one queue: numbers without holes, nobody called twice, nobody forgotten.

The negative control takes the queue's lock away and sees two doctors call the same ticket.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from backend.kernel.ids import Id, new_id
from backend.kernel.live import LiveMessage
from backend.kernel.uow import Database
from backend.queueing import queries, rules, service
from backend.queueing.errors import StillServing
from backend.queueing.models import Queue, Ticket
from tests.factories.databases import SYSTEM
from tests.factories.queues import Hall, make_hall

DEADLINE = 60.0


def at_once(acts: Iterable[Callable[[], Any]]) -> list[Any]:
    """Run all acts together from one barrier; what each gave."""
    work = list(acts)
    barrier = threading.Barrier(len(work))

    def run(act: Callable[[], Any]) -> Any:
        barrier.wait(DEADLINE)
        return act()

    with ThreadPoolExecutor(len(work)) as pool:
        futures = [pool.submit(run, act) for act in work]
        return [future.result(DEADLINE) for future in futures]


def numbers(hall: Hall) -> list[int]:
    with hall.database.read(SYSTEM) as session:
        return sorted(session.scalars(select(Ticket.ordinal)))


def test_forty_arrive_at_once(database: Database) -> None:
    hall = make_hall(database, patients=40)
    at_once(partial(hall.check_in, n) for n in range(40))
    assert numbers(hall) == list(range(1, 41))


def test_one_appointment_checks_in_at_ten_kiosks(database: Database) -> None:
    hall = make_hall(database)
    appointment = new_id()
    tickets = at_once([lambda: hall.check_in(0, appointment_id=appointment)] * 10)
    assert len(set(tickets)) == 1
    assert numbers(hall) == [1]


def test_ten_doctors_call_at_once(database: Database) -> None:
    hall = make_hall(database, patients=8, doctors=10)
    for patient in range(8):
        hall.check_in(patient)
    called = at_once(partial(hall.call, n) for n in range(10))
    assert Counter(called) == {f"A{n:03d}": 1 for n in range(1, 9)} | {None: 2}


def test_one_doctors_button_hit_ten_times(database: Database) -> None:
    hall = make_hall(database)
    hall.check_in(0)
    hall.check_in(1)

    def call() -> str | None:
        try:
            return hall.call()
        except StillServing:
            return "still serving"

    assert Counter(at_once([call] * 10)) == {"A001": 1, "still serving": 9}


def test_arrivals_calls_and_misses_together_lose_nothing(postgres_database: Database) -> None:
    hall = make_hall(postgres_database, patients=30, doctors=4)
    for patient in range(10):
        hall.check_in(patient)

    def doctor(number: int) -> Callable[[], int]:
        def work() -> int:
            seen = 0
            for turn in range(8):
                if hall.call(number) is None:
                    continue
                current = hall.current(number).id
                if turn == 2:
                    hall.act(service.pass_over, current)
                    continue
                hall.act(service.start_serving, current)
                hall.act(service.finish_ticket, current)
                seen += 1
            return seen

        return work

    arrivals: list[Callable[[], Any]] = [partial(hall.check_in, n) for n in range(10, 30)]
    at_once([*arrivals, *(doctor(n) for n in range(4))])
    assert numbers(hall) == list(range(1, 31))
    with hall.database.read(SYSTEM) as session:
        states = Counter(state.value for state in session.scalars(select(Ticket.state)))
        messages = session.scalars(
            select(LiveMessage.no)
            .where(LiveMessage.stream == service.hall_stream(hall.hall_id))
            .order_by(LiveMessage.no)
        ).all()
    assert states.total() == 30
    assert set(states) <= {"waiting", "done", "missed"}
    assert list(messages) == list(range(1, len(messages) + 1))


def test_control_without_the_lock_two_doctors_call_the_same_ticket(
    postgres_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    hall = make_hall(postgres_database)
    mine = hall.check_in(0)
    hall.check_in(1)
    meeting = threading.Barrier(2)

    def unlocked(session: Session, queue_id: Id) -> Queue:
        return queries.get_queue(session, queue_id)

    def meet(waiting: Any, practitioner_id: Id | None, past: Any, *policy: Any) -> Any:
        found = order_line(waiting, practitioner_id, past, *policy)
        if practitioner_id is not None:
            meeting.wait(DEADLINE)
        return found

    order_line = rules.order_line
    monkeypatch.setattr(service, "_lock_queue", unlocked)
    monkeypatch.setattr(rules, "order_line", meet)

    def call(number: int) -> str | None:
        try:
            return hall.call(number)
        except StaleDataError:
            return "both chose it"

    outcomes = Counter(at_once([lambda: call(0), lambda: call(1)]))
    # Only the row's version, the last defence, kept the second from calling it too.
    assert outcomes == {"A001": 1, "both chose it": 1}
    assert hall.ticket(mine).call_count == 1
