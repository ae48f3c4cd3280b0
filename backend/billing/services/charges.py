"""Raises and cancels charges: what a patient owes for an appointment, an order, a thing."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.billing import queries, rules
from backend.billing.errors import ChargeNotPending
from backend.billing.models import Charge, DepositAccount
from backend.billing.rules import ChargeState, EntryKind, PriceCategory
from backend.billing.services import ledger
from backend.contracts.billing import ChargeRaised
from backend.kernel import audit, outbox
from backend.kernel.errors import InvalidInput
from backend.kernel.ids import Id, new_id
from backend.kernel.locks import lock_rows
from backend.kernel.uow import now, today


def raise_charge(
    session: Session,
    *,
    hospital_id: Id,
    patient_id: Id,
    price_item_code: str,
    quantity: int,
    source_kind: str,
    source_id: Id,
    is_new_source: bool = False,
) -> Charge:
    """Charge ``quantity`` of an item at today's price for one source (an appointment, an order).

    The same source and item again gives the charge that is there; ``is_new_source``: the source came into being in
    this unit of work, so there can be none and none is looked for. PriceUnknown (404) when the list
    has no price today, InvalidInput (422) for a quantity below 1.
    """
    if quantity < 1:
        raise InvalidInput(code="quantity_invalid", quantity=quantity)
    live = None if is_new_source else _live(session, source_kind, source_id, price_item_code)
    if live is not None:
        return live
    price = queries.get_price(session, hospital_id, price_item_code, today(session))
    charge = Charge(
        id=new_id(),
        hospital_id=hospital_id,
        patient_id=patient_id,
        source_kind=source_kind,
        source_id=source_id,
        price_item_code=price.code,
        category=price.category,
        name=price.name,
        unit=price.unit,
        quantity=quantity,
        unit_price_fen=price.price_fen,
        amount_fen=rules.charge_amount(price.price_fen, quantity),
        refunded_fen=0,
        state=ChargeState.PENDING,
        raised_at=now(session),
    )
    session.add(charge)
    _enter(session, charge)
    return charge


def raise_top_up(session: Session, account: DepositAccount, amount_fen: int) -> Charge:
    """A top-up of a locked prepaid account as something to pay; it is on no price list."""
    charge = Charge(
        id=new_id(),
        hospital_id=account.hospital_id,
        patient_id=account.patient_id,
        source_kind="deposit",
        source_id=new_id(),
        price_item_code="DEPOSIT",
        category=PriceCategory.DEPOSIT,
        name="预交金充值",
        unit="笔",
        quantity=1,
        unit_price_fen=amount_fen,
        amount_fen=amount_fen,
        refunded_fen=0,
        state=ChargeState.PENDING,
        raised_at=now(session),
        account_id=account.id,
    )
    session.add(charge)
    _enter(session, charge)
    return charge


def cancel_charge(session: Session, charge_id: Id) -> Charge:
    """Cancel a charge that is on no bill; cancelling it again changes nothing.

    ChargeNotPending (409) when it is on a bill or paid: void the bill or refund it instead.
    """
    rows = lock_rows(session, Charge, [charge_id])
    if not rows or queries.is_foreign(session, rows[0].hospital_id):
        raise ChargeNotPending(charge_id=str(charge_id))
    charge = rows[0]
    if charge.state is ChargeState.CANCELLED:
        return charge
    if charge.state is not ChargeState.PENDING:
        raise ChargeNotPending(charge_id=str(charge_id), state=charge.state.value)
    write_off(session, charge)
    return charge


def write_off(session: Session, charge: Charge) -> None:
    """Cancel a locked charge and take its amount out of the books."""
    charge.state = rules.move(rules.CHARGE_MOVES, charge.state, ChargeState.CANCELLED)
    ledger.post(
        session,
        EntryKind.CHARGE_CANCELLED,
        source_id=charge.id,
        hospital_id=charge.hospital_id,
        lines=rules.charge_cancelled(charge.category, charge.amount_fen),
    )
    _audit(session, "billing.cancel_charge", charge)


def _live(session: Session, kind: str, source_id: Id, code: str) -> Charge | None:
    """What the source was charged for this item, unless it was cancelled."""
    found: Charge | None = session.scalar(
        select(Charge).where(
            Charge.source_kind == kind,
            Charge.source_id == source_id,
            Charge.price_item_code == code,
            queries.IS_LIVE,
        )
    )
    return found


def _enter(session: Session, charge: Charge) -> None:
    """A new charge enters the books."""
    ledger.post(
        session,
        EntryKind.CHARGE_RAISED,
        source_id=charge.id,
        hospital_id=charge.hospital_id,
        lines=rules.charge_raised(charge.category, charge.amount_fen),
    )
    _audit(session, "billing.raise_charge", charge)
    outbox.publish(
        session,
        ChargeRaised(
            charge.hospital_id,
            charge.patient_id,
            charge.id,
            charge.source_kind,
            charge.source_id,
            charge.amount_fen,
        ),
    )


def _audit(session: Session, action: str, charge: Charge) -> None:
    audit.record(
        session,
        action,
        entity="charge",
        entity_id=charge.id,
        patient_id=charge.patient_id,
        item=charge.price_item_code,
        amount_fen=charge.amount_fen,
    )
