"""What was done or dispensed protects its money: marked when it happens, reversed with a reason by who may.

While a charge is marked, refunding it is refused (ChargeExecuted); giving the drug back or undoing the test
reverses the mark first. A mark on a charge that is not paid yet is kept all the same.
"""

from __future__ import annotations

from flask_babel import lazy_gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.billing import queries
from backend.billing.errors import ChargeNotPending
from backend.billing.models import Charge
from backend.kernel import audit
from backend.kernel.errors import InvalidInput
from backend.kernel.ids import Id
from backend.kernel.locks import lock_rows
from backend.kernel.uow import now


def mark_executed(session: Session, *, source_kind: str, source_id: Id) -> int:
    """The order behind these charges was carried out (or its drug dispensed); how many are marked. Idempotent."""
    marked = 0
    for charge in _charges_of(session, source_kind, source_id):
        if charge.executed_at is None:
            charge.executed_at = now(session)
            marked += 1
            _audit(session, "billing.mark_executed", charge)
    return marked


def reverse_execution(session: Session, *, source_kind: str, source_id: Id, reason: str) -> int:
    """The drug came back or the test was undone: its money may go back too; how many marks were lifted.

    InvalidInput (422) without a reason. Who may do this is the entry point's matter
    (``billing:execution:reverse``).
    """
    if not reason.strip():
        raise InvalidInput(_("请写明原因"), fields={"reason": _("必填")})
    lifted = 0
    for charge in _charges_of(session, source_kind, source_id):
        if charge.executed_at is not None:
            charge.executed_at = None
            lifted += 1
            _audit(session, "billing.reverse_execution", charge, reason=reason.strip()[:80])
    return lifted


def reverse_charge(session: Session, charge_id: Id, *, reason: str) -> int:
    """``reverse_execution`` of the order behind one charge; ChargeNotPending (409) for another hospital's."""
    charge = session.get(Charge, charge_id)
    if charge is None or queries.is_foreign(session, charge.hospital_id):
        raise ChargeNotPending(charge_id=str(charge_id))
    return reverse_execution(
        session, source_kind=charge.source_kind, source_id=charge.source_id, reason=reason
    )


def _charges_of(session: Session, source_kind: str, source_id: Id) -> list[Charge]:
    ids = session.scalars(
        select(Charge.id).where(
            Charge.source_id == source_id, Charge.source_kind == source_kind, queries.IS_LIVE
        )
    ).all()
    return lock_rows(session, Charge, ids)


def _audit(session: Session, action: str, charge: Charge, **detail: str) -> None:
    audit.record(
        session,
        action,
        entity="charge",
        entity_id=charge.id,
        patient_id=charge.patient_id,
        item=charge.price_item_code,
        **detail,
    )
