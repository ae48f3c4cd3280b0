"""Several channels beside each other: each bill answers for its own tenders, strangers' money in its own account."""

from __future__ import annotations

import datetime as dt

from backend.billing import queries
from backend.billing.queries import DifferenceView, RunView
from backend.billing.rules import DifferenceKind, Tender
from backend.billing.verify import verify_ledger
from backend.kernel.clock import at_local
from tests.factories.billing import MoneyWorld, paid
from tests.factories.channel_bills import ScriptedBills, line, reconcile
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
