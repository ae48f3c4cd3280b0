"""Reads of money cases."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from backend.billing.errors import (
    CaseUnknown,
)
from backend.billing.models import (
    Invoice,
    MoneyCase,
    Payment,
    Refund,
)
from backend.billing.queries.bills import is_foreign
from backend.billing.rules import (
    CaseState,
)
from backend.billing.views import (
    CaseView,
    case_view,
)
from backend.kernel.ids import Id
from backend.kernel.uow import now


def list_open_cases(session: Session, *, limit: int = 100) -> list[MoneyCase]:
    """Money cases that wait for somebody, oldest first."""
    rows = select(MoneyCase).where(MoneyCase.state == CaseState.OPEN)
    return list(session.scalars(rows.order_by(MoneyCase.opened_at).limit(limit)))


def list_case_views(session: Session, hospital_id: Id, *, limit: int = 100) -> list[CaseView]:
    """The open money cases of a hospital, and those of nobody's orders, oldest first."""
    rows = session.execute(
        select(MoneyCase, Payment, Refund, Invoice.number)
        .outerjoin(Refund, Refund.id == MoneyCase.refund_id)
        .outerjoin(Payment, Payment.id == MoneyCase.payment_id)
        .outerjoin(Invoice, Invoice.id == Payment.invoice_id)
        .where(_open_at(hospital_id))
        .order_by(MoneyCase.opened_at)
        .limit(limit)
    )
    return [case_view(*row, at=now(session)) for row in rows]


def count_cases(session: Session, hospital_id: Id) -> int:
    """How many ``list_case_views`` has without a limit."""
    rows = select(func.count()).select_from(MoneyCase).where(_open_at(hospital_id))
    return session.scalar(rows) or 0


def _open_at(hospital_id: Id) -> ColumnElement[bool]:
    return and_(
        MoneyCase.state == CaseState.OPEN,
        or_(MoneyCase.hospital_id == hospital_id, MoneyCase.hospital_id.is_(None)),
    )


def get_case(session: Session, case_id: Id) -> MoneyCase:
    """One money case; CaseUnknown (404)."""
    case = session.get(MoneyCase, case_id)
    if case is None or (case.hospital_id and is_foreign(session, case.hospital_id)):
        raise CaseUnknown
    return case
