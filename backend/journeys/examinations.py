"""Planning and booking a patient's examinations: orders of the clinic, places of the devices, answers of safety.

Three steps, because the solver may take two seconds and nothing may wait for it: ``open_desk`` reads in a unit of
work, ``propose`` plans outside of any, ``book_plan`` books in another, which checks everything again.
"""

from __future__ import annotations

import datetime as dt
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from backend.clinical import queries as clinical
from backend.clinical.views import ExaminationOrder
from backend.kernel.ids import Id, parse_id
from backend.kernel.uow import now, today
from backend.patients import queries as patients
from backend.patients.queries import PatientView
from backend.scheduling import examinations as scheduling
from backend.scheduling.queries import examinations as queries
from backend.scheduling.rules.examinations import Examination, Ordered, Visit
from backend.scheduling.rules.planning import Availability, Plan, Problem, make_plan
from backend.scheduling.rules.planning.explanation import DayPlan, explain_days, maker_words
from backend.scheduling.rules.safety import PatientFacts, Refusal, questions_for
from backend.scheduling.views import BookedExaminationView, DeviceView

#: Solvers at work in this process at a time; who comes beyond that gets the greedy plan at once.
_SOLVERS = threading.BoundedSemaphore(2)
_SOLVER_WAIT_SECONDS = 1.0
_IODINATED_WORDS = re.compile(r"碘|造影剂|对比剂")
_GADOLINIUM_WORDS = re.compile(r"钆|造影剂|对比剂")


@dataclass(frozen=True, slots=True)
class Line:
    """One order as the desk shows it: open, booked, refused, or of a kind that needs no appointment."""

    order: ExaminationOrder
    examination: Examination | None
    booked: BookedExaminationView | None
    refusal: Refusal | None


@dataclass(frozen=True, slots=True)
class Desk:
    """Everything about one patient's examinations, as of one moment. ``moving``: the booked one being moved."""

    patient: PatientView
    lines: tuple[Line, ...]
    booked: tuple[BookedExaminationView, ...]
    facts: PatientFacts
    answers: Mapping[str, bool | int | None]
    questions: frozenset[str]
    problem: Problem
    devices: Mapping[Id, DeviceView]
    availability: Availability
    today: dt.date
    last_day: dt.date
    moving: BookedExaminationView | None


@dataclass(frozen=True, slots=True)
class Proposal:
    """A plan in words. ``left_out``: visits that found no place in the patient's days."""

    plan: Plan
    days: tuple[DayPlan, ...]
    left_out: tuple[Visit, ...]
    maker_words: str
    devices: Mapping[Id, DeviceView]

    @property
    def stay_minutes(self) -> int:
        """Minutes in the hospital, all days together."""
        return sum(day.stay_minutes for day in self.days)


def open_desk(
    session: Session,
    patient_id: Id,
    *,
    hospital_id: Id,
    availability: Availability | None = None,
    moving_id: Id | None = None,
    only: frozenset[str] | None = None,
) -> Desk:
    """The desk of a patient's examinations; some twenty queries. PatientNotFound, also for another hospital's.

    What is planned are the open orders, or of them ``only`` these, or those of the examination being moved.
    """
    patient = patients.get_patient(session, patient_id, hospital_id=hospital_id)
    day = today(session)
    last_day = queries.last_plannable_day(session, hospital_id=hospital_id)
    free = availability or Availability(day, last_day)
    orders = clinical.list_examination_orders(
        session, patient_id=patient_id, hospital_id=hospital_id
    )
    types = queries.examinations_by_code(
        session, hospital_id=hospital_id, codes=[order.type_code for order in orders]
    )
    devices = queries.devices_by_id(session, hospital_id=hospital_id)
    known = queries.list_booked_examinations(
        session,
        patient_id=patient_id,
        hospital_id=hospital_id,
        first=now(session) - queries.HISTORY,
        devices=devices,
    )
    moving = next(
        (one for one in known if one.id == moving_id and one.starts_at > now(session)), None
    )
    standing = {one.order_id: view for view in known if view is not moving for one in view.ordered}
    ordered = [
        Ordered(str(order.id), types[order.type_code])
        for order in orders
        if order.type_code in types and str(order.id) not in standing
    ]
    if moving is not None:
        only = _orders_of(moving)
    if only is not None:
        ordered = [one for one in ordered if one.order_id in only]
    answers = queries.get_screening(session, patient_id)
    facts = facts_of(patient, answers)
    problem, refused = queries.build_problem(
        session,
        hospital_id=hospital_id,
        patient_id=patient_id,
        patient=facts,
        ordered=ordered,
        availability=free,
        devices=devices,
        booked=[view for view in known if view is not moving],
    )
    return Desk(
        patient=patient,
        lines=tuple(
            Line(o, types.get(o.type_code), standing.get(str(o.id)), refused.get(str(o.id)))
            for o in orders
        ),
        booked=tuple(view for view in known if view.ends_at > now(session)),
        facts=facts,
        answers=answers,
        questions=questions_for([one.examination for one in ordered], facts),
        problem=problem,
        devices=devices,
        availability=free,
        today=day,
        last_day=last_day,
        moving=moving,
    )


