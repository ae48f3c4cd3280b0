"""A booking is shown from what was just written, without asking again: it must be what a later reader sees."""

from __future__ import annotations

import pytest

from backend.billing import queries as bills
from backend.billing import service as billing
from backend.billing.models import Charge
from backend.journeys import booking
from backend.journeys.booking import BookedVisit
from backend.kernel.locks import lock_rows, own_row
from backend.kernel.uow import Database
from backend.scheduling import queries as appointments
from backend.scheduling.models import Appointment
from backend.scheduling.rules import Channel
from tests.factories.databases import SYSTEM
from tests.factories.rush import Morning, make_morning
from tests.factories.statements import Statements

#: The look at session and patient, the claim where it is a statement of its own, names, the price.
MOST_SELECTS = 4


@pytest.fixture
def morning(database: Database) -> Morning:
    """Two sessions with places, and the price of a visit."""
    return make_morning(database)


def book(morning: Morning) -> BookedVisit:
    with morning.database.write(SYSTEM) as session:
        return booking.book_visit(
            session,
            patient_id=morning.clinic.patient_ids[0],
            schedule_id=morning.schedule_ids[0],
            channel=Channel.KIOSK,
        )


def test_what_a_booking_shows_is_what_a_later_reader_sees(morning: Morning) -> None:
    shown = book(morning)
    with morning.database.read(SYSTEM) as session:
        assert shown.appointment == appointments.get_appointment(session, shown.appointment.id)
        assert shown.invoice == bills.get_invoice(session, shown.invoice.id)
    assert shown.appointment.invoice_id == shown.invoice.id
    assert [line.source_id for line in shown.invoice.lines] == [shown.appointment.id]


def test_a_booking_asks_for_nothing_it_has_just_written(morning: Morning) -> None:
    with Statements(morning.database) as sent:
        book(morning)
    assert sent.count <= MOST_SELECTS


def test_only_the_unit_of_work_that_took_a_place_goes_without_its_lock(morning: Morning) -> None:
    appointment_id = book(morning).appointment.id
    with morning.database.write(SYSTEM) as session:
        session.get_one(Appointment, appointment_id)
        assert own_row(session, Appointment, appointment_id) is None


def test_a_charge_not_yet_written_is_no_charge_among_others_that_are(morning: Morning) -> None:
    shown = book(morning)
    (written,) = (line.charge_id for line in shown.invoice.lines)
    with morning.database.write(SYSTEM) as session:
        fresh = billing.raise_charge(
            session,
            hospital_id=morning.clinic.hospital_id,
            patient_id=morning.clinic.patient_ids[0],
            price_item_code="REG-CHIEF",
            quantity=1,
            source_kind="order",
            source_id=written,
        )
        assert lock_rows(session, Charge, [fresh.id]) == [fresh]
        assert fresh in session.new
        found = lock_rows(session, Charge, [fresh.id, written])
        assert {row.id for row in found} == {fresh.id, written}
