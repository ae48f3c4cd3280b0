"""What must lie between two examinations: each rule of the table by a case of its own."""

from __future__ import annotations

from dataclasses import replace

import pytest

from backend.scheduling.rules.examinations import Examination, Tracer
from backend.scheduling.rules.intervals import DAY, HOUR, RULES, gap_between
from backend.scheduling.rules.states import Modality
from tests.factories.examinations import (
    BARIUM,
    BLOOD,
    BONE,
    COLON,
    CT,
    CT_C,
    FIT,
    GASTRO,
    MR,
    MR_C,
    RENAL,
    THYROID,
    US_ABD,
    US_URO,
)

PET = Examination(
    "PET", "全身PET/CT显像", Modality.NUCLEAR, 60, fasting_hours=6, tracer=Tracer.FLUORINE
)
UPTAKE = Examination(
    "UPTAKE", "甲状腺吸碘率", Modality.NUCLEAR, 30, tracer=Tracer.IODINE, is_iodine_sensitive=True
)

CASES = [
    ("iodinated-twice", CT_C, CT_C, 2 * DAY, False),
    ("gadolinium-twice", MR_C, MR_C, 2 * DAY, False),
    ("iodinated-then-gadolinium", CT_C, MR_C, 4 * HOUR, False),
    ("gadolinium-then-iodinated", MR_C, CT_C, 4 * HOUR, False),
    ("iodine-blocks-thyroid", CT_C, THYROID, 60 * DAY, False),
    ("contrast-before-blood", CT_C, BLOOD, 0, True),
    ("barium-obscures", BARIUM, US_ABD, 3 * DAY, False),
    ("barium-before-nuclear", BARIUM, BONE, 3 * DAY, False),
    ("endoscopy-then-barium", GASTRO, BARIUM, DAY, False),
    ("gas-after-endoscopy", GASTRO, US_ABD, 0, True),
    ("technetium-near", BONE, US_URO, DAY, False),
    ("fluorine-near", PET, US_ABD, 12 * HOUR, False),
    ("iodine-near", UPTAKE, BLOOD, 2 * DAY, False),
    ("technetium-then-nuclear", BONE, PET, 2 * DAY, False),
    ("fluorine-then-nuclear", PET, BONE, DAY, False),
    ("iodine-then-nuclear", UPTAKE, BONE, 14 * DAY, False),
    ("drink-breaks-fast", US_URO, GASTRO, 0, True),
    ("fill-after-fast", GASTRO, US_URO, HOUR, False),
    ("sedation-last", COLON, MR, 0, True),
]


@pytest.mark.parametrize(
    ("code", "first", "second", "minutes", "next_day"), CASES, ids=lambda v: str(v)[:30]
)
def test_each_rule_holds_in_its_order(
    code: str, first: Examination, second: Examination, minutes: int, next_day: bool
) -> None:
    gap = gap_between([first], [second], FIT)
    assert code in gap.codes
    assert gap.minutes >= minutes
    assert gap.next_day or not next_day
    assert all(str(reason) for reason in gap.reasons)


def test_every_rule_of_the_table_has_a_case() -> None:
    assert {rule.code for rule in RULES} == {code for code, *_rest in CASES}


@pytest.mark.parametrize(
    ("first", "second"),
    [(US_ABD, BARIUM), (US_ABD, GASTRO), (BLOOD, CT_C), (THYROID, CT_C), (CT, MR), (US_URO, BONE)],
    ids=lambda e: e.code,
)
def test_the_sensible_order_costs_nothing(first: Examination, second: Examination) -> None:
    assert gap_between([first], [second], FIT).is_free


def test_slow_kidneys_need_longer() -> None:
    slow = replace(FIT, egfr=45)
    assert gap_between([CT_C], [MR_C], slow).minutes == 7 * DAY
    assert gap_between([CT], [MR], slow).is_free


def test_whose_kidneys_are_unknown_has_blood_drawn_first_and_waits_for_the_result() -> None:
    old = replace(FIT, age=72, egfr=None)
    assert gap_between([RENAL], [CT_C], old).minutes == 2 * HOUR
    assert gap_between([CT_C], [RENAL], old).is_forbidden
    assert gap_between([RENAL], [CT_C], FIT).is_free


def test_visits_of_several_examinations_obey_the_rules_of_each() -> None:
    gap = gap_between([CT, CT_C], [BLOOD, RENAL], FIT)
    assert gap.codes == ("contrast-before-blood",)
