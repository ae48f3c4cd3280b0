"""What a patient does before and after a day of examinations, when to stop eating; from the same facts as the plan."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from flask_babel import LazyString
from flask_babel import lazy_gettext as _

from backend.kernel.clock import at_local, business_date, local
from backend.scheduling.rules.examinations import BLADDER_MINUTES, Contrast, Examination, Visit
from backend.scheduling.rules.states import Modality

#: Before a dry examination nobody drinks for so long.
DRY = dt.timedelta(hours=4)
#: Nobody is told to eat for the last time in the middle of the night: from then on it counts as this evening hour.
LAST_MEAL = dt.time(22, 0)
EARLIEST_MEAL = dt.time(6, 0)


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do. ``at`` None: no particular time. ``is_before``: it concerns the time before the first visit."""

    at: dt.datetime | None
    words: LazyString
    icon: str
    is_before: bool = True


@dataclass(frozen=True, slots=True)
class Timed:
    """A visit with its times, as preparation sees it."""

    visit: Visit
    starts_at: dt.datetime
    ends_at: dt.datetime


def steps_of_day(timed: Sequence[Timed]) -> list[Step]:
    """Everything to do for one day's visits (in time's order): what has a time first, in time's order."""
    steps = [*_food(timed), *_drink(timed)]
    for one in timed:
        for examination in one.visit.examinations:
            steps += _of_examination(examination, one)
    seen: dict[tuple[dt.datetime | None, str], Step] = {}
    for step in steps:
        seen.setdefault((step.at, str(step.words)), step)
    return sorted(
        seen.values(),
        key=lambda s: (
            not s.is_before,
            s.at is None,
            s.at or dt.datetime.min.replace(tzinfo=dt.UTC),
        ),
    )


def _food(timed: Sequence[Timed]) -> Iterator[Step]:
    """One fast covers all of a day's examinations: it begins for the one that needs it earliest."""
    fasting = [
        (one, examination)
        for one in timed
        for examination in one.visit.examinations
        if examination.fasting_hours
    ]
    if not fasting:
        return
    stop = min(one.starts_at - dt.timedelta(hours=e.fasting_hours) for one, e in fasting)
    yield Step(_by_day(stop), _("从这时起不要吃东西"), "tools-kitchen-2-off")
    dry = [one.starts_at - DRY for one, e in fasting if e.is_dry]
    if dry:
        yield Step(_by_day(min(dry)), _("从这时起水也不要喝"), "droplet-off")
    last = max(fasting, key=lambda pair: pair[0].ends_at)[0]
    is_drowsy = any(e.has_sedation for e in last.visit.examinations)
    again = (
        _("“%(name)s”做完、完全清醒后再吃东西") if is_drowsy else _("“%(name)s”做完后可以吃东西")
    )
    yield Step(
        last.ends_at,
        again % {"name": last.visit.name},
        "tools-kitchen-2",
        is_before=False,
    )


def _by_day(moment: dt.datetime) -> dt.datetime:
    """``moment``, or the evening before when it falls into the night."""
    wall = local(moment)
    if wall.time() >= LAST_MEAL:
        return at_local(wall.date(), LAST_MEAL)
    if wall.time() < EARLIEST_MEAL:
        return at_local(wall.date() - dt.timedelta(days=1), LAST_MEAL)
    return moment


def _drink(timed: Sequence[Timed]) -> Iterator[Step]:
    for one in timed:
        if any(e.full_bladder for e in one.visit.examinations):
            begin = one.starts_at - dt.timedelta(minutes=BLADDER_MINUTES)
            words = _("喝水约 800 毫升并憋尿，为“%(name)s”做准备", name=one.visit.name)
            yield Step(begin, words, "glass-full")


def _of_examination(e: Examination, one: Timed) -> Iterator[Step]:
    if e.has_bowel_cleansing:
        evening = at_local(business_date(one.starts_at) - dt.timedelta(days=1), dt.time(18, 0))
        yield Step(evening, _("只吃流食，按医嘱服清肠药，排到清水样为止"), "pill")
    if e.has_sedation:
        yield Step(None, _("需要成年家属全程陪同"), "users")
        yield Step(None, _("麻醉后当天不能开车、不签重要文件"), "car-off", is_before=False)
    if e.modality is Modality.MR:
        yield Step(None, _("取下手表、首饰、假牙等金属物品，不带手机和磁卡进检查室"), "magnet-off")
    if e.modality in (Modality.CT, Modality.RADIOGRAPHY, Modality.MAMMOGRAPHY):
        yield Step(None, _("穿没有金属扣的衣服，带上以往的片子和报告"), "shirt")
    if e.contrast is not None:
        yield from _contrast(e.contrast)
    if e.has_barium:
        yield Step(
            None, _("检查后多喝水、多吃蔬菜，几天内大便发白是正常的"), "droplet", is_before=False
        )
    if e.tracer is not None:
        words = _("注射药物后多喝水、多排尿，一天内不要接近孕妇和婴幼儿")
        yield Step(None, words, "radioactive", is_before=False)
    if e.instruction:
        yield Step(None, _("%(name)s：%(words)s", name=e.name, words=e.instruction), "info-circle")


def _contrast(contrast: Contrast) -> Iterator[Step]:
    yield Step(
        None, _("注射对比剂后在候诊区留观 30 分钟，拔针后多喝水"), "vaccine", is_before=False
    )
    if contrast is Contrast.IODINATED:
        yield Step(None, _("服二甲双胍的患者请提前告诉医生"), "pill-off")
