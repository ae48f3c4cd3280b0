"""The insurance over the wire: a visit's whole way, and every answer that proves nothing."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from backend.billing.ports import GatewayRefused, GatewayUnknown
from backend.billing.ports.insurance import FeeLine, InsuranceSplit, InsuranceVisit, InsuredPerson
from backend.channels.insurance import NationalInsurance, load_insurance_file, signature
from tests.contract.wechat.sandbox_process import Sandbox

EMPLOYEE, RESIDENT, FROZEN, NOBODY = "310000001", "390000001", "999000001", "123"
AT = dt.datetime(2026, 11, 23, 1, 30, tzinfo=dt.UTC)
LINES = (
    FeeLine("L1", "REG", "挂号费", "registration", 1, 1000, 1000),
    FeeLine("L2", "CBC", "血常规", "laboratory", 2, 1050, 2100),
)
VISIT = InsuranceVisit("OTP-1", AT, "C50.9", "乳腺恶性肿瘤", "乳腺外科", LINES)


@pytest.fixture
def centre(sandbox: Sandbox) -> NationalInsurance:
    path = sandbox.directory / "insurance.json"
    return NationalInsurance(lambda: load_insurance_file(path))


@pytest.fixture
def person(centre: NationalInsurance) -> InsuredPerson:
    return centre.identify(EMPLOYEE, at=AT)


@pytest.fixture
def visit_id(centre: NationalInsurance, person: InsuredPerson) -> str:
    return centre.register(person, VISIT)


def fault(sandbox: Sandbox, mode: str, infno: str) -> None:
    sandbox.put("/sandbox/faults", insurance=mode, operation=infno, count=1)


def test_the_signature_is_the_platforms() -> None:
    # printf '1795397400secretnonce1795397400' | sha256sum
    assert signature("1795397400", "secret", "nonce") == (
        "174A139481CEBA8F31B3996B4C9B2D315C4DFD7B17C91D0A450AE9CBD63CAE24"
    )


def test_no_two_messages_of_a_second_have_one_name(centre: NationalInsurance) -> None:
    assert len({centre.new_message_id(AT) for _ in range(1000)}) == 1000


def test_a_visit_is_registered_split_settled_and_taken_back(
    centre: NationalInsurance, person: InsuredPerson, visit_id: str
) -> None:
    # 35 % of 10.00 for registration, 70 % of 21.00 for the laboratory.
    expected = InsuranceSplit(3100, 350 + 1470, 0, 1280)
    assert centre.pre_settle(person, visit_id, VISIT) == expected
    message_id = centre.new_message_id(AT)
    assert len(message_id) == 30
    settled = centre.settle(person, visit_id, VISIT, message_id=message_id)
    assert (settled.insured_fen, settled.self_fen) == (1820, 1280)
    assert settled.settled_at is not None
    with pytest.raises(GatewayRefused, match="存在有效结算"):
        centre.unregister(person, visit_id, at=AT)
    cancel_id = centre.new_message_id(AT)
    centre.cancel(person, visit_id, settled.settlement_id, at=AT, message_id=cancel_id)
    with pytest.raises(GatewayRefused, match="已撤销"):
        centre.cancel(person, visit_id, settled.settlement_id, at=AT, message_id=cancel_id)
    centre.unregister(person, visit_id, at=AT)


def test_residents_get_less(centre: NationalInsurance) -> None:
    person = centre.identify(RESIDENT, at=AT)
    assert person.insutype == "390"
    assert centre.pre_settle(person, centre.register(person, VISIT), VISIT).fund_fen == 250 + 1050


@pytest.mark.parametrize("credential", [FROZEN, NOBODY])
def test_who_is_not_insured_is_refused_in_words(credential: str, centre: NationalInsurance) -> None:
    with pytest.raises(GatewayRefused, match="参保人"):
        centre.identify(credential, at=AT)


def test_registering_again_is_the_same_visit(
    centre: NationalInsurance, person: InsuredPerson, visit_id: str
) -> None:
    assert centre.register(person, VISIT) == visit_id
    assert centre.pre_settle(person, visit_id, VISIT).total_fen == 3100, "no line counts twice"


@pytest.mark.parametrize("mode", ["silent", "swallow"])
def test_a_settlement_without_an_answer_is_reversed_and_may_be_made_anew(
    mode: str,
    centre: NationalInsurance,
    person: InsuredPerson,
    visit_id: str,
    sandbox: Sandbox,
) -> None:
    fault(sandbox, mode, "2207")
    lost = centre.new_message_id(AT)
    with pytest.raises(GatewayUnknown):
        centre.settle(person, visit_id, VISIT, message_id=lost)
    for _time in range(2):
        centre.reverse(person, infno="2207", message_id=lost, at=AT)
    with pytest.raises(GatewayRefused, match="已冲正"):
        centre.settle(person, visit_id, VISIT, message_id=lost)
    other = centre.new_message_id(AT + dt.timedelta(seconds=1))
    assert centre.settle(person, visit_id, VISIT, message_id=other).insured_fen == 1820


def test_a_cancelling_without_an_answer_is_reversed(
    centre: NationalInsurance, person: InsuredPerson, visit_id: str, sandbox: Sandbox
) -> None:
    settled = centre.settle(person, visit_id, VISIT, message_id=centre.new_message_id(AT))
    fault(sandbox, "silent", "2208")
    lost = centre.new_message_id(AT)
    with pytest.raises(GatewayUnknown):
        centre.cancel(person, visit_id, settled.settlement_id, at=AT, message_id=lost)
    centre.reverse(person, infno="2208", message_id=lost, at=AT)
    again = centre.new_message_id(AT + dt.timedelta(seconds=1))
    centre.cancel(person, visit_id, settled.settlement_id, at=AT, message_id=again)


def test_fees_that_are_not_those_sent_are_refused(
    centre: NationalInsurance, person: InsuredPerson, visit_id: str
) -> None:
    other = replace(VISIT, lines=LINES[:1])
    with pytest.raises(GatewayRefused, match="费用总额与明细不符"):
        centre.pre_settle(person, visit_id, other)


def test_a_stranger_is_refused(centre: NationalInsurance) -> None:
    stranger = NationalInsurance(lambda: replace(centre.config, secret_key="0" * 32))
    with pytest.raises(GatewayRefused, match="签名错误"):
        stranger.identify(EMPLOYEE, at=AT)
    late = NationalInsurance(lambda: centre.config, now=lambda: AT)
    with pytest.raises(GatewayRefused, match="时间戳"):
        late.identify(EMPLOYEE, at=AT)
