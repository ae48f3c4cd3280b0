"""What holds for the bank's daily file and for the insurance's statement alike: wrong ones, and the command."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from rich.console import Console

from backend import reconciling
from backend.billing import queries, tasks
from backend.billing.ports import BillSource
from backend.billing.rules import BillChannel, DifferenceKind
from backend.bootstrap import Program
from backend.channels.bank_bill import BankBillSource
from backend.channels.insurance import NationalInsurance
from backend.channels.insurance_bill import InsuranceBillSource
from tests.contract.wechat.sandbox_process import Sandbox
from tests.factories.card_desk import GOOD, CardDesk, open_card_desk
from tests.factories.databases import SYSTEM
from tests.factories.desk_bills import DAY, differences, in_its_present, reconcile
from tests.factories.insurance_desk import Desk, open_insurance_desk
from tests.factories.webapp import make_settings


@pytest.fixture(params=[open_card_desk, open_insurance_desk], ids=["bank_card", "insurance"])
def desk(
    request: pytest.FixtureRequest, sandbox_process: Sandbox, tmp_path: Path
) -> Iterator[CardDesk | Desk]:
    with request.param(sandbox_process, tmp_path) as desk, in_its_present(desk):
        yield desk


@pytest.fixture
def source(desk: CardDesk | Desk) -> BillSource:
    if isinstance(desk, CardDesk):
        return BankBillSource(desk.bank)
    centre = desk.clerk.centre
    assert isinstance(centre, NationalInsurance)
    return InsuranceBillSource(centre, partial(tasks.list_insured, desk.database))


def sell(desk: CardDesk | Desk) -> None:
    if isinstance(desk, CardDesk):
        desk.swipe(GOOD)
    else:
        desk.claim()


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("drop_row", DifferenceKind.OURS_ONLY),
        ("extra_row", DifferenceKind.THEIRS_ONLY),
        ("wrong_amount", DifferenceKind.AMOUNT_DIFFERS),
    ],
)
def test_a_wrong_bill_is_a_difference_and_a_right_one_settles_it(
    fault: str, kind: DifferenceKind, desk: CardDesk | Desk, source: BillSource
) -> None:
    sell(desk)
    sell(desk)
    desk.sandbox.put("/sandbox/faults", bill=fault)
    wrong = reconcile(desk, source)
    (difference,) = differences(desk, wrong)
    assert (difference.kind, difference.is_open) == (kind, True)
    assert wrong.matched == (2 if kind is DifferenceKind.THEIRS_ONLY else 1)
    assert desk.problems() == []
    desk.sandbox.put("/sandbox/faults", bill="normal")
    right = reconcile(desk, source)
    # Money that only they know lies in suspense until a person says whose it is.
    assert right.open_differences == (1 if kind is DifferenceKind.THEIRS_ONLY else 0)
    assert desk.problems() == []


def test_the_command_covers_the_channel(desk: CardDesk | Desk, source: BillSource) -> None:
    sell(desk)
    folder = desk.sandbox.directory
    settings = make_settings(folder, wechatpay_file=folder / "merchant.json")
    program = Program(settings, None, desk.database, bills=(source,))  # type: ignore[arg-type]
    console = Console(record=True, width=80)
    assert reconciling.run(console, program, DAY, source.channel) == reconciling.NO_BILL
    said = console.export_text()
    assert all(word in said for word in (source.channel, DAY.isoformat()))
    status = reconciling.run(console, program, DAY, source.channel, is_next_morning=True)
    assert status == reconciling.EXPLAINED, console.export_text()
    with desk.database.read(SYSTEM) as session:
        (found,) = queries.list_runs(session, channel=BillChannel(source.channel))
    assert found.is_explained
