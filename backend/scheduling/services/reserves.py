"""Puts the reserves of the policy on the places of a new session."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from backend.scheduling import rules
from backend.scheduling.queries import policy_for


def with_reserves(
    session: Session, schedule: dict[str, Any], slots: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """``slots`` (rows to insert) of ``schedule`` with the channel each is reserved for, and until when.

    A session keeps the reserves it was made with: a policy changed later holds for sessions made later.
    """
    policy = policy_for(
        session,
        hospital_id=schedule["hospital_id"],
        department_id=schedule["department_id"],
        visit_type=schedule["visit_type"],
    )
    reserved = rules.reserved_numbers(len(slots), policy.reserves)
    day = schedule["business_date"]
    for slot in slots:
        reserve = reserved.get(slot["number"])
        slot["reserved_for"] = None if reserve is None else reserve.channel
        slot["reserved_until"] = None if reserve is None else reserve.released_at(day)
    return slots
