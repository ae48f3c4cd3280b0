"""Notes, diagnoses and orders of an encounter, on both databases."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select

from backend.billing import queries as bills
from backend.billing import service as billing
from backend.clinical import queries, service
from backend.clinical.errors import (
    CatalogueItemUnknown,
    EncounterFinished,
    EncounterUnknown,
    NotYourEncounter,
    OrderNotCancellable,
    OrderUnknown,
)
from backend.clinical.rules import OrderKind, OrderState
from backend.clinical.views import EncounterView
from backend.kernel.audit import AuditEvent
from backend.kernel.clock import FixedClock
from backend.kernel.errors import InvalidInput, StaleVersion
from backend.kernel.ids import Id, new_id
from backend.kernel.permissions import Actor
from tests.factories.clinic import make_clinic
from tests.factories.clinical import DOCTOR, Hour
from tests.factories.databases import SYSTEM
from tests.factories.webapp import staff_actor


def write_note(hour: Hour, encounter_id: Id, version: int, **words: str) -> int:
    note = {"complaint": "", "history": "", "examination": ""} | words
    with hour.database.write(hour.doctor()) as session:
        return service.record_note(
            session, encounter_id=encounter_id, version=version, **note
        ).version


def read(hour: Hour, encounter_id: Id) -> EncounterView:
    with hour.database.read(SYSTEM) as session:
        return queries.get_encounter(session, encounter_id)


def order_drug(hour: Hour, encounter_id: Id, quantity: int = 2, **directions: str) -> Id:
    with hour.database.write(hour.doctor()) as session:
        return service.place_drug_order(
            session, encounter_id=encounter_id, code="DRG-1", quantity=quantity, **directions
        ).id


def audit_rows(hour: Hour, action: str) -> int:
    with hour.database.read(SYSTEM) as session:
        return len(session.scalars(select(AuditEvent).where(AuditEvent.action == action)).all())


def test_a_note_replaces_the_note_it_was_opened_from(hour: Hour) -> None:
    encounter_id = hour.begin()
    first = read(hour, encounter_id).version
    second = write_note(hour, encounter_id, first, complaint=" 左乳肿物2月 ")
    assert second == first + 1
    assert read(hour, encounter_id).complaint == "左乳肿物2月"
    with pytest.raises(StaleVersion):
        write_note(hour, encounter_id, first, complaint="旧窗口")
    assert read(hour, encounter_id).complaint == "左乳肿物2月"
    assert audit_rows(hour, "clinical.record_note") == 1


def test_the_same_note_again_changes_nothing(hour: Hour) -> None:
    encounter_id = hour.begin()
    version = write_note(hour, encounter_id, 1, complaint="咳嗽")
    assert write_note(hour, encounter_id, version, complaint="咳嗽 ") == version
    assert audit_rows(hour, "clinical.record_note") == 1


def test_a_note_too_long_names_its_field(hour: Hour) -> None:
    encounter_id = hour.begin()
    with pytest.raises(InvalidInput) as caught:
        write_note(hour, encounter_id, 1, complaint="痛" * 2001)
    assert set(caught.value.fields) == {"complaint"}
    write_note(hour, encounter_id, 1, complaint="痛" * 2000, history="史" * 4000)


def test_one_diagnosis_is_primary_however_they_come_and_go(hour: Hour, clock: FixedClock) -> None:
    encounter_id = hour.begin()
    doctor = hour.doctor()
    for code in ("C50.9", "R11.x", "C50.9"):
        clock.advance(dt.timedelta(seconds=1))
        with hour.database.write(doctor) as session:
            service.add_diagnosis(session, encounter_id=encounter_id, code=code)
    first, second = read(hour, encounter_id).diagnoses
    assert (first.code, first.is_primary, second.is_primary) == ("C50.9", True, False)
    for _ in range(2):
        with hour.database.write(doctor) as session:
            service.remove_diagnosis(session, encounter_id=encounter_id, diagnosis_id=first.id)
    (left,) = read(hour, encounter_id).diagnoses
    assert (left.code, left.is_primary) == ("R11.x", True)
    with pytest.raises(CatalogueItemUnknown), hour.database.write(doctor) as session:
        service.add_diagnosis(session, encounter_id=encounter_id, code="Z99.9")


def test_an_order_raises_its_charge_and_takes_it_back(hour: Hour) -> None:
    encounter_id = hour.begin()
    order_id = order_drug(hour, encounter_id, dose=" 4 mg ")
    (order,) = read(hour, encounter_id).orders
    assert (order.dose, order.route, order.frequency) == ("4 mg", "口服", "每日2次")
    assert (order.kind, order.amount_fen, order.is_billed) == (OrderKind.DRUG, 7700, False)
    for _ in range(2):
        with hour.database.write(hour.doctor()) as session:
            service.cancel_order(session, encounter_id=encounter_id, order_id=order_id)
    view = read(hour, encounter_id)
    assert (view.total_fen, view.orders[0].state) == (0, OrderState.CANCELLED)
    with hour.database.read(SYSTEM) as session:
        assert bills.list_due(session, hour.clinic.patient_ids[0]).total_fen == 0


def test_a_cancelled_order_comes_back_as_it_was(hour: Hour) -> None:
    encounter_id = hour.begin()
    drug_id = order_drug(hour, encounter_id, dose="4 mg")
    with hour.database.write(hour.doctor()) as session:
        panel_id = service.place_laboratory_order(session, encounter_id=encounter_id, code="CBC").id
    before = read(hour, encounter_id)
    for act in (service.cancel_order, service.restore_order, service.restore_order):
        for order_id in (drug_id, panel_id):
            with hour.database.write(hour.doctor()) as session:
                act(session, encounter_id=encounter_id, order_id=order_id)
    after = read(hour, encounter_id)
    assert after.orders == before.orders
    with hour.database.read(SYSTEM) as session:
        assert bills.list_due(session, hour.clinic.patient_ids[0]).total_fen == after.total_fen
    with pytest.raises(OrderUnknown), hour.database.write(hour.doctor()) as session:
        service.restore_order(session, encounter_id=encounter_id, order_id=new_id())


@pytest.mark.parametrize("quantity", [0, -1, 100])
def test_quantities_have_bounds(hour: Hour, quantity: int) -> None:
    encounter_id = hour.begin()
    with pytest.raises(InvalidInput) as caught:
        order_drug(hour, encounter_id, quantity)
    assert set(caught.value.fields) == {"quantity"}


def test_directions_have_bounds(hour: Hour) -> None:
    encounter_id = hour.begin()
    with pytest.raises(InvalidInput) as caught:
        order_drug(hour, encounter_id, frequency="每日2次" * 16)
    assert set(caught.value.fields) == {"frequency"}


def test_what_is_in_no_catalogue_cannot_be_ordered(hour: Hour) -> None:
    encounter_id = hour.begin()
    with pytest.raises(CatalogueItemUnknown), hour.database.write(hour.doctor()) as session:
        service.place_drug_order(session, encounter_id=encounter_id, code="DRG-9", quantity=1)
    with pytest.raises(CatalogueItemUnknown), hour.database.write(hour.doctor()) as session:
        service.place_laboratory_order(session, encounter_id=encounter_id, code="XYZ")
    with pytest.raises(OrderUnknown), hour.database.write(hour.doctor()) as session:
        service.cancel_order(session, encounter_id=encounter_id, order_id=new_id())


def test_a_billed_order_is_not_cancelled(hour: Hour) -> None:
    encounter_id = hour.begin()
    order_id = order_drug(hour, encounter_id)
    with hour.database.write(SYSTEM) as session:
        charge_id = session.get_one(service.Order, order_id).charge_id
        billing.open_invoice(session, patient_id=hour.clinic.patient_ids[0], charge_ids=[charge_id])
    with pytest.raises(OrderNotCancellable), hour.database.write(hour.doctor()) as session:
        service.cancel_order(session, encounter_id=encounter_id, order_id=order_id)


def foreign(hour: Hour) -> Actor:
    other = make_clinic(hour.database, code="H2", patients=0)
    return staff_actor(other.hospital_id, *DOCTOR, practitioner_id=other.practitioner_ids[0])


def test_only_its_practitioner_writes(hour: Hour) -> None:
    encounter_id = hour.begin()
    with pytest.raises(NotYourEncounter), hour.database.write(hour.doctor(1)) as session:
        service.add_diagnosis(session, encounter_id=encounter_id, code="C50.9")
    with pytest.raises(EncounterUnknown), hour.database.write(foreign(hour)) as session:
        service.add_diagnosis(session, encounter_id=encounter_id, code="C50.9")
    assert read(hour, encounter_id).diagnoses == ()


def test_a_finished_encounter_is_read_only(hour: Hour) -> None:
    encounter_id = hour.begin()
    with hour.database.write(hour.doctor()) as session:
        service.add_diagnosis(session, encounter_id=encounter_id, code="C50.9")
        service.finish_visit(session, encounter_id)
    with pytest.raises(EncounterFinished):
        write_note(hour, encounter_id, 2, complaint="补写")
    with pytest.raises(EncounterFinished):
        order_drug(hour, encounter_id)
