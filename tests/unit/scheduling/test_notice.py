"""Reading the year's notice from a file: what is understood, and how each fault is named."""

from __future__ import annotations

import datetime as dt

import pytest

from backend.scheduling.rules import CalendarEntry, DayKind, read_notice

WORKDAY, HOLIDAY = DayKind.WORKDAY, DayKind.HOLIDAY

TABLE = """日期,类型,名称,按周几
# 国务院办公厅关于 2027 年部分节假日安排的通知
2027-10-01至2027-10-03,放假,国庆节
2027/10/09，上班，国庆节，周四
2027-10-10,班,国庆节
20271231\t休\t元旦\t周日
"""

CALENDAR = """BEGIN:VCALENDAR\r
VERSION:2.0\r
BEGIN:VEVENT\r
DTSTART;VALUE=DATE:20270205\r
DTEND;VALUE=DATE:20270208\r
SUMMARY:春节（休）\r
END:VEVENT\r
BEGIN:VEVENT\r
DTSTART;VALUE=DATE:20270213\r
SUMMARY:春节\r
 （班）\r
END:VEVENT\r
END:VCALENDAR\r
"""


def test_a_table_is_read() -> None:
    notice = read_notice(TABLE)
    assert notice.problems == ()
    assert notice.entries == (
        CalendarEntry(dt.date(2027, 10, 1), HOLIDAY, "国庆节"),
        CalendarEntry(dt.date(2027, 10, 2), HOLIDAY, "国庆节"),
        CalendarEntry(dt.date(2027, 10, 3), HOLIDAY, "国庆节"),
        CalendarEntry(dt.date(2027, 10, 9), WORKDAY, "国庆节", 4),
        # Nobody said which day this Sunday makes up for: the Monday after it.
        CalendarEntry(dt.date(2027, 10, 10), WORKDAY, "国庆节", 1),
        CalendarEntry(dt.date(2027, 12, 31), HOLIDAY, "元旦", 7),
    )


def test_a_calendar_file_is_read() -> None:
    notice = read_notice(CALENDAR)
    assert notice.problems == ()
    assert [(entry.day.day, entry.kind, entry.name) for entry in notice.entries] == [
        (5, HOLIDAY, "春节"),
        (6, HOLIDAY, "春节"),
        (7, HOLIDAY, "春节"),
        (13, WORKDAY, "春节"),
    ]
    assert notice.entries[-1].template_weekday == 5


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("2027-02-30,放假,春节", "没有「2027-02-30」这一天"),
        ("明天,放假,春节", "日期「明天」看不懂"),
        ("2027-10-07至2027-10-01,放假,国庆节", "先后颠倒"),
        ("2027-10-01至2027-12-01,放假,国庆节", "太长"),
        ("2027-10-01至2027-10-02至2027-10-03,放假,国庆节", "看不懂"),
        ("2027-10-01,也许,国庆节", "类型「也许」看不懂"),
        ("2027-10-01,放假,", "节日名称"),
        ("2027-10-01,放假", "三项"),
        ("2027-10-08,上班,国庆节", "本来就是工作日"),
        ("2027-10-09,上班,国庆节,周八", "「周八」不是星期几"),
    ],
)
def test_each_fault_is_named_with_its_line(line: str, words: str) -> None:
    notice = read_notice(f"日期,类型,名称\n2027-05-01,放假,劳动节\n{line}\n")
    (problem,) = notice.problems
    assert problem.line == 3
    assert words in problem.words


def test_a_day_said_twice_differently_is_a_fault_and_twice_alike_is_not() -> None:
    same = read_notice("2027-05-01,放假,劳动节\n2027-05-01,放假,劳动节\n")
    assert same.problems == ()
    assert len(same.entries) == 1
    (problem,) = read_notice("2027-05-01,放假,劳动节\n2027-05-01,上班,劳动节\n").problems
    assert (problem.line, "第 1 行" in problem.words) == (2, True)


def test_every_fault_of_a_file_is_told_at_once() -> None:
    assert [
        p.line for p in read_notice("x,放假,春节\n2027-05-01,放假,劳动节\ny,放假,春节").problems
    ] == [1, 3]


@pytest.mark.parametrize(
    "text", ["", "\n\n", "日期,类型,名称\n", "BEGIN:VCALENDAR\nEND:VCALENDAR\n"]
)
def test_an_empty_file_is_a_fault(text: str) -> None:
    assert len(read_notice(text).problems) == 1


def test_an_event_that_says_neither_is_a_fault() -> None:
    (problem,) = read_notice(CALENDAR.replace("春节（休）", "情人节")).problems
    assert "情人节" in problem.words
    assert problem.line == 3


def test_a_file_without_end_is_stopped() -> None:
    endless = "\n".join("2027-05-01,放假,劳动节" for _ in range(600))
    assert "太长" in read_notice(endless).problems[-1].words


@pytest.mark.parametrize(
    ("end", "words"),
    [("20260231", "没有「20260231」这一天"), ("00010101", "不是近年"), ("99990101", "不是近年")],
)
def test_an_event_that_ends_on_no_day_is_a_fault(end: str, words: str) -> None:
    lines = (
        "BEGIN:VCALENDAR", "BEGIN:VEVENT", "SUMMARY:春节（休）", "DTSTART;VALUE=DATE:20260217",
        f"DTEND;VALUE=DATE:{end}", "END:VEVENT", "END:VCALENDAR",
    )  # fmt: skip
    (problem,) = read_notice("\r\n".join(lines)).problems
    assert words in problem.words


def test_a_table_of_far_years_is_a_fault() -> None:
    (problem,) = read_notice("9999-12-31,休,春节").problems
    assert "不是近年" in problem.words
