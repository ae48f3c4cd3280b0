"""One open bill for a patient of any test hospital."""

from __future__ import annotations

from backend.billing import service as billing
from backend.billing.rules import PriceCategory
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
