"""The hospital's calendar: public holidays, worked weekends, and whose template they run.

GET  /backoffice/schedules/calendar             a year (fragment with ?edit=DAY: the form of one day)
POST /backoffice/schedules/calendar/published   take over the official notice the program knows
POST /backoffice/schedules/calendar/preview     read a file, show what it would change; nothing is written
POST /backoffice/schedules/calendar/import      write what the preview showed
POST /backoffice/schedules/calendar/day         name or change one day
POST /backoffice/schedules/calendar/remove      the day is a day like any other again
"""

from __future__ import annotations

import calendar as months
import datetime as dt

from flask import Response, flash, request
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from backend.kernel.errors import InvalidInput
from backend.kernel.permissions import Permission, has
from backend.kernel.uow import today
from backend.kernel.web import (
    current_actor,
    own_hospital_id,
    read_uow,
    redirect_to,
    render,
    requires,
    write_uow,
)
from backend.scheduling import queries, rules, service
from backend.scheduling.backoffice import common
from backend.scheduling.backoffice.common import WEEKDAYS, blueprint
from backend.scheduling.rules import CalendarEntry, DayKind, Notice

MOST_BYTES = 64 * 1024
CLOSED = "closed"


@blueprint.get("/calendar")
@requires(Permission.SCHEDULING_SCHEDULE_READ)
def calendar() -> Response:
    """One year: twelve months, the named days, and holidays on which sessions stand already."""
    with read_uow() as session:
        year = _year(request.args.get("year", ""), today(session))
        return _page(session, year, editing=common.read_day(request.args.get("edit", "")))


@blueprint.post("/calendar/published")
@requires(Permission.SCHEDULING_SCHEDULE_MANAGE)
def calendar_published() -> BaseResponse:
    """One touch: the notice of ``year`` as the program knows it."""
    year = _year(request.form.get("year", ""), dt.date.min)
    with write_uow() as session:
        changed = service.import_published_year(session, hospital_id=own_hospital_id(), year=year)
    _say_imported(changed, year)
    return redirect_to("schedules.calendar", year=year)


@blueprint.post("/calendar/preview")
@requires(Permission.SCHEDULING_SCHEDULE_MANAGE)
def calendar_preview() -> Response:
    """Read an uploaded file or pasted lines; 422 with every line's fault, else what would change."""
    text, name = _sent_text()
    notice = rules.read_notice(text)
    with read_uow() as session:
        year = notice.entries[0].day.year if notice.entries else today(session).year
        changes = queries.compare_notice(
            session, hospital_id=own_hospital_id(), entries=notice.entries
        )
        return _page(
            session,
            year,
            status=422 if notice.problems else 200,
            notice=notice,
            changes=changes,
            text=text,
            name=name,
        )


@blueprint.post("/calendar/import")
@requires(Permission.SCHEDULING_SCHEDULE_MANAGE)
def calendar_import() -> BaseResponse:
    """Write the previewed text with the weekdays a person chose; a faulty text is refused whole."""
    notice = rules.read_notice(request.form.get("text", ""))
    if notice.problems:
        raise InvalidInput(_("文件有误，请重新选择文件并预览"), code="notice_invalid")
    entries = [_with_choice(entry) for entry in notice.entries]
    source = request.form.get("name", "").strip()[:40] or _("手工粘贴")
    with write_uow() as session:
        changed = service.import_notice(
            session, hospital_id=own_hospital_id(), entries=entries, source=source
        )
    year = entries[0].day.year
    _say_imported(changed, year)
    return redirect_to("schedules.calendar", year=year)


@blueprint.post("/calendar/day")
@requires(Permission.SCHEDULING_SCHEDULE_MANAGE)
def calendar_day() -> BaseResponse:
    """Name or change one day."""
    day = common.read_day(request.form.get("day", ""))
    kind = request.form.get("kind", "")
    if day is None or kind not in set(DayKind):
        raise InvalidInput(_("请选择日期和类型"), code="filter_invalid")
    with write_uow() as session:
        service.set_calendar_day(
            session,
            hospital_id=own_hospital_id(),
            day=day,
            kind=kind,
            name=request.form.get("name", ""),
            template_weekday=_weekday(request.form.get("template_weekday", CLOSED)),
            version=_version(),
        )
    flash(_("已保存 %(day)s 的安排", day=f"{day.month}月{day.day}日"), "ok")
    return redirect_to("schedules.calendar", year=day.year)


