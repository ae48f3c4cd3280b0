"""The planner of examinations beside the rules of booking: reserves, the window, what is moved."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select, update

from backend.kernel.clock import at_local, local
from backend.kernel.uow import Database
from backend.scheduling.models import Schedule, Slot
from backend.scheduling.queries import examinations as queries
from backend.scheduling.rules import (
    BookingPolicies,
    BookingPolicy,
    Channel,
    PolicyFor,
    VisitType,
)
from tests.factories.clinic import MONDAY
from tests.factories.databases import SYSTEM
from tests.factories.imaging_desk import ImagingDesk, make_imaging_desk


@pytest.fixture
def desk(database: Database) -> ImagingDesk:
    return make_imaging_desk(database)


def reserve_until_tuesday(desk: ImagingDesk, channel: Channel) -> None:
    """Every place of a device of Monday is the channel's until it is over."""
    with desk.database.write(SYSTEM, housekeeping=True) as session:
        devices = select(Schedule.id).where(
            Schedule.device_id.is_not(None), Schedule.business_date == MONDAY
        )
        session.execute(
            update(Slot)
            .where(Slot.schedule_id.in_(devices))
            .values(
                reserved_for=channel,
                reserved_until=at_local(MONDAY + dt.timedelta(days=1), dt.time(0)),
            )
        )


@pytest.mark.parametrize(
    ("channel", "day"), [(Channel.KIOSK, MONDAY + dt.timedelta(days=1)), (Channel.COUNTER, MONDAY)]
)
def test_places_reserved_for_others_are_not_planned_with(
    desk: ImagingDesk, channel: Channel, day: dt.date
) -> None:
    reserve_until_tuesday(desk, channel)
    desk.order("MR")
    desk.answer()
    proposal = desk.propose()
    (placed,) = proposal.plan.placed
    assert placed.option.day == day
    assert desk.book(proposal) == 1


def test_the_window_is_that_of_the_policy_of_examinations(desk: ImagingDesk) -> None:
    short = PolicyFor(
        BookingPolicy(booking_days=3, same_day_channels=frozenset({Channel.KIOSK})),
        visit_type=VisitType.EXAMINATION,
    )
    desk.database.configuration = {BookingPolicies: BookingPolicies(exceptions=(short,))}
    desk.order("MR")
    desk.answer()
    opened = desk.open()
    (visit,) = opened.problem.visits
    days = {local(option.starts_at).date() for option in opened.problem.options[visit.key]}
    assert days == {MONDAY + dt.timedelta(days=n) for n in (1, 2, 3)}
    assert opened.last_day == MONDAY + dt.timedelta(days=3)
    assert desk.book(desk.propose()) == 1


def test_moving_leaves_other_open_orders_where_they_are(desk: ImagingDesk) -> None:
    """The second order would share the first one's visit, and ask for a longer place than the one chosen."""
    desk.order("CT-C")
    desk.answer()
    desk.book(desk.propose())
    with desk.database.read(SYSTEM) as session:
        (moving,) = queries.list_booked_examinations(
            session, patient_id=desk.patient_id, hospital_id=desk.hospital_id
        )
    desk.order("CT-C")
    assert desk.book(desk.propose(moving.id), moving.id) == 1
