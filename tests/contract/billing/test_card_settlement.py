"""Settlement on the clock: each day's batches are closed once, after midnight, with the sandbox's bank."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select, text

from backend.billing import queries
from backend.billing.models import CardSettlement
from backend.billing.ports import GatewayRefused
from backend.billing.rules import CaseKind
from backend.billing.tasks import cards as card_tasks
from backend.bootstrap import periodic_jobs
from backend.channels.bank_card import BankCardGateway, BankConfig
from backend.kernel.clock import at_local
from tests.contract.wechat.sandbox_process import Sandbox
from tests.factories.card_desk import GOOD, MUTE, NINE, CardDesk, open_card_desk
from tests.factories.databases import SYSTEM
from tests.factories.webapp import make_program

TODAY = NINE.date()
LATE = at_local(TODAY, dt.time(23, 59))
MIDNIGHT = at_local(TODAY + dt.timedelta(days=1), dt.time.min)


@pytest.fixture
def desk(sandbox_process: Sandbox, tmp_path: Path) -> Iterator[CardDesk]:
    with open_card_desk(sandbox_process, tmp_path) as desk:
        yield desk


def tick(desk: CardDesk, at: dt.datetime) -> None:
    """The minute clock comes by at ``at``."""
    desk.clock.set(at)
    (job,) = card_tasks.jobs(desk.cashier.settle_due)
    job.run(desk.database)


def settled(desk: CardDesk) -> list[tuple[int, int, bool]]:
    """Batch, fen of the sales and whether the bank agrees, of all that was closed."""
    with desk.database.read(SYSTEM) as session:
        rows = session.scalars(select(CardSettlement).order_by(CardSettlement.settled_at)).all()
    return [(row.batch, row.sales_fen, row.is_balanced) for row in rows]


def test_the_job_is_on_the_clock_where_cards_are_taken(desk: CardDesk, tmp_path: Path) -> None:
    without = make_program(desk.database, tmp_path)
    names = [
        {job.name for job in periodic_jobs(program)}
        for program in (without, replace(without, bank=desk.bank))
    ]
    assert names[1] - names[0] == {"billing.settle_cards"}


def test_a_day_is_settled_once_after_its_midnight(desk: CardDesk) -> None:
    desk.swipe(GOOD)
    tick(desk, LATE)
    assert settled(desk) == []
    for minutes in (0, 5, 600):
        tick(desk, MIDNIGHT + dt.timedelta(minutes=minutes))
        assert settled(desk) == [(1, 2500, True)]
    desk.swipe(GOOD)
    tick(desk, MIDNIGHT + dt.timedelta(days=1))
    assert settled(desk) == [(1, 2500, True), (2, 2500, True)]
    with desk.database.read(SYSTEM) as session:
        assert queries.list_open_cases(session) == []


def test_a_batch_that_another_worker_closed_meanwhile_is_left_alone(desk: CardDesk) -> None:
    _bill, payment_id = desk.swipe(GOOD)
    tick(desk, MIDNIGHT)
    terminal_id = desk.act(payment_id).terminal_id or ""
    assert desk.cashier.settle(desk.database, terminal_id, only_due=True) is None
    assert settled(desk) == [(1, 2500, True)]


def test_a_bank_that_does_not_answer_is_asked_again(desk: CardDesk) -> None:
    desk.swipe(GOOD)
    desk.fault("silent", "settlement")
    tick(desk, MIDNIGHT)
    assert settled(desk) == []
    tick(desk, MIDNIGHT + dt.timedelta(minutes=5))
    assert settled(desk) == [(1, 2500, True)]


def test_a_bank_that_has_forgotten_the_key_gets_a_new_one(desk: CardDesk) -> None:
    desk.swipe(GOOD)
    desk.fault("silent", "settlement")
    tick(desk, MIDNIGHT)
    desk.sandbox.reset()  # the bank has forgotten keys and sales
    tick(desk, MIDNIGHT + dt.timedelta(minutes=5))
    assert settled(desk) == []
    tick(desk, MIDNIGHT + dt.timedelta(minutes=10))
    assert settled(desk) == [(1, 2500, False)]


def test_a_terminal_with_a_sale_in_doubt_waits_for_its_reversal(desk: CardDesk) -> None:
    desk.swipe(GOOD)
    _bill, payment_id = desk.swipe(MUTE)
    tick(desk, MIDNIGHT)
    assert settled(desk) == []
    assert not desk.check(payment_id)
    tick(desk, MIDNIGHT + dt.timedelta(minutes=5))
    assert settled(desk) == [(1, 2500, True)]


def test_totals_that_are_not_the_banks_are_a_money_case(desk: CardDesk) -> None:
    _bill, payment_id = desk.swipe(GOOD)
    with desk.database.write(SYSTEM, housekeeping=True) as session:
        session.execute(text("UPDATE billing_card_act SET amount_fen = 2400"))
    tick(desk, MIDNIGHT)
    assert settled(desk) == [(1, 2400, False)]
    with desk.database.read(SYSTEM) as session:
        (case,) = queries.list_case_views(session, desk.world.hospital_id)
    assert (case.kind, case.amount_fen) == (CaseKind.CARD_BATCH_DIFFERS, 2400)
    assert case.reference == f"{desk.act(payment_id).terminal_id} 000001"


def test_a_contract_that_is_not_there_yet_stops_nothing(desk: CardDesk) -> None:
    def missing() -> BankConfig:
        raise FileNotFoundError

    desk.cashier = replace(desk.cashier, bank=BankCardGateway(missing))
    with pytest.raises(GatewayRefused):
        desk.cashier.settle_due(desk.database)
    tick(desk, MIDNIGHT)
