"""Reading the year's notice from a file: lines of a table (CSV), or a calendar file (iCalendar, RFC 5545).

A table's line is ``date, kind, festival, weekday``: ``2026-02-14,上班,春节,周五``. The date may be a span
(``2026-10-01至2026-10-07``), the weekday may be left out. An event of a calendar file says kind and festival in
its SUMMARY (``春节（休）``, ``国庆节 班``). Every line that cannot be read is named; nothing is guessed.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass

from flask_babel import gettext as _

from backend.scheduling.rules.calendar import YEARS, CalendarEntry, DayKind, with_stand_ins

#: A year has some 40 such days; a longer span or file is a mistake.
LONGEST_SPAN = 15
MOST_LINES = 500
LONGEST_NAME = 40
_KINDS = {
    "休": DayKind.HOLIDAY, "放假": DayKind.HOLIDAY, "休息": DayKind.HOLIDAY, "holiday": DayKind.HOLIDAY,
    "班": DayKind.WORKDAY, "上班": DayKind.WORKDAY, "补班": DayKind.WORKDAY, "调休上班": DayKind.WORKDAY,
    "workday": DayKind.WORKDAY,
}  # fmt: skip
_WEEKDAYS = {words: number for number, words in enumerate("一二三四五六日", start=1)} | {"天": 7}
_DATE = re.compile(r"(\d{4})[-/.年]?(\d{1,2})[-/.月]?(\d{1,2})日?")
_SPAN = re.compile(r"\s*(?:至|到|~|～|—)\s*")
_SUMMARY = re.compile(r"(.+?)[\s（(【\[]*(放假|休息|休|补班|上班|班)[）)】\]]*")
_NONE = {"停诊", "不出诊", "无"}


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong in line ``line`` (from 1) of the file."""

    line: int
    words: str


@dataclass(frozen=True, slots=True)
class Notice:
    """What a file says; ``entries`` by day, usable only when there are no ``problems``."""

    entries: tuple[CalendarEntry, ...]
    problems: tuple[Problem, ...]


class _Unreadable(ValueError):
    """One line's fault, in words."""


def read_notice(text: str) -> Notice:
    """The days that ``text`` names, each working day with the weekday it stands for; and what could not be read."""
    is_calendar = "BEGIN:VCALENDAR" in text[:2000]
    rows = _calendar_rows(text) if is_calendar else _table_rows(text)
    entries: dict[dt.date, tuple[int, CalendarEntry]] = {}
    problems: list[Problem] = []
    count = 0
    for line, row in rows:
        count += 1
        if count > MOST_LINES:
            problems.append(
                Problem(line, _("文件太长：一年的放假安排不会超过 %(most)s 行", most=MOST_LINES))
            )
            break
        try:
            for entry in _entries(row):
                _add(entries, line, entry)
        except _Unreadable as error:
            problems.append(Problem(line, str(error)))
    if not count:
        problems.append(Problem(1, _("文件里没有任何日期")))
    return Notice(
        tuple(with_stand_ins(entry for _line, entry in entries.values())), tuple(problems)
    )


def _add(
    entries: dict[dt.date, tuple[int, CalendarEntry]], line: int, entry: CalendarEntry
) -> None:
    if entry.day in entries and entries[entry.day][1] != entry:
        first = entries[entry.day][0]
        raise _Unreadable(_("%(day)s 与第 %(line)s 行的写法不一致", day=entry.day, line=first))
    entries.setdefault(entry.day, (line, entry))


def _entries(row: list[str]) -> list[CalendarEntry]:
    """The days of one row of date or span, kind, festival and weekday."""
    if len(row) < 3:
        raise _Unreadable(_("应有 日期、类型、名称 三项，以逗号分开"))
    first, last = _span(row[0])
    kind = _KINDS.get(row[1].strip().lower())
    if kind is None:
        raise _Unreadable(_("类型「%(kind)s」看不懂，请写 放假 或 上班", kind=row[1].strip()[:20]))
    name = row[2].strip()
    if not name or len(name) > LONGEST_NAME:
        raise _Unreadable(_("节日名称应为 1–%(most)s 个字", most=LONGEST_NAME))
    weekday = _weekday(row[3]) if len(row) > 3 else None
    days = [first + dt.timedelta(days=n) for n in range((last - first).days + 1)]
    if kind is DayKind.WORKDAY and any(day.isoweekday() < 6 for day in days):
        raise _Unreadable(_("%(day)s 本来就是工作日，不能写成调休上班", day=first))
    return [CalendarEntry(day, kind, name, weekday) for day in days]


