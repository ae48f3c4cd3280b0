"""What must lie between two examinations of one patient, as a table, with the clinical reason in words.

Sources are of these kinds: radiology societies' guidance on contrast media (intervals between injections, kidney
function, thyroid studies after iodine), nuclear medicine procedure guidance (physical half-lives, exposure of other
staff), digestive endoscopy preparation guidance (barium, gas, sedation), and laboratory pre-analytics (blood before
contrast). Where a guideline gives a range or a site differs, the number here is the one to configure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from flask_babel import LazyString
from flask_babel import lazy_gettext as _

from backend.scheduling.rules.examinations import (
    BLADDER_MINUTES,
    Contrast,
    Examination,
    Tracer,
)
from backend.scheduling.rules.safety import PatientFacts
from backend.scheduling.rules.states import Modality

Test = Callable[[Examination], bool]
HOUR = 60
DAY = 24 * HOUR
#: From drawing the blood to the result of the kidneys' function.
RENAL_RESULT_MINUTES = 2 * HOUR


@dataclass(frozen=True, slots=True)
class PairRule:
    """After ``first`` an examination of ``second`` waits ``minutes`` from its end, or for another day.

    ``impaired_minutes`` replaces ``minutes`` for a patient whose kidneys are slow.
    """

    code: str
    first: Test
    second: Test
    reason: LazyString
    minutes: int = 0
    next_day: bool = False
    impaired_minutes: int | None = None


def _has(contrast: Contrast) -> Test:
    return lambda e: e.contrast is contrast


def _gives(tracer: Tracer) -> Test:
    return lambda e: e.tracer is tracer


def _is_near(e: Examination) -> bool:
    """Somebody works close to the patient, unshielded."""
    return e.modality in (Modality.ULTRASOUND, Modality.ENDOSCOPY, Modality.LABORATORY)


def _is_nuclear(e: Examination) -> bool:
    return e.tracer is not None


def _is_gut_endoscopy(e: Examination) -> bool:
    return e.modality is Modality.ENDOSCOPY and e.is_abdominal


def _anything(_e: Examination) -> bool:
    return True


RULES: tuple[PairRule, ...] = (
    PairRule(
        "iodinated-twice", _has(Contrast.IODINATED), _has(Contrast.IODINATED),
        _("两次注射碘对比剂之间要留时间让肾脏排出"), 2 * DAY, impaired_minutes=7 * DAY,
    ),
    PairRule(
        "gadolinium-twice", _has(Contrast.GADOLINIUM), _has(Contrast.GADOLINIUM),
        _("两次注射钆对比剂之间要留时间让肾脏排出"), 2 * DAY, impaired_minutes=7 * DAY,
    ),
    PairRule(
        "iodinated-then-gadolinium", _has(Contrast.IODINATED), _has(Contrast.GADOLINIUM),
        _("碘对比剂和钆对比剂至少间隔 4 小时"), 4 * HOUR, impaired_minutes=7 * DAY,
    ),
    PairRule(
        "gadolinium-then-iodinated", _has(Contrast.GADOLINIUM), _has(Contrast.IODINATED),
        _("碘对比剂和钆对比剂至少间隔 4 小时"), 4 * HOUR, impaired_minutes=7 * DAY,
    ),
    PairRule(
        "iodine-blocks-thyroid", _has(Contrast.IODINATED), lambda e: e.is_iodine_sensitive,
        _("碘对比剂会占住甲状腺，两个月内做甲状腺核素检查不准，所以先做甲状腺检查"), 60 * DAY,
    ),
    PairRule(
        "contrast-before-blood", lambda e: e.contrast is not None,
        lambda e: e.modality is Modality.LABORATORY,
        _("对比剂会影响部分化验结果，所以先抽血"), next_day=True,
    ),
    PairRule(
        "barium-obscures", lambda e: e.has_barium,
        lambda e: e.is_abdominal and not e.has_barium,
        _("钡剂残留会遮挡图像、妨碍内镜观察，所以钡餐放在最后，做过钡餐要等 3 天"), 3 * DAY,
    ),
    PairRule(
        "barium-before-nuclear", lambda e: e.has_barium, _is_nuclear,
        _("肠道里的钡剂会干扰核素显像，做过钡餐要等 3 天"), 3 * DAY,
    ),
    PairRule(
        "endoscopy-then-barium", _is_gut_endoscopy, lambda e: e.has_barium,
        _("内镜后（可能取活检）隔天再做钡餐"), DAY,
    ),
    PairRule(
        "gas-after-endoscopy", _is_gut_endoscopy,
        lambda e: e.modality is Modality.ULTRASOUND and e.is_abdominal,
        _("内镜会把气体带进胃肠道，腹部超声看不清，所以先做超声"), next_day=True,
    ),
    PairRule(
        "technetium-near", _gives(Tracer.TECHNETIUM), _is_near,
        _("锝-99m 注射后一天内患者带有放射性，近身操作的检查放在前面或隔天"), DAY,
    ),
    PairRule(
        "fluorine-near", _gives(Tracer.FLUORINE), _is_near,
        _("氟-18 注射后半天内患者带有放射性，近身操作的检查放在前面或隔半天"), 12 * HOUR,
    ),
    PairRule(
        "iodine-near", _gives(Tracer.IODINE), _is_near,
        _("服用碘-131 后患者带有放射性，近身操作的检查放在前面"), 2 * DAY,
    ),
    PairRule(
        "technetium-then-nuclear", _gives(Tracer.TECHNETIUM), _is_nuclear,
        _("上一次的锝-99m 衰减之前做下一项核素检查，图像会互相干扰"), 2 * DAY,
    ),
    PairRule(
        "fluorine-then-nuclear", _gives(Tracer.FLUORINE), _is_nuclear,
        _("上一次的氟-18 衰减之前做下一项核素检查，图像会互相干扰"), DAY,
    ),
    PairRule(
        "iodine-then-nuclear", _gives(Tracer.IODINE), _is_nuclear,
        _("碘-131 半衰期长，之后两周内不做其他核素检查，所以放在最后"), 14 * DAY,
    ),
    PairRule(
        "drink-breaks-fast", lambda e: e.full_bladder, lambda e: e.is_dry,
        _("憋尿要喝水，会破坏禁水，所以禁水的检查先做"), next_day=True,
    ),
    PairRule(
        "fill-after-fast", lambda e: e.is_dry, lambda e: e.full_bladder,
        _("禁水的检查做完后再喝水憋尿，需要约 1 小时"), BLADDER_MINUTES,
    ),
    PairRule(
        "sedation-last", lambda e: e.has_sedation, _anything,
        _("麻醉后人会昏沉，当天不再做其他检查"), next_day=True,
    ),
)  # fmt: skip

_RENAL_RESULT = _("要先抽血知道肾功能，约 2 小时出结果，再注射对比剂")


@dataclass(frozen=True, slots=True)
class Gap:
    """What must lie between two visits in this order. ``is_forbidden``: this order is not possible at all."""

    minutes: int = 0
    next_day: bool = False
    is_forbidden: bool = False
    reasons: tuple[LazyString, ...] = ()
    codes: tuple[str, ...] = ()

    @property
    def is_free(self) -> bool:
        """True when nothing but the way lies between the two."""
        return not (self.minutes or self.next_day or self.is_forbidden)


def gap_between(
    first: Iterable[Examination], second: Iterable[Examination], patient: PatientFacts
) -> Gap:
    """What must lie between examinations done together and others done later, of one patient."""
    minutes, next_day, forbidden = 0, False, False
    found: dict[str, LazyString] = {}
    later = list(second)
    for one in first:
        for other in later:
            for rule in RULES:
                if not (rule.first(one) and rule.second(other)):
                    continue
                needed = rule.minutes
                if patient.has_slow_kidneys and rule.impaired_minutes is not None:
                    needed = rule.impaired_minutes
                minutes, next_day = max(minutes, needed), next_day or rule.next_day
                found[rule.code] = rule.reason
            if patient.needs_renal_result(other) and one.gives_renal_function:
                minutes = max(minutes, RENAL_RESULT_MINUTES)
                found["renal-first"] = _RENAL_RESULT
            if patient.needs_renal_result(one) and other.gives_renal_function:
                forbidden = True
                found["renal-first"] = _RENAL_RESULT
    return Gap(minutes, next_day, forbidden, tuple(found.values()), tuple(found))
