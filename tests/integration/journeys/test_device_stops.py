"""One device stops: its examinations are given up whole and planned anew on others of its kind; nobody else is hit."""

from __future__ import annotations

import datetime as dt

import pytest

from backend.kernel.clock import FixedClock, local
from backend.kernel.dispatcher import Dispatcher
from backend.kernel.ids import Id
from backend.kernel.outbox import Subscriptions
from backend.kernel.uow import Database
from backend.scheduling import queries, service
from backend.scheduling.queries import examinations as booked_queries
from backend.scheduling.rules import DisruptionState, Modality, StopScope
from backend.scheduling.services.stops import find_forgotten
from backend.scheduling.verify import verify_slots
from backend.scheduling.views import BookedExaminationView
from tests.factories.clinic import MONDAY
from tests.factories.databases import SYSTEM
from tests.factories.imaging import add_device, open_days
from tests.factories.imaging_desk import ImagingDesk, make_imaging_desk
from tests.factories.visits import subscribe

LATER = MONDAY + dt.timedelta(days=14)


@pytest.fixture
def subscriptions() -> Subscriptions:
    return subscribe(Subscriptions())


@pytest.fixture
def desk(database: Database) -> ImagingDesk:
    """Two CTs; the patient has a CT of two places and an ultrasound."""
    desk = make_imaging_desk(database)
    add_device(database, desk.hour.clinic, Modality.CT, code="CT-2", capacity=16)
    open_days(database, desk.hour.clinic, MONDAY, LATER)
    desk.order("CT-C", "US-ABD")
    desk.answer()
    assert desk.book(desk.propose()) == 2
    return desk


def booked(desk: ImagingDesk) -> dict[Modality, BookedExaminationView]:
    with desk.database.read(SYSTEM) as session:
        found = booked_queries.list_booked_examinations(
            session, patient_id=desk.patient_id, hospital_id=desk.hospital_id
        )
    return {one.device.modality: one for one in found}


def scope_of(desk: ImagingDesk, device_id: Id, first: dt.date, last: dt.date) -> StopScope:
    department_id = desk.hour.clinic.department_id
    return StopScope(first, last, department_id=department_id, device_id=device_id)


def stop(desk: ImagingDesk, device_id: Id, first: dt.date, last: dt.date | None = None) -> Id:
    scope = scope_of(desk, device_id, first, last or first)
    with desk.database.write(SYSTEM) as session:
        return service.stop_sessions(
            session, hospital_id=desk.hospital_id, scope=scope, reason="CT 故障"
        ).id


def assert_sound(desk: ImagingDesk) -> None:
    with desk.database.write(SYSTEM, housekeeping=True) as session:
        assert find_forgotten(session) == 0
    with desk.database.read(SYSTEM) as session:
        assert verify_slots(session).problems == []


def test_its_examination_goes_whole_and_is_planned_on_another_of_its_kind(
    desk: ImagingDesk,
) -> None:
    ct = booked(desk)[Modality.CT]
    day = local(ct.starts_at).date()
    with desk.database.read(SYSTEM) as session:
        preview = queries.preview_stop(
            session, hospital_id=desk.hospital_id, scope=scope_of(desk, ct.device.id, day, day)
        )
    assert {view.device_id for view in preview.sessions} == {ct.device.id}
    assert (len(preview.visits), preview.patient_count) == (2, 1)
    assert preview.others
    assert ct.device.id not in {view.device_id for view in preview.others}
    stop_id = stop(desk, ct.device.id, day)
    Dispatcher(desk.database).drain()
    assert booked(desk).keys() == {Modality.ULTRASOUND}
    with desk.database.read(SYSTEM) as session:
        told = queries.list_disruptions(session, stop_id=stop_id)
        view = queries.get_stop(session, stop_id)
    assert [(one.state, one.state_words, one.practitioner_name) for one in told] == [
        (DisruptionState.REFUNDED, "检查已取消，待改约", ct.device.name)
    ] * 2
    assert view.whom == f"{ct.device.name} · 乳腺外科"
    assert_sound(desk)
    proposal = desk.propose()
    (placed,) = proposal.plan.placed
    assert (placed.option.device_id, local(placed.option.starts_at).date()) != (ct.device.id, day)
    assert desk.book(proposal) == 1
    assert_sound(desk)


def test_what_it_has_done_before_it_broke_stays_done(desk: ImagingDesk, clock: FixedClock) -> None:
    """Nobody notes that an examination took place: a place that is over is not given up."""
    ct = booked(desk)[Modality.CT]
    clock.set(ct.ends_at)
    stop_id = stop(desk, ct.device.id, local(ct.starts_at).date())
    Dispatcher(desk.database).drain()
    assert booked(desk)[Modality.CT].id == ct.id
    with desk.database.read(SYSTEM) as session:
        assert queries.list_disruptions(session, stop_id=stop_id) == []
    assert_sound(desk)


def test_it_is_not_planned_while_the_notice_is_in_force_and_again_once_it_is_lifted(
    desk: ImagingDesk,
) -> None:
    device_id, first, last = (
        booked(desk)[Modality.CT].device.id,
        LATER + dt.timedelta(days=7),
        LATER + dt.timedelta(days=11),
    )
    stop_id = stop(desk, device_id, first, last)
    open_days(desk.database, desk.hour.clinic, first, last)
    assert device_id not in _running(desk, first, last)
    assert len(_running(desk, first, last)) > 3
    with desk.database.write(SYSTEM) as session:
        service.resume_sessions(session, stop_id)
    open_days(desk.database, desk.hour.clinic, first, last)
    assert device_id in _running(desk, first, last)


def test_two_notices_hand_a_session_on_to_each_other(desk: ImagingDesk) -> None:
    ct = booked(desk)[Modality.CT]
    day = local(ct.starts_at).date()
    short = stop(desk, ct.device.id, day)
    stop(desk, ct.device.id, day, day + dt.timedelta(days=1))
    with desk.database.write(SYSTEM) as session:
        assert service.resume_sessions(session, short) == 0
    assert ct.device.id not in _running(desk, day, day)
    other = next(d for d in _running(desk, day, day) if d is not None)
    assert other != ct.device.id
    Dispatcher(desk.database).drain()
    assert_sound(desk)


def _running(desk: ImagingDesk, first: dt.date, last: dt.date) -> set[Id | None]:
    """The devices with an open session on those days."""
    with desk.database.read(SYSTEM) as session:
        return {
            view.device_id
            for view in queries.list_schedules(
                session, hospital_id=desk.hospital_id, first=first, last=last
            )
            if view.status.value == "open"
        }
