"""The billing state machine must notice: each fault here, planted in the program, makes it fail."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test
from sqlalchemy.orm import Session

from backend.billing import rules, service
from backend.billing.rules import Verdict
from backend.billing.services import refund_states, refunds
from backend.kernel.ids import Id
from tests.integration.billing.test_machine import MoneyMachine

Plant = Callable[[pytest.MonkeyPatch], None]


def takes_any_amount(plant: pytest.MonkeyPatch) -> None:
    sound = rules.judge_paid

    def judge(state: Any, **facts: Any) -> Verdict:
        return sound(state, **{**facts, "reported_fen": facts["asked_fen"]})

    plant.setattr(rules, "judge_paid", judge)


def keeps_what_came_too_late(plant: pytest.MonkeyPatch) -> None:
    plant.setattr(refunds, "give_back", lambda *_args, **_facts: None)


def takes_a_lost_answer_for_yes(plant: pytest.MonkeyPatch) -> None:
    def believe(session: Session, refund_id: Id) -> None:
        refund_states.finish_refund(session, refund_id)

    plant.setattr(service, "mark_refund_unknown", believe)


@pytest.mark.parametrize(
    "fault", [takes_any_amount, keeps_what_came_too_late, takes_a_lost_answer_for_yes]
)
def test_a_planted_fault_is_found(fault: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    fault(monkeypatch)
    with pytest.raises(AssertionError):
        run_state_machine_as_test(
            MoneyMachine, settings=settings(MoneyMachine.TestCase.settings, print_blob=False)
        )
