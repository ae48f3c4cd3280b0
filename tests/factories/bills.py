"""One open bill for a patient of any test hospital, and giving back what was paid of any."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from backend.billing import queries as bills
from backend.billing import service as billing
from backend.billing.rules import Channel, PriceCategory
from backend.kernel.ids import Id, new_id
from backend.kernel.uow import Database, today
from tests.factories.databases import SYSTEM


def open_bill(database: Database, hospital_id: Id, patient_id: Id, price_fen: int = 2500) -> Id:
    """A bill over one blood count; its id."""
    with database.write(SYSTEM) as session:
        billing.set_price(
            session,
            hospital_id=hospital_id,
            code="LAB-CBC",
            name="血常规（五分类）",
            unit="次",
            category=PriceCategory.LABORATORY,
            price_fen=price_fen,
            effective_from=today(session),
        )
        charge = billing.raise_charge(
            session,
            hospital_id=hospital_id,
            patient_id=patient_id,
            price_item_code="LAB-CBC",
            quantity=1,
            source_kind="order",
            source_id=new_id(),
        )
        session.flush()
        return billing.open_invoice(session, patient_id=patient_id, charge_ids=[charge.id]).id


def refund_part(
    session: Session,
    invoice_id: Id,
    amount_fen: int,
    *charges: Id,
    reason: str = "退号",
    channel: Channel | None = None,
    key: str | None = None,
) -> list[billing.Refund]:
    """Refund so much of a bill, from these of its charges (all) in their order; one refund a payment.

    What they have not left is asked for all the same, of the last of them.
    """
    lines = {line.charge_id: line for line in bills.get_invoice(session, invoice_id).lines}
    wanted: Sequence[Id] = charges or list(lines)
    parts = {}
    for charge_id in wanted:
        line = lines.get(charge_id)
        left = line.amount_fen - line.refunded_fen if line is not None else amount_fen
        parts[charge_id] = min(left, amount_fen) if charge_id != wanted[-1] else amount_fen
        amount_fen -= parts[charge_id]
    return billing.refund_charges(
        session, invoice_id=invoice_id, parts=parts, reason=reason, channel=channel, key=key
    )
