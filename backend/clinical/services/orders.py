"""Orders of an open encounter; each raises its charge, and takes it back when it is cancelled."""

from __future__ import annotations

from flask_babel import lazy_gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.billing import queries as bills
from backend.billing import service as billing
from backend.billing.rules import ChargeState
from backend.clinical import rules
from backend.clinical.errors import CatalogueItemUnknown, OrderNotCancellable, OrderUnknown
from backend.clinical.models import Drug, Encounter, LaboratoryPanel, Order
from backend.clinical.rules import OrderKind, OrderState
from backend.clinical.services import access
from backend.contracts import clinical as events
from backend.kernel import outbox
from backend.kernel.errors import InvalidInput
from backend.kernel.ids import Id, new_id
from backend.kernel.locks import lock_row
from backend.kernel.uow import now
from backend.scheduling import examinations
from backend.scheduling.queries import examinations as schedules
from backend.scheduling.rules import MODALITY_WORDS

#: The source of the charges that orders raise.
ORDER = "order"


def place_drug_order(
    session: Session,
    *,
    encounter_id: Id,
    code: str,
    quantity: int,
    dose: str = "",
    route: str = "",
    frequency: str = "",
) -> Order:
    """Order ``quantity`` packages of a drug; what is left empty takes the formulary's usual words."""
    encounter = access.writable(session, encounter_id)
    drug = session.scalar(
        select(Drug).where(Drug.hospital_id == encounter.hospital_id, Drug.code == code)
    )
    if drug is None:
        raise CatalogueItemUnknown(item=code)
    return _place(
        session,
        encounter,
        Order(
            kind=OrderKind.DRUG,
            item_code=drug.code,
            name=drug.name,
            specification=f"{drug.form} {drug.strength}",
            unit=drug.unit,
            quantity=quantity,
            dose=dose.strip() or drug.dose,
            route=route.strip() or drug.route,
            frequency=frequency.strip() or drug.frequency,
        ),
        price_item_code=drug.code,
    )


def place_laboratory_order(
    session: Session, *, encounter_id: Id, code: str, quantity: int = 1
) -> Order:
    """Order a laboratory examination."""
    encounter = access.writable(session, encounter_id)
    panel = session.scalar(
        select(LaboratoryPanel).where(
            LaboratoryPanel.hospital_id == encounter.hospital_id, LaboratoryPanel.code == code
        )
    )
    if panel is None:
        raise CatalogueItemUnknown(item=code)
    return _place(
        session,
        encounter,
        Order(
            kind=OrderKind.LABORATORY,
            item_code=panel.code,
            name=panel.name,
            specification=f"{panel.specimen} · {panel.container}",
            unit="次",
            quantity=quantity,
            dose="",
            route="",
            frequency="",
        ),
        price_item_code=panel.price_item_code,
    )


def place_examination_order(session: Session, *, encounter_id: Id, code: str) -> Order:
    """Order an examination of the scheduling catalogue (CT, ultrasound, endoscopy …); it is booked afterwards."""
    encounter = access.writable(session, encounter_id)
    kind = schedules.find_examination_type(session, hospital_id=encounter.hospital_id, code=code)
    if kind is None:
        raise CatalogueItemUnknown(item=code)
    return _place(
        session,
        encounter,
        Order(
            kind=OrderKind.EXAMINATION,
            item_code=kind.code,
            name=kind.name,
            specification=str(MODALITY_WORDS[kind.modality]),
            unit="次",
            quantity=1,
            dose="",
            route="",
            frequency="",
        ),
        price_item_code=kind.price_item_code,
    )


def cancel_order(session: Session, *, encounter_id: Id, order_id: Id) -> Order:
    """Take back an order that is on no bill yet; its charge is cancelled with it, and its booked examination.

    Repeating changes nothing. OrderNotCancellable (409) when it is billed or carried out.
    """
    encounter = access.writable(session, encounter_id)
    order = lock_row(session, Order, order_id)
    if order is None or order.encounter_id != encounter_id:
        raise OrderUnknown
    if order.state is OrderState.CANCELLED:
        return order
    line = bills.lines_by_id(session, [order.charge_id])[order.charge_id]
    if order.state is not OrderState.ACTIVE or line.state is not ChargeState.PENDING:
        raise OrderNotCancellable
    billing.cancel_charge(session, order.charge_id)
    if order.kind is not OrderKind.DRUG:
        examinations.drop_order(
            session, order_id=order_id, patient_id=order.patient_id, reason=str(_("医嘱已撤销"))
        )
    order.state, order.ended_at = OrderState.CANCELLED, now(session)
    access.record(session, "cancel_order", encounter, order_id=order_id)
    session.flush()
    return order


def restore_order(session: Session, *, encounter_id: Id, order_id: Id) -> Order:
    """Undo a cancellation: the same order again, at today's price. Repeating changes nothing.

    CatalogueItemUnknown (404) when the examination is no longer offered; errors of ``raise_charge``.
    """
    encounter = access.writable(session, encounter_id)
    order = lock_row(session, Order, order_id)
    if order is None or order.encounter_id != encounter_id:
        raise OrderUnknown
    if order.state is not OrderState.CANCELLED:
        return order
    price_item_code: str | None = order.item_code
    if order.kind is OrderKind.LABORATORY:
        price_item_code = session.scalar(
            select(LaboratoryPanel.price_item_code).where(
                LaboratoryPanel.hospital_id == order.hospital_id,
                LaboratoryPanel.code == order.item_code,
            )
        )
    if order.kind is OrderKind.EXAMINATION:
        kind = schedules.find_examination_type(
            session, hospital_id=order.hospital_id, code=order.item_code
        )
        price_item_code = kind.price_item_code if kind is not None else None
    if price_item_code is None:
        raise CatalogueItemUnknown(item=order.item_code)
    order.charge_id = _charge(session, order, price_item_code)
    order.state, order.ended_at = OrderState.ACTIVE, None
    access.record(session, "restore_order", encounter, order_id=order_id)
    session.flush()
    return order


def _charge(session: Session, order: Order, price_item_code: str) -> Id:
    charge = billing.raise_charge(
        session,
        hospital_id=order.hospital_id,
        patient_id=order.patient_id,
        price_item_code=price_item_code,
        quantity=order.quantity,
        source_kind=ORDER,
        source_id=order.id,
    )
    session.flush()
    return charge.id


def _place(session: Session, encounter: Encounter, order: Order, *, price_item_code: str) -> Order:
    if not 1 <= order.quantity <= rules.MOST_PACKAGES:
        raise InvalidInput(
            _("数量有误"), fields={"quantity": _("请填 1 到 %(n)s", n=rules.MOST_PACKAGES)}
        )
    for field, most in rules.DIRECTION_LENGTHS.items():
        if len(getattr(order, field)) > most:
            raise InvalidInput(fields={field: _("最多 %(n)s 个字", n=most)})
    order.id = new_id()
    order.hospital_id, order.patient_id = encounter.hospital_id, encounter.patient_id
    order.encounter_id, order.ordered_at = encounter.id, now(session)
    order.state = OrderState.ACTIVE
    order.charge_id = _charge(session, order, price_item_code)
    session.add(order)
    session.flush()
    outbox.publish(
        session,
        events.OrderPlaced(
            encounter.hospital_id, encounter.id, order.id, order.patient_id, order.kind.value
        ),
    )
    access.record(session, "place_order", encounter, order_id=order.id, item=order.item_code)
    return order
