"""The insurance pays its part of a bill over the real wire; silence is undone, never repeated."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select, text

from backend.billing import queries, service
from backend.billing.errors import (
    CredentialInvalid,
    InsuranceWholeOnly,
    InvoiceNotOpen,
    PaymentInFlight,
)
from backend.billing.models import InsuranceClaim, Refund
from backend.billing.rules import CaseKind, Channel, InvoiceState, PaymentState, RefundState, Tender
from backend.billing.rules.insurance import ClaimState
from backend.channels.insurance import NationalInsurance
from backend.contracts.billing import PaymentCheckDue, RefundCheckDue
from backend.kernel.dispatcher import Dispatcher
from backend.kernel.ids import Id
from backend.kernel.outbox import RetryLater
from backend.kernel.permissions import Actor, ActorKind
from tests.contract.wechat.sandbox_process import Sandbox
from tests.factories.databases import SYSTEM
from tests.factories.insurance_desk import (
    EMPLOYEE,
    FROZEN,
    FUND,
    OWN,
    Desk,
    open_insurance_desk,
)


@pytest.fixture
def desk(sandbox_process: Sandbox, tmp_path: Path) -> Iterator[Desk]:
    with open_insurance_desk(sandbox_process, tmp_path) as desk:
        yield desk


def test_the_fund_pays_its_part_and_the_patient_the_rest(desk: Desk) -> None:
    bill, claim_id = desk.claim()
    claim, payment = desk.read(claim_id), desk.payment(claim_id)
    assert claim.state is ClaimState.SETTLED
    assert (payment.tender, payment.state) == (Tender.INSURANCE, PaymentState.SUCCEEDED)
    assert payment.received_fen == FUND
    assert desk.bill(bill) == (InvoiceState.OPEN, OWN)
    desk.pay_rest(bill)
    assert desk.bill(bill) == (InvoiceState.PAID, 0)
    assert desk.problems() == []


def test_who_is_not_insured_is_told_so_and_pays_alone(desk: Desk) -> None:
    bill, claim_id = desk.claim(FROZEN)
    claim = desk.read(claim_id)
    assert (claim.state, claim.words) == (ClaimState.REFUSED, "参保人待遇已冻结")
    assert desk.bill(bill) == (InvoiceState.OPEN, 4500)
    with pytest.raises(CredentialInvalid):
        desk.claim("卡")


def test_the_insured_part_is_its_cashiers(desk: Desk) -> None:
    cashier = Actor(
        ActorKind.STAFF, id=Id(int=9), hospital_id=desk.world.hospital_id, label="S0009"
    )
    bill = desk.world.bill("REG-ASSOC", "LAB-CBC")
    with desk.database.write(cashier) as session:
        service.claim_insurance(session, invoice_id=bill, credential=EMPLOYEE)
    Dispatcher(desk.database).drain()
    with desk.database.read(SYSTEM) as session:
        shift = queries.get_open_shift(
            session, Id(int=9), hospital_id=desk.world.hospital_id, label="S0009"
        )
        [payment] = queries.list_payments(session, bill)
    assert [(line.tender, line.fen) for line in shift.lines] == [(Tender.INSURANCE, FUND)]
    assert (payment.channel, payment.actor_label) == (Channel.COUNTER, "S0009")


def test_another_persons_credential_is_not_taken_for_the_same(desk: Desk) -> None:
    bill, claim_id = desk.claim()
    desk.fault("swallow", "2207")
    bill = desk.world.bill("REG-ASSOC")
    with desk.database.write(SYSTEM) as session:
        claim_id = service.claim_insurance(session, invoice_id=bill, credential=EMPLOYEE).id
    for _state in ("asked", "being settled"):
        with desk.database.write(SYSTEM) as session:
            again = service.claim_insurance(session, invoice_id=bill, credential=EMPLOYEE)
            assert again.id == claim_id
        with pytest.raises(PaymentInFlight), desk.database.write(SYSTEM) as session:
            service.claim_insurance(session, invoice_id=bill, credential="310000002")
        Dispatcher(desk.database).drain()


def test_a_centre_that_is_away_is_asked_more_and_more_rarely(desk: Desk) -> None:
    desk.fault("swallow", "2207")
    _bill, claim_id = desk.claim()
    desk.fault("swallow", "2601", count=3)
    event = PaymentCheckDue(desk.world.hospital_id, desk.payment(claim_id).id)
    waits = []
    for hours in (0, 1, 24):
        desk.clock.advance(dt.timedelta(hours=hours))
        with pytest.raises(RetryLater) as later:
            desk.clerk.check(desk.database, event)
        waits.append(later.value.seconds)
    assert waits == [5, 30, 750]


def test_the_insurance_comes_before_other_tenders(desk: Desk) -> None:
    bill = desk.world.bill("REG-ASSOC", "LAB-CBC")
    with desk.database.write(SYSTEM) as session:
        service.pay_cash(session, invoice_id=bill, received_fen=1000, amount_fen=1000)
    with pytest.raises(InvoiceNotOpen), desk.database.write(SYSTEM) as session:
        service.claim_insurance(session, invoice_id=bill, credential=EMPLOYEE)


@pytest.mark.parametrize("infno", ["1101", "2201", "2203", "2204", "2206"])
@pytest.mark.parametrize("mode", ["silent", "swallow"])
def test_before_the_settlement_a_lost_answer_is_asked_for_again(
    infno: str, mode: str, desk: Desk
) -> None:
    desk.fault(mode, infno)
    _bill, claim_id = desk.claim()
    assert desk.read(claim_id).state is ClaimState.CREATED
    desk.clock.advance(dt.timedelta(seconds=4))
    Dispatcher(desk.database).drain()
    assert desk.read(claim_id).state is ClaimState.SETTLED
    assert desk.payment(claim_id).received_fen == FUND


def test_a_centre_that_stays_silent_is_given_up(desk: Desk) -> None:
    desk.fault("swallow", "2201", count=100)
    bill, claim_id = desk.claim()
    desk.clock.advance(dt.timedelta(minutes=4))
    Dispatcher(desk.database).drain()
    claim = desk.read(claim_id)
    assert claim.state is ClaimState.REFUSED
    assert "没有应答" in claim.words
    assert desk.bill(bill) == (InvoiceState.OPEN, 4500)


@pytest.mark.parametrize("mode", ["silent", "swallow", "differ"])
def test_a_settlement_that_is_not_believed_is_reversed(mode: str, desk: Desk) -> None:
    desk.fault(mode, "2207")
    desk.fault(mode, "2207")
    bill, claim_id = desk.claim()
    assert desk.read(claim_id).state is ClaimState.REVERSING
    assert desk.payment(claim_id).state is PaymentState.UNKNOWN
    desk.fault("silent", "2601")
    assert desk.check(claim_id), "the reversal's own answer may be lost too"
    assert not desk.check(claim_id)
    assert desk.read(claim_id).state is ClaimState.REVERSED
    assert desk.payment(claim_id).state is PaymentState.CLOSED
    assert desk.bill(bill) == (InvoiceState.OPEN, 4500)
    with desk.database.write(SYSTEM) as session:
        again = service.claim_insurance(session, invoice_id=bill, credential=EMPLOYEE).id
    Dispatcher(desk.database).drain()
    assert desk.read(again).state is ClaimState.SETTLED
    assert desk.problems() == []


def test_a_refused_settlement_ends_the_claim_in_the_centres_words(desk: Desk) -> None:
    desk.fault("refuse", "2207")
    bill, claim_id = desk.claim()
    assert desk.read(claim_id).words == "系统繁忙，请稍后再试"
    assert desk.payment(claim_id).state is PaymentState.FAILED
    assert desk.bill(bill) == (InvoiceState.OPEN, 4500)


def test_a_worker_that_dies_over_the_settlement_leads_to_a_reversal(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    real = NationalInsurance.settle

    def settle_then_die(*given: object, **named: object) -> None:
        real(*given, **named)  # type: ignore[arg-type]
        raise Killed

    monkeypatch.setattr(NationalInsurance, "settle", settle_then_die)
    with pytest.raises(Killed):
        desk.claim()
    with desk.database.read(SYSTEM) as session:
        claim_id = session.scalars(select(InsuranceClaim.id)).one()
    assert desk.read(claim_id).state is ClaimState.SETTLING
    assert desk.check(claim_id), "somebody may still be waiting for it"
    assert desk.check(claim_id, seconds=61)
    assert desk.read(claim_id).state is ClaimState.REVERSING
    assert not desk.check(claim_id)
    assert desk.payment(claim_id).state is PaymentState.CLOSED
    assert desk.problems() == []


def refund_state(desk: Desk, refund_id: Id) -> RefundState:
    with desk.database.read(SYSTEM) as session:
        return queries.get_refund(session, refund_id).state


def test_a_settlement_is_taken_back_whole(desk: Desk) -> None:
    bill, claim_id = desk.claim()
    desk.pay_rest(bill)
    refund_id = desk.refund(bill)
    assert refund_state(desk, refund_id) is RefundState.SUCCEEDED
    assert desk.read(claim_id).state is ClaimState.CANCELLED
    assert desk.problems() == []


def test_a_part_of_it_is_refused(desk: Desk) -> None:
    bill, claim_id = desk.claim()
    desk.pay_rest(bill)
    with pytest.raises(InsuranceWholeOnly):
        desk.refund(bill, 100)
    assert desk.read(claim_id).state is ClaimState.SETTLED


@pytest.mark.parametrize("mode", ["silent", "swallow"])
def test_an_unknown_taking_back_is_reversed_and_then_a_case_a_person_tries_again(
    mode: str, desk: Desk
) -> None:
    bill, _claim_id = desk.claim()
    desk.pay_rest(bill)
    desk.fault(mode, "2208")
    refund_id = desk.refund(bill)
    assert refund_state(desk, refund_id) is RefundState.UNKNOWN
    desk.clock.advance(dt.timedelta(seconds=61))
    desk.clerk.give_back(desk.database, RefundCheckDue(desk.world.hospital_id, refund_id))
    assert refund_state(desk, refund_id) is RefundState.ABNORMAL
    with desk.database.read(SYSTEM) as session:
        kinds = {case.kind for case in queries.list_open_cases(session)}
    assert kinds == {CaseKind.REFUND_ABNORMAL}
    with desk.database.write(SYSTEM) as session:
        service.retry_refund(session, refund_id)
    Dispatcher(desk.database).drain()
    assert refund_state(desk, refund_id) is RefundState.SUCCEEDED
    assert desk.problems() == []


def meanwhile_cancelling(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> list[type[Exception]]:
    """While the taking back waits so long for its answer, another worker comes for it; what it raised."""
    real, raised = NationalInsurance.cancel, list[type[Exception]]()

    def slow(*given: object, **named: object) -> None:
        real(*given, **named)  # type: ignore[arg-type]
        desk.clock.advance(dt.timedelta(seconds=seconds))
        with desk.database.read(SYSTEM) as session:
            refund_id = session.scalars(select(Refund.id).where(Refund.amount_fen == FUND)).one()
        try:
            desk.clerk.give_back(desk.database, RefundCheckDue(desk.world.hospital_id, refund_id))
        except RetryLater as later:
            raised.append(type(later))

    monkeypatch.setattr(NationalInsurance, "cancel", slow)
    return raised


def test_a_taking_back_that_is_still_being_sent_is_not_reversed(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    bill, claim_id = desk.claim()
    desk.pay_rest(bill)
    raised = meanwhile_cancelling(desk, monkeypatch, 20)
    refund_id = desk.refund(bill)
    assert raised == [RetryLater], "it comes again"
    assert refund_state(desk, refund_id) is RefundState.SUCCEEDED
    assert desk.read(claim_id).state is ClaimState.CANCELLED


def test_a_taking_back_that_was_reversed_meanwhile_pays_nothing_out(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    bill, claim_id = desk.claim()
    desk.pay_rest(bill)
    assert not meanwhile_cancelling(desk, monkeypatch, 61)
    refund_id = desk.refund(bill)
    assert refund_state(desk, refund_id) is RefundState.ABNORMAL
    assert desk.read(claim_id).state is ClaimState.SETTLED
    assert desk.problems() == []


def test_no_number_of_a_person_is_left_in_clear(desk: Desk) -> None:
    desk.claim()
    desk.claim(FROZEN)
    with desk.database.engine.connect() as connection:
        names = connection.execute(
            text("SELECT name FROM sqlite_master WHERE type = 'table'")
        ).scalars()
        dump = json.dumps(
            [
                [str(v) for v in row]
                for name in names
                for row in connection.execute(text(f"SELECT * FROM {name}"))
            ]
        )
    assert EMPLOYEE not in dump
    assert FROZEN not in dump
    assert '"3100' not in dump, "the insurance's own number is sealed"
