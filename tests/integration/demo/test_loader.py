"""The demo hospital as loaded: the coming days are booked, paid and waited for, and every verifier is content."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from sqlalchemy import select

from backend.billing import tasks
from backend.billing.queries import get_run
from backend.billing.verify import verify_ledger
from backend.bootstrap import Program, audit_heads, build_program
from backend.demo import loader, merchant_past
from backend.demo.ahead import Ahead, WaitSpec, ahead
from backend.demo.dataset import load, slot_minute
from backend.demo.history import VisitSpec, at_minute
from backend.demo.people import patients
from backend.journeys import settlement
from backend.kernel import audit
from backend.kernel.clock import FixedClock, business_date
from backend.kernel.ids import Id
from backend.kernel.schema import create_schema
from backend.scheduling import queries as scheduling
from backend.scheduling.models import Appointment
from backend.scheduling.rules import AppointmentState
from backend.scheduling.verify import verify_slots
from backend.settings import Environment, Settings
from tests.factories.channel_bills import ScriptedBills, back, line
from tests.factories.databases import MONDAY_MORNING, SYSTEM

TODAY = business_date(MONDAY_MORNING)
PATIENTS = 80


@dataclass(frozen=True)
class Demo:
    """The loaded hospital, and what was planned for its coming days."""

    program: Program
    plan: Ahead
    hospital_id: Id


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """So few patients fill no session by themselves: one of tomorrow's is filled, and waited for."""
    folder = tmp_path_factory.mktemp("demo")
    settings = Settings(env=Environment.DEMO, data_dir=folder, log_level="ERROR")
    program = build_program(settings, FixedClock(MONDAY_MORNING))
    create_schema(program.database.engine)
    plan = _filled(ahead(TODAY, PATIENTS))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loader, "ahead", lambda *_: plan)
        loader.load(program.database, TODAY, lambda *_: None, count=PATIENTS)
    with program.database.read(SYSTEM) as session:
        hospital_id = loader.find_hospital_id(session)
    assert hospital_id is not None
    yield Demo(program, plan, hospital_id)
    program.database.engine.dispose()


def _filled(plan: Ahead) -> Ahead:
    """The plan, and everybody with nothing ahead in the smallest session of tomorrow, but the last, who waits."""
    like = next(v for v in plan.bookings if v.outcome == "booked" and v.channel == "wechat")
    on = TODAY + dt.timedelta(days=1)
    entry = min(
        (e for e in load().templates if e.weekday == on.isoweekday()), key=lambda e: e.capacity
    )
    department = {row.code: row.department_code for row in load().staff}[entry.staff_code]
    busy = {visit.card_number for visit in plan.bookings}
    idle = [p.card_number for p in patients(TODAY, PATIENTS) if p.card_number not in busy]
    # Whoever is there already makes room.
    others = [v for v in plan.bookings if (v.day, v.staff_code) != (on, entry.staff_code)]
    crowd: list[VisitSpec] = [
        replace(
            like,
            card_number=card,
            day=on,
            department_code=department,
            staff_code=entry.staff_code,
            half_day=entry.half_day,
            visit_type=entry.visit_type,
            room_code=entry.room_code,
            slot_number=number,
            starts_at=at_minute(on, slot_minute(entry, number)),
        )
        for number, card in zip(range(1, entry.capacity + 1), idle, strict=False)
    ]
    wait = WaitSpec(idle[-1], on, entry.staff_code, entry.half_day, "wechat", at_minute(TODAY, -30))
    assert len(crowd) == entry.capacity < len(idle)
    return Ahead((*others, *crowd), (wait,))


def test_every_booking_ahead_stands_and_is_paid(demo: Demo) -> None:
    planned = [visit for visit in demo.plan.bookings if visit.outcome == "booked"]
    with demo.program.database.read(SYSTEM) as session:
        rows = session.scalars(
            select(Appointment).where(
                Appointment.business_date >= TODAY, Appointment.practitioner_id.is_not(None)
            )
        ).all()
    standing = [row for row in rows if row.state is AppointmentState.BOOKED]
    assert {row.state for row in rows} == {AppointmentState.BOOKED, AppointmentState.CANCELLED}
    assert sorted((row.business_date, row.half_day, row.number) for row in standing) == sorted(
        (visit.day, visit.half_day, visit.slot_number) for visit in planned
    )
    assert all(row.business_date > TODAY for row in rows)
    assert all(business_date(row.created_at) < TODAY for row in rows)


def test_the_heat_map_shows_the_coming_days_and_leaves_today_free(demo: Demo) -> None:
    with demo.program.database.read(SYSTEM) as session:
        rows = scheduling.list_load(
            session, hospital_id=demo.hospital_id, first=TODAY, last=TODAY + dt.timedelta(days=13)
        )
    shown: Counter[dt.date] = Counter()
    for row in rows:
        for (day, _half), cell in row.cells.items():
            shown[day] += cell.booked
    planned = Counter(visit.day for visit in demo.plan.bookings if visit.outcome == "booked")
    assert shown[TODAY] == 0
    assert +shown == planned


def test_a_full_session_has_its_line(demo: Demo) -> None:
    (wait,) = demo.plan.waits
    with demo.program.database.read(SYSTEM) as session:
        (queue,) = scheduling.list_lines(session, hospital_id=demo.hospital_id, first=TODAY)
        (entry,) = queue.entries
        full = scheduling.get_schedule(session, entry.schedule_id)
    assert (full.business_date, full.half_day) == (wait.day, wait.half_day)
    assert full.free_count == 0


def test_all_verifiers_are_content(demo: Demo) -> None:
    heads = audit_heads(demo.program.settings)
    audit.seal(demo.program.database, heads)
    with demo.program.database.read(SYSTEM) as session:
        reports = (verify_slots(session), verify_ledger(session), audit.verify(session, heads))
    assert [report.problems for report in reports] == [[], [], []]
    assert all(report.checked for report in reports)


def test_what_was_paid_for_the_coming_days_is_on_the_bills_of_the_days_it_was_paid(
    demo: Demo, tmp_path: Path
) -> None:
    """The channel remembers exactly the trades that we wrote down for it; nothing differs on any past day."""
    merchant_past.write_past(demo.program.database, tmp_path)
    source = ScriptedBills()
    orders = map(json.loads, (tmp_path / merchant_past.FILE).read_text("utf-8").splitlines())
    for order in orders:
        paid_at = dt.datetime.fromtimestamp(order["paid_at"], dt.UTC)
        number = order["out_trade_no"]
        source.add(business_date(paid_at), line(number, order["total"], paid_at))
        for one in order["refunds"]:
            asked_at = dt.datetime.fromtimestamp(one["created_at"], dt.UTC)
            refund = back(one["out_refund_no"], number, one["amount"], asked_at)
            source.add(business_date(asked_at), refund)
    paid_on = {business_date(visit.booked_at) for visit in demo.plan.bookings}
    yesterday = TODAY - dt.timedelta(days=1)
    assert yesterday in paid_on
    for day in sorted(paid_on):
        run_id = tasks.reconcile(demo.program.database, source, day, settlement.record_trade_status)
        with demo.program.database.read(SYSTEM) as session:
            run = get_run(session, run_id)
        assert (run.is_explained, run.differences) == (True, 0)
        assert run.our_payments == run.bill_payments
