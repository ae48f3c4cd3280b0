"""Who may not have an examination, and what must be asked first; each refusal says what to do next.

Kinds of source: MR safety guidance (active implants, metal), contrast media guidance (allergy, eGFR under 30
mL/min/1.73 m²), radiation protection (pregnancy), barium and bowel cleansing (obstruction, perforation). A refusal
here never decides for the physician: it stops the booking until somebody does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from flask_babel import LazyString
from flask_babel import lazy_gettext as _

from backend.scheduling.rules.examinations import Contrast, Examination
from backend.scheduling.rules.states import Modality

#: Kidneys (eGFR, mL/min/1.73 m²): below the first no contrast without a physician's decision, below the second longer
#: intervals.
EGFR_REFUSED = 30
EGFR_SLOW = 60
#: From this age on the kidneys' function is known before contrast is given.
RENAL_CHECK_AGE = 60
#: Between these ages a woman is asked whether she is pregnant.
FERTILE_AGES = range(12, 56)
FEMALE = 2
#: Answers older than this are asked again.
SCREENING_DAYS = 30


@dataclass(frozen=True, slots=True)
class PatientFacts:
    """What safety asks about a patient; None = not asked yet. ``egfr`` in mL/min/1.73 m²."""

    age: int
    sex: int
    has_pacemaker: bool | None = None
    has_metal: bool | None = None
    has_iodinated_allergy: bool | None = None
    has_gadolinium_allergy: bool | None = None
    has_kidney_risk: bool | None = None
    egfr: int | None = None
    is_pregnant: bool | None = None
    has_obstruction: bool | None = None

    @property
    def has_slow_kidneys(self) -> bool:
        """True when contrast leaves the body slowly."""
        return self.egfr is not None and self.egfr < EGFR_SLOW

    def needs_renal_result(self, examination: Examination) -> bool:
        """True when contrast needs the kidneys' function to be known, and it is not."""
        at_risk = self.age >= RENAL_CHECK_AGE or bool(self.has_kidney_risk)
        return examination.contrast is not None and at_risk and self.egfr is None

    @property
    def can_be_pregnant(self) -> bool:
        """True for whom the question must be asked."""
        return self.sex == FEMALE and self.age in FERTILE_AGES


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an examination is not planned. ``is_question``: an answer is missing, nothing is against it yet."""

    code: str
    reason: LazyString
    next_step: LazyString
    is_question: bool = False


_ASK = _("请在下方“安全筛查”里问清楚再安排")
_DOCTOR = _("请医生评估后改开其他检查，或注明可以做")


def refusal_of(
    examination: Examination, patient: PatientFacts, *, is_renal_ordered: bool
) -> Refusal | None:
    """The first reason not to plan the examination, contraindications before open questions; None when there is none.

    ``is_renal_ordered``: a blood test of the kidneys' function is among what is planned.
    """
    found = list(_refusals(examination, patient, is_renal_ordered))
    found.sort(key=lambda refusal: refusal.is_question)
    return found[0] if found else None


def _refusals(e: Examination, p: PatientFacts, is_renal_ordered: bool) -> Iterator[Refusal]:
    if e.modality is Modality.MR:
        yield from _asked(p.has_pacemaker, "pacemaker", _("体内有心脏起搏器或其他电子植入物，不能做磁共振"),
                          _("还没有问有没有心脏起搏器"))  # fmt: skip
        yield from _asked(p.has_metal, "metal", _("体内有铁磁性金属，不能做磁共振"),
                          _("还没有问体内有没有金属"))  # fmt: skip
    if e.contrast is Contrast.IODINATED:
        yield from _asked(p.has_iodinated_allergy, "iodinated-allergy", _("对碘对比剂过敏"),
                          _("还没有问是否对碘对比剂过敏"))  # fmt: skip
    if e.contrast is Contrast.GADOLINIUM:
        yield from _asked(p.has_gadolinium_allergy, "gadolinium-allergy", _("对钆对比剂过敏"),
                          _("还没有问是否对钆对比剂过敏"))  # fmt: skip
    if e.contrast is not None:
        yield from _kidneys(e, p, is_renal_ordered)
    if (e.is_ionising or e.contrast is Contrast.GADOLINIUM) and p.can_be_pregnant:
        yield from _asked(p.is_pregnant, "pregnancy", _("怀孕期间不做这项检查"),
                          _("还没有问是否怀孕"))  # fmt: skip
    if e.has_barium or e.has_bowel_cleansing:
        yield from _asked(p.has_obstruction, "obstruction", _("怀疑肠梗阻或穿孔时不能喝钡剂、不能清肠"),
                          _("还没有问有没有肠梗阻的表现"))  # fmt: skip


def _kidneys(e: Examination, p: PatientFacts, is_renal_ordered: bool) -> Iterator[Refusal]:
    if p.egfr is not None and p.egfr < EGFR_REFUSED:
        reason = _("肾功能差（eGFR %(egfr)s，低于 30），不注射对比剂", egfr=p.egfr)
        yield Refusal("kidneys", reason, _DOCTOR)
    if p.has_kidney_risk is None and p.egfr is None and p.age < RENAL_CHECK_AGE:
        yield Refusal(
            "kidney-risk-unknown", _("还没有问有没有肾病、糖尿病"), _ASK, is_question=True
        )
    if p.needs_renal_result(e) and not is_renal_ordered:
        reason = _("60 岁以上或有肾病、糖尿病，注射对比剂前要知道肾功能")
        step = _("请加开“肾功能四项”一起安排，或在安全筛查里填最近的 eGFR")
        yield Refusal("kidneys-unknown", reason, step, is_question=True)


def _asked(
    answer: bool | None, code: str, reason: LazyString, question: LazyString
) -> Iterator[Refusal]:
    if answer is None:
        yield Refusal(f"{code}-unknown", question, _ASK, is_question=True)
    elif answer:
        yield Refusal(code, reason, _DOCTOR)


def questions_for(examinations: Iterable[Examination], patient: PatientFacts) -> frozenset[str]:
    """The fields of PatientFacts that these examinations ask about, answered or not."""
    asked: set[str] = set()
    for e in examinations:
        if e.modality is Modality.MR:
            asked |= {"has_pacemaker", "has_metal"}
        if e.contrast is not None:
            asked |= {"egfr", "has_kidney_risk"}
            iodinated = e.contrast is Contrast.IODINATED
            asked.add("has_iodinated_allergy" if iodinated else "has_gadolinium_allergy")
        if (e.is_ionising or e.contrast is Contrast.GADOLINIUM) and patient.can_be_pregnant:
            asked.add("is_pregnant")
        if e.has_barium or e.has_bowel_cleansing:
            asked.add("has_obstruction")
    return frozenset(asked)
