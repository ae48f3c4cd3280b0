"""Money cases: opened by the program when money stands where it should not, closed by a person."""

from __future__ import annotations

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.billing import queries, rules
from backend.billing.errors import CaseUnknown
from backend.billing.models import MoneyCase, Payment
from backend.billing.ports import TradeStatus
from backend.billing.rules import CaseKind, CaseState, EntryKind, Tender
from backend.billing.services import ledger
from backend.contracts.billing import MoneyCaseOpened
from backend.kernel import audit, outbox
from backend.kernel.errors import Conflict, InvalidInput
from backend.kernel.ids import Id, new_id
from backend.kernel.locks import lock_row
from backend.kernel.uow import actor, now


def open_case(
    session: Session,
    kind: CaseKind,
    *,
    reference: str,
    hospital_id: Id | None,
    amount_fen: int,
    payment_id: Id | None = None,
    refund_id: Id | None = None,
    tender: Tender | None = None,
    **facts: str | int | None,
) -> MoneyCase:
    """Open a case, or give the one that is there for this kind and reference.

    A case that was closed opens again: the same trouble has come back.
    """
    case = session.scalar(
        select(MoneyCase).where(MoneyCase.kind == kind, MoneyCase.reference == reference)
    )
    if case is not None and case.state is CaseState.OPEN:
        return case
    if case is None:
        case = MoneyCase(
            id=new_id(),
            kind=kind,
            reference=reference,
            hospital_id=hospital_id,
            amount_fen=amount_fen,
            payment_id=payment_id,
            refund_id=refund_id,
            tender=tender,
        )
        session.add(case)
    case.state, case.facts, case.opened_at = CaseState.OPEN, dict(facts), now(session)
    case.closed_at, case.closed_by, case.reason = None, "", ""
    session.flush()
    audit.record(
        session,
        "billing.open_money_case",
        entity="money_case",
        entity_id=case.id,
        kind=kind,
        amount_fen=amount_fen,
    )
    if hospital_id is not None:
        outbox.publish(session, MoneyCaseOpened(hospital_id, case.id, kind.value))
    return case


def close_case(session: Session, case_id: Id, *, reason: str) -> MoneyCase:
    """Close a case with the reason a person gives; closing it again is a Conflict (409)."""
    case = lock_row(session, MoneyCase, case_id)
    if case is None:
        raise CaseUnknown
    if case.hospital_id is not None and queries.is_foreign(session, case.hospital_id):
        raise CaseUnknown
    if not reason.strip():
        raise InvalidInput(_("请写明处理结果"), fields={"reason": _("必填")})
    if case.state is CaseState.CLOSED:
        raise Conflict(code="money_case_closed")
    _close(session, case, reason.strip())
    return case


def close_settled_cases(session: Session, kind: CaseKind, reference: str, reason: str) -> None:
    """Close the program's own case once the program has put the money right."""
    case = session.scalar(
        select(MoneyCase).where(
            MoneyCase.kind == kind,
            MoneyCase.reference == reference,
            MoneyCase.state == CaseState.OPEN,
        )
    )
    if case is not None:
        _close(session, case, reason)


def record_stray_trade(
    session: Session, status: TradeStatus, *, tender: Tender = Tender.WECHAT_NATIVE
) -> MoneyCase | None:
    """Keep money a platform reports for an order that is not ours: into suspense, with a case.

    ``tender`` says which platform, and so where the money lies.

    None when nothing was paid. Idempotent by ``out_trade_no``. A known order is refused (ValueError):
    ``apply_trade_status`` is for those.
    """
    if not status.state.is_paid or not status.amount_fen:
        return None
    known = session.scalar(select(Payment.id).where(Payment.out_trade_no == status.out_trade_no))
    if known is not None:
        raise ValueError(f"payment {known} is ours")
    seen = session.scalar(
        select(MoneyCase).where(
            MoneyCase.kind == CaseKind.UNKNOWN_ORDER, MoneyCase.reference == status.out_trade_no
        )
    )
    if seen is not None:
        return seen
    case = open_case(
        session,
        CaseKind.UNKNOWN_ORDER,
        reference=status.out_trade_no,
        hospital_id=None,
        amount_fen=status.amount_fen,
        tender=tender,
        transaction_id=status.transaction_id,
    )
    ledger.post(
        session,
        EntryKind.STRAY_RECEIVED,
        source_id=case.id,
        hospital_id=None,
        lines=rules.payment_suspended(tender, status.amount_fen),
    )
    return case


def _close(session: Session, case: MoneyCase, reason: str) -> None:
    case.state, case.reason = CaseState.CLOSED, reason
    case.closed_at, case.closed_by = now(session), actor(session).label
    audit.record(session, "billing.close_money_case", entity="money_case", entity_id=case.id)
