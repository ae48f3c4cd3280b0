"""What halls and phones are told: live messages, masked names, and lists in a fixed number of queries."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import event, select

from backend.kernel.errors import NotFound
from backend.kernel.ids import new_id
from backend.kernel.live import LiveMessage
from backend.kernel.uow import Database
from backend.organization import service as organization
from backend.queueing import queries, service
from tests.factories.databases import SYSTEM
from tests.factories.queues import Hall, add_hall_queue, make_hall


@pytest.fixture
def hall(database: Database) -> Hall:
    return make_hall(database, patients=24)


def said(hall: Hall, stream: str) -> list[dict[str, Any]]:
    with hall.database.read(SYSTEM) as session:
        rows = session.scalars(
            select(LiveMessage).where(LiveMessage.stream == stream).order_by(LiveMessage.no)
        ).all()
        assert [row.no for row in rows] == list(range(1, len(rows) + 1))
        return [row.payload for row in rows]


def statements(database: Database, act: Callable[[], object]) -> int:
    seen: list[str] = []

    def note(_c: object, _cur: object, statement: str, *_rest: object) -> None:
        seen.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    act()
    event.remove(database.engine, "before_cursor_execute", note)
    return sum(statement.lstrip().startswith("SELECT") for statement in seen)


def test_a_call_is_told_to_the_hall_before_the_queue_it_came_from(hall: Hall) -> None:
    hall.check_in(0)
    hall.check_in(1)
    hall.call(doctor=1)
    *_, call, queue = said(hall, service.hall_stream(hall.hall_id))
    assert {k: call[k] for k in ("kind", "number", "name", "queue", "room", "call_kind")} == {
        "kind": "call",
        "number": "A001",
        "name": "患*0",
        "queue": "乳腺外科",
        "room": "二诊室",
        "call_kind": "first",
    }
    assert queue["kind"] == "queue"
    assert queue["serving"] == [{"number": "A001", "room": "二诊室", "state": "called"}]
    assert queue["waiting"] == [{"number": "A002", "name": "患*1"}]


def test_phones_are_told_that_their_queue_has_moved(hall: Hall) -> None:
    hall.check_in(0)
    hall.call()
    told = said(hall, service.queue_stream(hall.queue_id))
    assert told == [{"kind": "changed"}] * 2


def test_a_repeated_call_is_a_call_of_its_own(hall: Hall) -> None:
    mine = hall.check_in(0)
    hall.call()
    hall.act(service.call_again, mine)
    calls = [m for m in said(hall, service.hall_stream(hall.hall_id)) if m["kind"] == "call"]
    assert [call["call_kind"] for call in calls] == ["first", "again"]
    assert calls[0]["call_id"] != calls[1]["call_id"]
    with hall.database.read(SYSTEM) as session:
        view = queries.hall_view(session, hall.hall_id)
        assert [str(call.id) for call in view.calls] == [c["call_id"] for c in reversed(calls)]
        assert queries.get_call(session, view.calls[0].id) == view.calls[0]


def test_no_live_message_says_a_whole_name(hall: Hall) -> None:
    for patient in range(3):
        hall.check_in(patient)
    hall.call()
    everything = str(said(hall, service.hall_stream(hall.hall_id)))
    assert "患者" not in everything


def test_a_hall_that_is_none(hall: Hall) -> None:
    with hall.database.read(SYSTEM) as session, pytest.raises(NotFound):
        queries.hall_view(session, new_id())


def test_rooms_and_queues(hall: Hall) -> None:
    add_hall_queue(hall, "Q2", "彩超", "B")
    with hall.database.read(SYSTEM) as session:
        queues = queries.list_queues(session, hospital_id=hall.clinic.hospital_id)
        rooms = queries.list_rooms(session, hall.queue_id)
        first = queries.queue_of_department(session, hall.clinic.department_id)
    assert [queue.name for queue in queues] == ["乳腺外科", "彩超"]
    assert [room.name for room in rooms] == ["一诊室", "二诊室"]
    assert first.id == hall.queue_id


def test_the_hall_is_read_in_as_many_queries_full_as_empty(hall: Hall) -> None:
    def read() -> None:
        with hall.database.read(SYSTEM) as session:
            queries.hall_view(session, hall.hall_id)

    hall.check_in(0)
    hall.call()
    hall.check_in(1)
    few = statements(hall.database, read)
    others = [add_hall_queue(hall, f"QX{n}", f"队列{n}", "BCDE"[n]) for n in range(4)]
    for patient in range(2, 24):
        hall.check_in(patient, queue_id=[*others, hall.queue_id][patient % 5])
    assert statements(hall.database, read) == few


def test_lists_are_read_in_as_many_queries_long_as_short(hall: Hall) -> None:
    doctor = hall.clinic.practitioner_ids[0]

    def lists() -> None:
        with hall.database.read(SYSTEM) as session:
            queries.waiting_list(session, hall.queue_id)
            queries.worklist(session, queue_id=hall.queue_id, practitioner_id=doctor)

    hall.check_in(0)
    few = statements(hall.database, lists)
    last = [hall.check_in(patient) for patient in range(1, 24)][-1]
    assert statements(hall.database, lists) == few
    assert statements(hall.database, lambda: hall.ticket(last)) <= 12


def test_an_act_costs_no_more_in_a_long_queue(hall: Hall) -> None:
    hall.check_in(0)
    hall.check_in(1)
    few = statements(hall.database, hall.serve)
    for patient in range(2, 24):
        hall.check_in(patient)
    assert statements(hall.database, hall.serve) == few


def test_a_room_out_of_use_calls_from_no_queue(hall: Hall) -> None:
    """Neither is it offered to a doctor, nor does the hall's screen send anybody there."""
    closed, open_ = hall.room_ids
    with hall.database.write(SYSTEM) as session:
        organization.set_place_active(
            session, closed, hospital_id=hall.clinic.hospital_id, is_active=False
        )
    with hall.database.read(SYSTEM) as session:
        assert [room.id for room in queries.list_rooms(session, hall.queue_id)] == [open_]
        assert queries.room_names(session, [hall.queue_id]) == {hall.queue_id: ["二诊室"]}
