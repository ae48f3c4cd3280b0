"""Several channels beside each other: each bill answers for its own tenders, strangers' money in its own account."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import select

from backend.billing import queries, service
from backend.billing.models import BillItem, CardAct, InsuranceClaim, Refund
from backend.billing.models.insurance import PERSON_CONTEXT
from backend.billing.ports import RefundState, RefundStatus
from backend.billing.queries import DifferenceView, RunView
from backend.billing.rules import Channel, DifferenceKind, Tender
from backend.billing.rules.cards import CardActKind, CardActState
from backend.billing.rules.insurance import ClaimState
from backend.billing.verify import verify_ledger
from backend.kernel.clock import at_local
from backend.kernel.ids import Id, new_id
from backend.kernel.permissions import ActorKind
from backend.kernel.uow import keys
from tests.factories.billing import MoneyWorld, paid
from tests.factories.bills import refund_part
from tests.factories.channel_bills import ScriptedBills, back, line, reconcile
from tests.factories.databases import SYSTEM

DAY = dt.date(2026, 11, 23)
DUE = 2500


def at(hour: int) -> dt.datetime:
    return at_local(DAY, dt.time(hour))


def sell(world: MoneyWorld, tender: Tender, hour: int) -> str:
    """A bill paid that way: the order's number."""
    _id, number = world.start_qr(world.bill("REG-ASSOC"), DUE, tender)
    world.report(paid(number, DUE, at(hour)))
    return number


def differences(world: MoneyWorld, run: RunView) -> list[DifferenceView]:
    with world.database.read(SYSTEM) as session:
        return queries.list_differences(session, run.id, hospital_id=world.hospital_id)


def problems(world: MoneyWorld) -> list[str]:
    with world.database.read(SYSTEM) as session:
        return verify_ledger(session).problems


def test_each_channel_answers_for_its_own_tenders(world: MoneyWorld) -> None:
    wechat = sell(world, Tender.WECHAT_NATIVE, 9)
    alipay = sell(world, Tender.ALIPAY_QR, 10)
    bills = ScriptedBills("alipay")
    bills.add(DAY, line(alipay, DUE, at(10)), line("STRANGER1", 8800, at(12)))
    run = reconcile(world, bills, DAY)
    # The payment over WeChat is none of Alipay's; a stranger's money stands in Alipay's clearing account.
    assert (run.matched, run.our_payments_fen, run.open_differences) == (1, DUE, 1)
    assert [d.number for d in differences(world, run)] == ["STRANGER1"]
    # WeChat's bill lists Alipay's number: not one it may know.
    bills = ScriptedBills("wechat")
    bills.add(DAY, line(wechat, DUE, at(9)), line(alipay, DUE, at(10)))
    run = reconcile(world, bills, DAY)
    assert [(d.kind, d.number) for d in differences(world, run)] == [
        (DifferenceKind.THEIRS_ONLY, alipay)
    ]
    assert problems(world) == []


def take_back(world: MoneyWorld, payment_id: Id) -> str:
    """A refund of the whole payment is asked for: its number."""
    with world.database.write(SYSTEM) as session:
        [made] = refund_part(session, queries.get_payment(session, payment_id).invoice_id, DUE)
        return made.out_refund_no


def card_act(world: MoneyWorld, payment_id: Id, stan: str, refund_id: Id | None = None) -> None:
    """What the terminal has sent for a payment, or for a refund of it."""
    with world.database.write(SYSTEM, housekeeping=True) as session:
        session.add(
            CardAct(
                id=new_id(),
                hospital_id=world.hospital_id,
                payment_id=payment_id,
                refund_id=refund_id,
                kind=CardActKind.REFUND if refund_id else CardActKind.SALE,
                state=CardActState.APPROVED,
                amount_fen=DUE,
                card_number_masked="",
                terminal_id="XL000001",
                batch=7,
                stan=stan,
                rrn="112312345678",
                created_at=at(9),
            )
        )


def test_a_banks_lines_find_our_documents_by_the_message_and_a_strangers_keep_their_name(
    world: MoneyWorld,
) -> None:
    payment_id, number = world.start_qr(world.bill("REG-ASSOC"), DUE, Tender.BANK_CARD)
    world.report(paid(number, DUE, at(9)))
    card_act(world, payment_id, "000002")
    refund_no = take_back(world, payment_id)
    with world.database.read(SYSTEM) as session:
        refund_id = session.scalars(select(Refund.id)).one()
    card_act(world, payment_id, "000003", refund_id)
    bills = ScriptedBills("bank_card")
    bills.add(
        DAY,
        line("XL000001000007000002", DUE, at(9)),
        line("XL000001000008000002", DUE, at(10)),
        back("XL000001000007000003", "112312345678", DUE, at(11)),
    )
    run = reconcile(world, bills, DAY)
    # The refund was not answered yet: its dialogue goes on, and the bill does not end it.
    assert {(d.kind, d.number) for d in differences(world, run)} == {
        (DifferenceKind.THEIRS_ONLY, refund_no),
        (DifferenceKind.THEIRS_ONLY, "XL000001000008000002"),
    }
    assert run.matched == 1
    world.report_refund(RefundStatus(refund_no, number, RefundState.SUCCESS, DUE))
    run = reconcile(world, bills, DAY)
    assert (run.matched, run.open_differences) == (2, 1)
    with world.database.read(SYSTEM) as session:
        items = session.scalars(select(BillItem).order_by(BillItem.line)).all()
        assert [(item.number, item.out_trade_no) for item in items] == [
            (number, number),
            ("XL000001000008000002", "XL000001000008000002"),
            (refund_no, number),
        ]
    assert problems(world) == []


def test_the_insurance_is_asked_with_what_was_settled_and_taken_back_around_the_day(
    world: MoneyWorld,
) -> None:
    payment_id, number = world.start_qr(world.bill("REG-ASSOC"), DUE, Tender.INSURANCE)
    world.report(paid(number, DUE, at(9)))
    with world.database.write(SYSTEM, housekeeping=True) as session:
        payment = queries.get_payment(session, payment_id)
        session.add(
            InsuranceClaim(
                id=new_id(),
                hospital_id=world.hospital_id,
                invoice_id=payment.invoice_id,
                payment_id=payment_id,
                state=ClaimState.SETTLED,
                person_sealed=keys(session).seal("310000000001", PERSON_CONTEXT),
                credential_masked="310****",
                channel=Channel.COUNTER,
                actor_kind=ActorKind.SYSTEM,
                actor_label="test",
                insutype="310",
                settlement_id="S1",
                message_id="MSG1",
                total_fen=DUE,
                fund_fen=DUE,
                created_at=at(9),
            )
        )
    refund_no = take_back(world, payment_id)
    world.report_refund(RefundStatus(refund_no, number, RefundState.SUCCESS, DUE))
    with world.database.read(SYSTEM) as session:
        found = service.list_insured(session, DAY)
        assert [(one.number, one.is_refund, one.is_settled) for one in found] == [
            (number, False, True),
            (refund_no, True, True),
        ]
        assert {(one.settlement_id, one.person.psn_no, one.insured_fen) for one in found} == {
            ("S1", "310000000001", DUE)
        }
        assert service.list_insured(session, DAY + dt.timedelta(days=2)) == []