def _orders_of(view: BookedExaminationView) -> frozenset[str]:
    return frozenset(one.order_id for one in view.ordered)


def facts_of(patient: PatientView, answers: Mapping[str, bool | int | None]) -> PatientFacts:
    """What safety knows of a patient: the newest answers, and an allergy to contrast that stands in the record."""
    facts = PatientFacts(age=patient.age, sex=patient.sex, **answers)  # type: ignore[arg-type]
    changes: dict[str, bool] = {}
    if _IODINATED_WORDS.search(patient.allergies):
        changes["has_iodinated_allergy"] = True
    if _GADOLINIUM_WORDS.search(patient.allergies):
        changes["has_gadolinium_allergy"] = True
    if not changes:
        return facts
    values = {name: getattr(facts, name) for name in PatientFacts.__slots__}
    return PatientFacts(**{**values, **changes})


def propose(desk: Desk) -> Proposal:
    """Plan what is open on the desk; takes up to some two seconds, so call it outside any unit of work."""
    may_solve = _SOLVERS.acquire(timeout=_SOLVER_WAIT_SECONDS)
    try:
        plan = make_plan(desk.problem, with_solver=may_solve)
    finally:
        if may_solve:
            _SOLVERS.release()
    placed = {one.visit.key for one in plan.placed}
    return Proposal(
        plan=plan,
        days=tuple(explain_days(desk.problem, plan)),
        left_out=tuple(v for v in desk.problem.visits if v.key not in placed),
        maker_words=maker_words(plan),
        devices=desk.devices,
    )


def book_plan(
    session: Session,
    *,
    patient_id: Id,
    hospital_id: Id,
    chosen: Mapping[str, tuple[Id, ...]],
    moving_id: Id | None = None,
) -> int:
    """Book the chosen places, all or none; with ``moving_id`` that examination is given up for them. How many visits.

    Raises PlanOutdated when anything changed since the plan was made, PlanBreaksRule, ExaminationBegun.
    """
    scheduling.lock_examinations(session, patient_id)
    only = None
    if moving_id is not None:
        # Other open orders are not moved with it: they might share its visit and ask for a longer place.
        known = queries.list_booked_examinations(
            session, patient_id=patient_id, hospital_id=hospital_id
        )
        only = frozenset[str]().union(*(_orders_of(one) for one in known if one.id == moving_id))
        scheduling.cancel_examination(
            session, examination_id=moving_id, patient_id=patient_id, reason=_("改期")
        )
    desk = open_desk(session, patient_id, hospital_id=hospital_id, only=only)
    booked = scheduling.book_examinations(
        session,
        hospital_id=hospital_id,
        patient_id=patient_id,
        problem=desk.problem,
        chosen=chosen,
        channel=queries.DESK,
    )
    return len(booked)


def chosen_places(rows: list[str]) -> dict[str, tuple[Id, ...]]:
    """``key slot slot …`` of each form field as visit key → places; rows that are none are left out."""
    found: dict[str, tuple[Id, ...]] = {}
    for row in rows:
        key, *slots = row.split(" ")
        ids = tuple(slot_id for slot in slots if (slot_id := parse_id(slot)) is not None)
        if parse_id(key) is not None and ids and len(ids) == len(slots):
            found[key] = ids
    return found


def changes_since(
    desk: Desk, proposal: Proposal, chosen: Mapping[str, tuple[Id, ...]]
) -> tuple[str, ...]:
    """What a new plan does otherwise than the one that was asked for, visit by visit."""
    placed = {one.visit.key: one for one in proposal.plan.placed}
    words = []
    for visit in desk.problem.visits:
        asked, now_at = chosen.get(visit.key), placed.get(visit.key)
        if now_at is None:
            words.append(_("“%(name)s”已没有合适的空位", name=visit.name))
        elif asked is None:
            words.append(_("“%(name)s”是新加的医嘱", name=visit.name))
        elif asked != now_at.option.slot_ids:
            is_gone = all(option.slot_ids != asked for option in desk.problem.options[visit.key])
            why = _("原来的时段已被约走") if is_gone else _("随其他检查一起调整")
            words.append(_("“%(name)s”换了时间：%(why)s", name=visit.name, why=why))
    gone = set(chosen) - {visit.key for visit in desk.problem.visits}
    if gone:
        words.append(_("有 %(n)s 项医嘱已撤销或已另外预约", n=len(gone)))
    return tuple(words)
