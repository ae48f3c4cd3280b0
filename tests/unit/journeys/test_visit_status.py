"""Where a visit stands, by the states of its parts."""

from __future__ import annotations

import pytest

from backend.clinical.rules import EncounterState
from backend.journeys.visit_status import STAGE_WORDS, Stage, stage_of
from backend.queueing.rules import TicketState
from backend.scheduling.rules import AppointmentState

CHECKED_IN = AppointmentState.CHECKED_IN


@pytest.mark.parametrize(
    ("appointment", "stage"),
    [
        (AppointmentState.HELD, Stage.TO_PAY),
        (AppointmentState.BOOKED, Stage.BOOKED),
        (AppointmentState.CHECKED_IN, Stage.WAITING),
        (AppointmentState.FULFILLED, Stage.DONE),
        (AppointmentState.CANCELLED, Stage.CANCELLED),
        (AppointmentState.EXPIRED, Stage.EXPIRED),
        (AppointmentState.NO_SHOW, Stage.NO_SHOW),
    ],
)
def test_the_appointment_alone(appointment: AppointmentState, stage: Stage) -> None:
    assert stage_of(appointment) is stage


def test_a_lapsed_hold_is_over_before_anybody_tidies_it() -> None:
    assert stage_of(AppointmentState.HELD, is_lapsed=True) is Stage.EXPIRED


@pytest.mark.parametrize(
    ("ticket", "stage"),
    [
        (TicketState.WAITING, Stage.WAITING),
        (TicketState.CALLED, Stage.CALLED),
        (TicketState.SERVING, Stage.IN_ROOM),
        (TicketState.MISSED, Stage.MISSED),
        (TicketState.TRANSFERRED, Stage.WAITING),
        (TicketState.LEFT, Stage.LEFT),
    ],
)
def test_in_the_queue(ticket: TicketState, stage: Stage) -> None:
    assert stage_of(CHECKED_IN, ticket=ticket) is stage


def test_done_needs_the_encounter_finished_and_no_bill_open() -> None:
    def stage(encounter: EncounterState, *, is_bill_open: bool) -> Stage:
        return stage_of(
            CHECKED_IN,
            ticket=TicketState.DONE,
            encounter=encounter,
            is_bill_open=is_bill_open,
        )

    assert stage(EncounterState.IN_PROGRESS, is_bill_open=False) is Stage.IN_ROOM
    assert stage(EncounterState.FINISHED, is_bill_open=True) is Stage.TO_SETTLE
    assert stage(EncounterState.FINISHED, is_bill_open=False) is Stage.DONE
    assert stage(EncounterState.CANCELLED, is_bill_open=False) is Stage.WAITING
    fulfilled = AppointmentState.FULFILLED
    assert stage_of(fulfilled, is_bill_open=True) is Stage.TO_SETTLE


def test_every_stage_has_words() -> None:
    assert set(STAGE_WORDS) == set(Stage)
