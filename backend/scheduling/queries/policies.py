"""Which policy holds for a session: from the configuration of the process."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy.orm import Session

from backend.kernel.ids import Id
from backend.kernel.uow import configured
from backend.organization import queries as organization
from backend.scheduling.rules import BookingPolicies, BookingPolicy, VisitType
from backend.scheduling.views import ScheduleView


def policies(session: Session) -> BookingPolicies:
    """All policies this process was started with; the usual rules when it was given none."""
    return configured(session, BookingPolicies)


def policy_for(
    session: Session, *, hospital_id: Id, department_id: Id, visit_type: VisitType
) -> BookingPolicy:
    """The policy of one kind of session; reads the codes of its places only where an exception names some."""
    known = policies(session)
    if not known.ask_for_codes:
        return known.of(visit_type)
    return known.of(
        visit_type,
        organization.get_hospital(session, hospital_id).code,
        organization.get_department(session, department_id).code,
    )


def policies_by_session(
    session: Session, sessions: Iterable[ScheduleView], hospital_id: Id
) -> dict[Id, BookingPolicy]:
    """The policy of each of a hospital's sessions, by schedule id; at most two queries."""
    known, found = policies(session), list(sessions)
    if not known.ask_for_codes:
        return {one.schedule_id: known.of(one.visit_type) for one in found}
    hospital = organization.get_hospital(session, hospital_id).code
    departments = organization.departments_by_id(session, {one.department_id for one in found})
    return {
        one.schedule_id: known.of(one.visit_type, hospital, departments[one.department_id].code)
        for one in found
    }
