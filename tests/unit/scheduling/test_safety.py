"""Who may not have an examination, and what must be asked first."""

from __future__ import annotations

from dataclasses import replace

import pytest

from backend.scheduling.rules.examinations import Examination
from backend.scheduling.rules.safety import PatientFacts, questions_for, refusal_of
from tests.factories.examinations import (
    BARIUM,
    BLOOD,
    COLON,
    CT,
    CT_C,
    EVERYTHING,
    FIT,
    MR,
    MR_C,
    RENAL,
    US_ABD,
    visit_of,
)


def code_of(e: Examination, facts: PatientFacts, renal: bool = False) -> str | None:
    refusal = refusal_of(e, facts, is_renal_ordered=renal)
    return refusal.code if refusal else None


@pytest.mark.parametrize("examination", EVERYTHING, ids=lambda e: e.code)
def test_nothing_is_refused_to_a_healthy_man(examination: Examination) -> None:
    assert code_of(examination, FIT) is None


@pytest.mark.parametrize(
    ("examination", "change", "code"),
    [
        (MR, {"has_pacemaker": True}, "pacemaker"),
        (MR, {"has_metal": True}, "metal"),
        (CT_C, {"has_iodinated_allergy": True}, "iodinated-allergy"),
        (MR_C, {"has_gadolinium_allergy": True}, "gadolinium-allergy"),
        (CT_C, {"egfr": 29}, "kidneys"),
        (MR_C, {"egfr": 29}, "kidneys"),
        (CT, {"sex": 2, "is_pregnant": True}, "pregnancy"),
        (BARIUM, {"has_obstruction": True}, "obstruction"),
        (COLON, {"has_obstruction": True}, "obstruction"),
        (MR, {"has_pacemaker": None, "has_metal": True}, "metal"),
    ],
)
def test_what_is_against_an_examination_comes_before_what_was_not_asked(
    examination: Examination, change: dict[str, object], code: str
) -> None:
    refusal = refusal_of(examination, replace(FIT, **change), is_renal_ordered=False)  # type: ignore[arg-type]
    assert refusal is not None
    assert (refusal.code, refusal.is_question) == (code, False)
    assert str(refusal.reason)
    assert str(refusal.next_step)


def test_a_plain_study_asks_nothing_of_a_man_and_about_pregnancy_of_a_woman() -> None:
    unknown = PatientFacts(age=30, sex=1)
    assert code_of(CT, unknown) is None
    assert code_of(CT, replace(unknown, sex=2)) == "pregnancy-unknown"
    assert code_of(CT, replace(unknown, sex=2, age=70)) is None
    assert code_of(US_ABD, replace(unknown, sex=2)) is None


def test_the_kidneys_of_the_old_are_known_or_measured_first() -> None:
    old = replace(FIT, age=60, egfr=None)
    assert code_of(CT_C, old) == "kidneys-unknown"
    assert code_of(CT_C, old, renal=True) is None
    assert code_of(CT_C, replace(old, age=59)) is None
    assert code_of(CT_C, replace(old, age=59, has_kidney_risk=True)) == "kidneys-unknown"
    assert code_of(CT_C, replace(old, age=59, has_kidney_risk=None)) == "kidney-risk-unknown"
    assert code_of(CT_C, replace(old, egfr=30)) is None


def test_only_what_matters_is_asked() -> None:
    assert questions_for([US_ABD, BLOOD], FIT) == frozenset()
    assert questions_for([MR], FIT) == {"has_pacemaker", "has_metal"}
    assert "is_pregnant" in questions_for([CT], replace(FIT, sex=2))
    assert "has_iodinated_allergy" in questions_for([CT_C], FIT)


def test_joint_examinations_share_a_visit() -> None:
    visit = visit_of(BLOOD, RENAL)
    assert visit.minutes == 5
    assert visit.name == "肝功能十二项、肾功能四项"
    assert visit_of(CT, CT).minutes == 25
