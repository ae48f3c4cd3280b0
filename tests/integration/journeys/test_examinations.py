"""From the doctor's orders to booked examinations: all or nothing, moved, given back, and every slot accounted for."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from sqlalchemy import select

from backend.billing import queries as bills
from backend.billing.rules import ChargeState
from backend.clinical import service as clinical
from backend.clinical.queries import get_encounter, list_examination_orders
from backend.contracts.scheduling import AppointmentCancelled
from backend.journeys import documents, refunds
from backend.journeys.disruptions import settle_disruption
from backend.kernel.clock import local
from backend.kernel.ids import Id
from backend.kernel.outbox import OutboxEvent
from backend.kernel.uow import Database
from backend.scheduling import examinations as scheduling
from backend.scheduling import handlers
from backend.scheduling import service as pool
from backend.scheduling.errors import (
    ExaminationBegun,
    ExaminationNotFound,
    PlanBreaksRule,
    PlanOutdated,
)
from backend.scheduling.models import Appointment, Disruption
from backend.scheduling.queries import examinations as queries
from backend.scheduling.queries import list_equivalents
from backend.scheduling.rules import DisruptionState, StopScope
from backend.scheduling.verify import verify_slots
from backend.scheduling.views import BookedExaminationView
from tests.factories.databases import SYSTEM
from tests.factories.imaging_desk import ImagingDesk, make_imaging_desk, places_of


@pytest.fixture
def desk(database: Database) -> ImagingDesk:
    return make_imaging_desk(database)


def booked(desk: ImagingDesk) -> list[BookedExaminationView]:
    with desk.database.read(SYSTEM) as session:
        return queries.list_booked_examinations(
            session, patient_id=desk.patient_id, hospital_id=desk.hospital_id
        )


def assert_slots_verify(desk: ImagingDesk) -> None:
    with desk.database.read(SYSTEM) as session:
        assert verify_slots(session).problems == []


def test_an_order_raises_its_charge_and_taking_it_back_takes_the_booking_with_it(
    desk: ImagingDesk,
) -> None:
    (order_id,) = desk.order("US-ABD")
    with desk.database.read(SYSTEM) as session:
        (order,) = get_encounter(session, desk.encounter_id).orders
        assert order.amount_fen == 30000
    desk.book(desk.propose())
    assert len(booked(desk)) == 1
    with desk.database.write(desk.hour.doctor()) as session:
        clinical.cancel_order(session, encounter_id=desk.encounter_id, order_id=order_id)
    assert booked(desk) == []
    assert_slots_verify(desk)
    with desk.database.write(desk.hour.doctor()) as session:
        restored = clinical.restore_order(
            session, encounter_id=desk.encounter_id, order_id=order_id
        )
        line = bills.lines_by_id(session, [restored.charge_id])[restored.charge_id]
        assert line.state is ChargeState.PENDING
    assert len(desk.propose().plan.placed) == 1


def test_all_examinations_are_planned_together_and_booked_as_planned(desk: ImagingDesk) -> None:
    desk.order("CT-C", "US-ABD", "GASTRO", "MR")
    with desk.database.write(desk.hour.doctor()) as session:
        clinical.place_laboratory_order(session, encounter_id=desk.encounter_id, code="LFT")
    desk.answer()
    proposal = desk.propose()
    names = [one.visit.name for one in proposal.plan.placed]
    assert names.index("腹部超声") < names.index("电子胃镜检查")
    assert names.index("肝功能") < names.index("腹部CT增强")
    assert len(proposal.days) == 1
    assert proposal.left_out == ()
    assert desk.book(proposal) == 5
    views = booked(desk)
    assert [v.starts_at for v in views] == [p.option.starts_at for p in proposal.plan.placed]
    ct = next(v for v in views if "CT" in v.name)
    assert (ct.ends_at - ct.starts_at).seconds == 1800  # two places of 15 minutes
    assert desk.propose().plan.placed == ()
    assert_slots_verify(desk)
    with desk.database.read(SYSTEM) as session:
        told = list(session.scalars(select(OutboxEvent.name)))
    assert told.count("scheduling.examination_booked") == 5
    assert told.count("scheduling.appointment_booked") == 1 + 6


def test_a_place_that_has_gone_leaves_nothing_booked_and_the_new_plan_says_what_changed(
    desk: ImagingDesk,
) -> None:
    from backend.journeys.examinations import changes_since, propose

    desk.order("US-ABD", "MR")
    desk.answer()
    proposal = desk.propose()
    taken = next(one for one in proposal.plan.placed if "超声" in one.visit.name)
    with desk.database.write(SYSTEM) as session:
        held = pool.hold_slot(
            session,
            patient_id=desk.hour.clinic.patient_ids[1],
            schedule_id=_schedule_of(desk, taken.option.slot_ids[0]),
            slot_id=taken.option.slot_ids[0],
            channel="counter",
        )
        pool.confirm_appointment(session, held.id)
    with pytest.raises(PlanOutdated):
        desk.book(proposal)
    assert booked(desk) == []
    fresh = desk.open()
    words = changes_since(fresh, propose(fresh), places_of(proposal))
    assert any("腹部超声" in line and "已被约走" in line for line in words)
    assert desk.book(desk.propose()) == 2
    assert_slots_verify(desk)


def _schedule_of(desk: ImagingDesk, slot_id: Id) -> Id:
    from backend.scheduling.models import Slot

    with desk.database.read(SYSTEM) as session:
        return session.get_one(Slot, slot_id).schedule_id


def test_places_that_break_a_rule_are_refused_whoever_asks(desk: ImagingDesk) -> None:
    desk.order("US-ABD", "GASTRO")
    problem = desk.open().problem
    us, gastro = problem.visits
    first = problem.options[gastro.key][0]
    late = next(
        o for o in problem.options[us.key] if o.day == first.day and o.starts_at > first.ends_at
    )
    with pytest.raises(PlanBreaksRule), desk.database.write(SYSTEM) as session:
        scheduling.book_examinations(
            session, hospital_id=desk.hospital_id, patient_id=desk.patient_id, problem=problem,
            chosen={us.key: late.slot_ids, gastro.key: first.slot_ids}, channel="counter",
        )  # fmt: skip
    assert booked(desk) == []


def test_a_magnet_waits_for_an_answer_and_a_pacemaker_forbids_it(desk: ImagingDesk) -> None:
    desk.order("MR", "US-ABD")
    lines = {line.order.type_code: line for line in desk.open().lines}
    assert lines["MR"].refusal is not None
    assert lines["MR"].refusal.is_question
    assert [one.visit.name for one in desk.propose().plan.placed] == ["腹部超声"]
    desk.answer(has_pacemaker=True)
    lines = {line.order.type_code: line for line in desk.open().lines}
    assert lines["MR"].refusal is not None
    assert lines["MR"].refusal.code == "pacemaker"
    desk.answer()
    assert len(desk.propose().plan.placed) == 2


def test_one_is_moved_in_one_step_and_the_others_stay(desk: ImagingDesk) -> None:
    desk.order("MR", "US-ABD")
    desk.answer()
    desk.book(desk.propose())
    before = {view.name: view for view in booked(desk)}
    moving = before["头颅磁共振平扫"]
    proposal = desk.propose(moving.id)
    assert [one.visit.name for one in proposal.plan.placed] == ["头颅磁共振平扫"]
    desk.book(proposal, moving.id)
    after = {view.name: view for view in booked(desk)}
    assert after["腹部超声"].id == before["腹部超声"].id
    assert after["头颅磁共振平扫"].id != moving.id
    assert after["头颅磁共振平扫"].starts_at != moving.starts_at
    assert_slots_verify(desk)


def test_moving_to_a_place_that_has_gone_keeps_the_old_time(desk: ImagingDesk) -> None:
    desk.order("US-ABD")
    desk.book(desk.propose())
    (moving,) = booked(desk)
    proposal = desk.propose(moving.id)
    placed = proposal.plan.placed[0]
    gone = replace(placed.option, slot_ids=(moving.id,))
    broken = replace(proposal, plan=replace(proposal.plan, placed=(replace(placed, option=gone),)))
    with pytest.raises(PlanOutdated):
        desk.book(broken, moving.id)
    assert [view.id for view in booked(desk)] == [moving.id]
    assert_slots_verify(desk)


def test_giving_back_is_for_its_own_patient_and_before_its_time(desk: ImagingDesk) -> None:
    desk.order("US-ABD")
    desk.book(desk.propose())
    (view,) = booked(desk)

    def cancel(patient: int = 0) -> None:
        with desk.database.write(SYSTEM) as session:
            scheduling.cancel_examination(
                session, examination_id=view.id,
                patient_id=desk.hour.clinic.patient_ids[patient], reason="患者取消",
            )  # fmt: skip

    with pytest.raises(ExaminationNotFound):
        cancel(1)
    desk.database.clock.set(view.starts_at)  # type: ignore[attr-defined]
    with pytest.raises(ExaminationBegun):
        cancel()
    assert_slots_verify(desk)


def test_cancelling_twice_changes_nothing(desk: ImagingDesk) -> None:
    desk.order("CT-C")
    desk.answer()
    desk.book(desk.propose())
    (view,) = booked(desk)
    for _ in range(2):
        with desk.database.write(SYSTEM) as session:
            scheduling.cancel_examination(
                session, examination_id=view.id, patient_id=desk.patient_id, reason="患者取消"
            )
    assert booked(desk) == []
    assert_slots_verify(desk)


def test_the_sheet_says_when_to_stop_eating(desk: ImagingDesk) -> None:
    desk.order("US-ABD")
    desk.book(desk.propose())
    views = booked(desk)
    elements = documents.preparation_document(
        views, hospital_name="杏林医院", name_masked="患*", at=desk.database.clock.now()
    )
    words = [str(e.get("text", "")) for e in elements]
    assert any("前一天 22:00 从这时起不要吃东西" in w for w in words)
    assert any(f"{local(views[0].starts_at):%H:%M} 腹部超声" in w for w in words)


def test_old_laboratory_orders_are_not_planned(desk: ImagingDesk) -> None:
    with desk.database.write(desk.hour.doctor()) as session:
        clinical.place_laboratory_order(session, encounter_id=desk.encounter_id, code="LFT")
        clinical.place_laboratory_order(session, encounter_id=desk.encounter_id, code="CBC")
    lines = {line.order.type_code: line for line in desk.open().lines}
    assert lines["LAB-LFT"].examination is not None
    assert lines["LAB-CBC"].examination is None  # not in the catalogue: no appointment needed
    desk.database.clock.advance(dt.timedelta(days=4))  # type: ignore[attr-defined]
    with desk.database.read(SYSTEM) as session:
        assert (
            list_examination_orders(
                session, patient_id=desk.patient_id, hospital_id=desk.hospital_id
            )
            == []
        )


def test_an_examination_that_loses_a_place_is_given_up_whole(desk: ImagingDesk) -> None:
    """What a stopped device does: one place is cancelled from elsewhere, the other goes with it, the order is open."""
    desk.order("CT-C")
    desk.answer()
    desk.book(desk.propose())
    (view,) = booked(desk)
    with desk.database.read(SYSTEM) as session:
        places = session.scalars(
            select(Appointment).where(Appointment.device_id.is_not(None))
        ).all()
    assert len(places) == 2
    with desk.database.write(SYSTEM) as session:
        refunds.refund_visit(session, appointment_id=places[0].id, reason="设备故障")
    event = AppointmentCancelled(
        desk.hospital_id, places[0].id, desk.patient_id, places[0].slot_id, was_booked=True
    )
    for _ in range(2):  # delivered at least once
        with desk.database.write(SYSTEM) as session:
            handlers.follow_place(session, event)
    assert booked(desk) == []
    assert_slots_verify(desk)
    placed = desk.propose().plan.placed
    assert [one.visit.name for one in placed] == ["腹部CT增强"]
    with desk.database.read(SYSTEM) as session:
        told = list(session.scalars(select(OutboxEvent.name)))
    assert told.count("scheduling.examination_cancelled") == 1
    assert view.name == "腹部CT增强"


def test_a_stopped_device_moves_nobody_to_another_device(desk: ImagingDesk) -> None:
    """An equivalent of one place would tear an examination apart: it is given up, and planned anew."""
    desk.order("US-ABD")
    desk.book(desk.propose())
    (view,) = booked(desk)
    day = local(view.starts_at).date()
    with desk.database.write(SYSTEM) as session:
        pool.stop_sessions(
            session,
            hospital_id=desk.hospital_id,
            scope=StopScope(day, day, department_id=desk.hour.clinic.department_id),
            reason="设备检修",
        )
        place = session.scalars(
            select(Appointment).where(Appointment.device_id == view.device.id)
        ).one()
        (found,) = session.scalars(
            select(Disruption.id).where(Disruption.appointment_id == place.id)
        )
    with desk.database.write(SYSTEM) as session:
        assert list_equivalents(session, found) == []
        assert settle_disruption(session, found) is DisruptionState.REFUNDED
    event = AppointmentCancelled(
        desk.hospital_id, place.id, desk.patient_id, place.slot_id, was_booked=True
    )
    with desk.database.write(SYSTEM) as session:
        handlers.follow_place(session, event)
    assert booked(desk) == []
    again = desk.propose().plan.placed
    assert [local(one.option.starts_at).date() == day for one in again] == [False]
    assert_slots_verify(desk)