def _span(text: str) -> tuple[dt.date, dt.date]:
    parts = _SPAN.split(text.strip())
    if len(parts) > 2:
        raise _Unreadable(_("日期「%(text)s」看不懂", text=text.strip()[:30]))
    days = [_date(part) for part in parts]
    if not 0 <= (days[-1] - days[0]).days < LONGEST_SPAN:
        raise _Unreadable(_("起止日期「%(text)s」先后颠倒或太长", text=text.strip()[:30]))
    return days[0], days[-1]


def _date(text: str) -> dt.date:
    match = _DATE.fullmatch(text.strip())
    try:
        if match:
            day = dt.date(*map(int, match.groups()))
            if day.year in YEARS:
                return day
            raise _Unreadable(_("「%(text)s」不是近年的日期", text=text.strip()[:20]))
    except _Unreadable:
        raise
    except ValueError as error:
        raise _Unreadable(_("没有「%(text)s」这一天", text=text.strip()[:20])) from error
    raise _Unreadable(_("日期「%(text)s」看不懂，请写成 2026-02-14", text=text.strip()[:20]))


def _weekday(text: str) -> int | None:
    wanted = text.strip()
    if not wanted or wanted in _NONE:
        return None
    for prefix in ("星期", "周", "礼拜"):
        wanted = wanted.removeprefix(prefix)
    if wanted in _WEEKDAYS:
        return _WEEKDAYS[wanted]
    if wanted in "1234567" and len(wanted) == 1:
        return int(wanted)
    raise _Unreadable(_("「%(text)s」不是星期几，请写 周一 到 周日", text=text.strip()[:20]))


def _table_rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """Filled lines of a table with comma or tab; a heading and lines that begin with # are left out."""
    for line, raw in enumerate(text.splitlines(), start=1):
        plain = raw.strip().lstrip("\ufeff")
        if not plain or plain.startswith("#"):
            continue
        plain = plain.replace("，", ",")
        delimiter = "\t" if "\t" in plain else ","
        row = next(csv.reader(io.StringIO(plain), delimiter=delimiter))
        if row[0].strip() in ("日期", "date"):
            continue
        yield line, row


def _calendar_rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """The all-day events of a calendar file as rows; DTEND is the day after the last (RFC 5545 3.6.1)."""
    values: dict[str, str] = {}
    begin = 0
    for line, raw in _unfolded(text):
        name, _colon, value = raw.partition(":")
        key = name.partition(";")[0].upper()
        if raw == "BEGIN:VEVENT":
            values, begin = {}, line
        elif raw == "END:VEVENT":
            yield begin, _event_row(values)
        else:
            values.setdefault(key, value.strip())


def _event_row(values: dict[str, str]) -> list[str]:
    summary = _SUMMARY.fullmatch(values.get("SUMMARY", ""))
    if summary is None:
        return [values.get("DTSTART", "")[:8], values.get("SUMMARY", ""), "?"]
    span = values.get("DTSTART", "")[:8]
    if end := values.get("DTEND", "")[:8]:
        match = _DATE.fullmatch(end)
        try:
            if match:
                last = dt.date(*map(int, match.groups())) - dt.timedelta(days=1)
                span = f"{span}至{last:%Y%m%d}"
        except (ValueError, OverflowError):
            span = f"{span}至{end}"  # whoever reads the row names it
    return [span, summary[2], summary[1]]


def _unfolded(text: str) -> Iterator[tuple[int, str]]:
    """Content lines with their continuations joined (a line that begins with a blank goes on, RFC 5545 3.1)."""
    begin, held = 1, ""
    for line, raw in enumerate(text.splitlines(), start=1):
        if raw[:1] in (" ", "\t"):
            held += raw[1:]
            continue
        if held:
            yield begin, held
        begin, held = line, raw.strip()
    if held:
        yield begin, held