@blueprint.post("/calendar/remove")
@requires(Permission.SCHEDULING_SCHEDULE_MANAGE)
def calendar_remove() -> BaseResponse:
    """Take one day off the calendar."""
    day = common.read_day(request.form.get("day", ""))
    if day is None:
        raise InvalidInput(_("请选择日期和类型"), code="filter_invalid")
    with write_uow() as session:
        service.remove_calendar_day(
            session, hospital_id=own_hospital_id(), day=day, version=_version()
        )
    flash(_("%(day)s 恢复为平常的一天", day=f"{day.month}月{day.day}日"), "ok")
    return redirect_to("schedules.calendar", year=day.year)


def _page(
    session: Session,
    year: int,
    *,
    editing: dt.date | None = None,
    notice: Notice | None = None,
    status: int = 200,
    **values: object,
) -> Response:
    hospital_id = own_hospital_id()
    first, last = dt.date(year, 1, 1), dt.date(year, 12, 31)
    days = queries.list_calendar_days(session, hospital_id=hospital_id, first=first, last=last)
    this_day = today(session)
    closed = [view.day for view in days if view.template_weekday is None and view.day >= this_day]
    made = queries.sessions_made(session, hospital_id=hospital_id, days=closed) if closed else {}
    return render(
        "scheduling/calendar.html",
        fragment="scheduling/_calendar_day.html" if editing else None,
        status=status,
        year=year,
        today=this_day,
        months=[_month(year, number) for number in range(1, 13)],
        named={view.day: view for view in days},
        days=days,
        made=sorted(made.items()),
        editing=editing,
        weekdays=WEEKDAYS,
        kinds=[(kind.value, words) for kind, words in rules.DAY_KIND_WORDS.items()],
        notice=notice,
        is_published=year in rules.published_years(),
        can_manage=has(current_actor(), Permission.SCHEDULING_SCHEDULE_MANAGE),
        **values,
    )


def _month(year: int, number: int) -> list[list[dt.date | None]]:
    """The weeks of a month, Monday first; None outside it."""
    weeks = months.Calendar().monthdatescalendar(year, number)
    return [[day if day.month == number else None for day in week] for week in weeks]


def _with_choice(entry: CalendarEntry) -> CalendarEntry:
    chosen = request.form.get(f"weekday-{entry.day}")
    if chosen is None:
        return entry
    return CalendarEntry(entry.day, entry.kind, entry.name, _weekday(chosen))


def _sent_text() -> tuple[str, str]:
    """The uploaded file's text (UTF-8, or GB 18030 as spreadsheets write it) and name, or the pasted lines."""
    file = request.files.get("file")
    if file is None or not file.filename:
        return request.form.get("text", "")[:MOST_BYTES], ""
    raw = file.stream.read(MOST_BYTES + 1)
    if len(raw) > MOST_BYTES:
        raise InvalidInput(_("文件太大，一年的放假安排不会超过 64 KB"), code="notice_invalid")
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return raw.decode(encoding), file.filename
        except UnicodeDecodeError:
            continue
    raise InvalidInput(_("文件不是文字文件，请另存为 CSV 或 ICS 再选"), code="notice_invalid")


def _year(text: str, this_day: dt.date) -> int:
    if not text:
        return this_day.year
    if not text.isdecimal() or int(text) not in rules.YEARS:
        raise InvalidInput(_("年份写法有误"), code="filter_invalid")
    return int(text)


def _version() -> int:
    """Of the row the form was opened with; 0 when there was none, which somebody may have made meanwhile."""
    version = request.form.get("version", "")
    return int(version) if version.isdecimal() else 0


def _weekday(text: str) -> int | None:
    if text == CLOSED:
        return None
    if text not in {"1", "2", "3", "4", "5", "6", "7"}:
        raise InvalidInput(_("请选择按周几出诊"), code="filter_invalid")
    return int(text)


def _say_imported(changed: int, year: int) -> None:
    if changed:
        words = ngettext(
            "%(year)s 年日历已更新 %(num)d 天",
            "%(year)s 年日历已更新 %(num)d 天",
            changed,
            year=year,
        )
        flash(words, "ok")
    else:
        flash(_("%(year)s 年日历已经是这样，没有变化", year=year), "info")
