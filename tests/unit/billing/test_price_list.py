"""Rules of the price list: days a price may begin, and what an import would do, row by row, before it is written."""

from __future__ import annotations

import datetime as dt

import pytest

from backend.billing.rules import PriceCategory, price_list
from backend.billing.rules.price_list import CurrentItem, Effect, ImportPlan
from backend.kernel.errors import InvalidInput

TODAY = dt.date(2026, 11, 23)
TOMORROW = dt.date(2026, 11, 24)
HEAD = "编码,名称,单位,类别,单价,生效日期\n"
KINDS = {"检验": PriceCategory.LABORATORY, "放射影像": PriceCategory.IMAGING}
CT = CurrentItem("CT-1", "胸部CT", "次", PriceCategory.IMAGING, True, 1, 18000)


def plan(text: str, *items: CurrentItem) -> ImportPlan:
    rows, errors = price_list.parse_import(HEAD + text, default_day=TOMORROW, categories=KINDS)
    return price_list.plan_import(
        rows, errors, current={item.code: item for item in items}, today=TODAY
    )


def words(found: ImportPlan) -> list[tuple[int, str]]:
    return [(error.line, error.words) for error in found.errors]


@pytest.mark.parametrize(
    ("day", "is_new", "is_allowed"),
    [
        (TODAY, True, True),
        (TODAY - dt.timedelta(days=1), True, False),
        (TODAY, False, False),
        (TOMORROW, False, True),
        (TODAY + price_list.FARTHEST, False, True),
        (TODAY + price_list.FARTHEST + dt.timedelta(days=1), True, False),
    ],
)
def test_a_change_begins_tomorrow_at_the_earliest(
    day: dt.date, is_new: bool, is_allowed: bool
) -> None:
    if is_allowed:
        price_list.check_day(day, today=TODAY, is_new=is_new)
    else:
        with pytest.raises(InvalidInput):
            price_list.check_day(day, today=TODAY, is_new=is_new)


def test_each_row_says_what_it_would_do() -> None:
    found = plan(
        "CT-1,胸部CT,次,放射影像,180.00,\n"
        "CT-2,腹部CT,次,放射影像,200,2026-12-01\n"
        "LAB-1,血常规,项,检验,20,\n"
        "ct-3,头部CT,次,放射影像,190,\n",
        CT,
        CurrentItem("CT-2", "腹部CT", "次", PriceCategory.IMAGING, True, 1, 18000),
        CurrentItem("LAB-1", "血常规五分类", "次", PriceCategory.LABORATORY, True, 1, 1500),
    )
    assert words(found) == []
    assert [row.effect for row in found.rows] == [
        Effect.SAME,
        Effect.PRICE,
        Effect.BOTH,
        Effect.NEW,
    ]
    assert [row.before for row in found.rows] == ["¥180.00", "¥180.00", "¥15.00", ""]
    assert found.rows[1].row.effective_from == dt.date(2026, 12, 1)
    assert found.rows[2].changes == (("name", "血常规五分类", "血常规"), ("unit", "次", "项"))
    assert found.rows[3].row.code == "CT-3"


def test_a_price_is_compared_with_what_is_planned_for_its_day() -> None:
    planned = CurrentItem(
        "CT-1", "胸部CT", "次", PriceCategory.IMAGING, True, 1, 18000,
        {dt.date(2026, 12, 1): 20000, dt.date(2027, 1, 1): 21000},
    )  # fmt: skip
    assert planned.price_on(TODAY) == 18000
    assert planned.price_on(dt.date(2026, 12, 31)) == 20000
    found = plan("CT-1,胸部CT,次,放射影像,200,2026-12-15\n", planned)
    assert found.rows[0].effect is Effect.SAME
    found = plan("CT-1,胸部CT,次,放射影像,200,2027-01-15\n", planned)
    assert (found.rows[0].effect, found.rows[0].before) == (Effect.PRICE, "¥210.00")


def test_every_wrong_row_is_named_with_its_line() -> None:
    found = plan(
        "CT-1,胸部CT,次,放射影像,一百,\n"
        "CT-2,,次,放射影像,100,\n"
        "\n"
        "CT-3,头部CT,次,影像,100,\n"
        "CT-4,头部CT,次,放射影像,100,2026-13-01\n"
        "CT-5,头部CT\n"
        "CT-6,头部CT,次,放射影像,100,\n"
        "CT-6,头部CT,次,放射影像,110,\n"
        "CT-7,头部CT,次,放射影像,100,2026-11-22\n"
        '"C T",头部CT,次,放射影像,-1,\n'
    )
    assert words(found) == [
        (2, "单价“一百”写法有误"),
        (3, "必填"),
        (5, "没有“影像”这个类别"),
        (6, "日期“2026-13-01”有误，请写成 2026-01-31"),
        (7, "少了列，应有 6 列"),
        (9, "编码与第 8 行重复"),
        (10, "生效日期不能早于今天"),
        (11, "编码用大写字母、数字、点、横线，2 到 40 位；单价“-1”写法有误"),
    ]


def test_todays_price_of_a_known_item_is_not_rewritten_and_a_closed_item_is_named() -> None:
    found = plan("CT-1,胸部CT,次,放射影像,200,2026-11-23\n", CT)
    assert "最早从明天起" in words(found)[0][1]
    closed = CurrentItem("CT-1", "胸部CT", "次", PriceCategory.IMAGING, False, 1, 18000)
    assert "已停用" in words(plan("CT-1,胸部CT,次,放射影像,200,\n", closed))[0][1]


@pytest.mark.parametrize("text", ["", "名称,编码\n1,2\n", HEAD])
def test_a_file_without_headings_or_rows_is_refused(text: str) -> None:
    rows, errors = price_list.parse_import(text, default_day=TOMORROW, categories=KINDS)
    assert not rows
    assert len(errors) == 1


def test_full_width_letters_a_byte_order_mark_and_commas_in_quotes_are_read() -> None:
    text = "\ufeff" + HEAD + '"ＣＴ－９","CT, 增强",次,放射影像,"1,200.50",2026/12/01\r\n'
    rows, errors = price_list.parse_import(text, default_day=TOMORROW, categories=KINDS)
    assert errors == []
    assert (rows[0].code, rows[0].name, rows[0].price_fen) == ("CT-9", "CT, 增强", 120050)
    assert rows[0].effective_from == dt.date(2026, 12, 1)


def test_the_digest_stands_for_the_effects() -> None:
    text = "CT-1,胸部CT,次,放射影像,200,\n"
    assert plan(text, CT).digest == plan(text, CT).digest
    other = CurrentItem("CT-1", "胸部CT", "次", PriceCategory.IMAGING, True, 2, 19000)
    assert plan(text, CT).digest != plan(text, other).digest


def test_too_many_rows_are_refused_at_once() -> None:
    text = HEAD + "A,b,c,d,1,\n" * (price_list.MOST_ROWS + 1)
    rows, errors = price_list.parse_import(text, default_day=TOMORROW, categories=KINDS)
    assert not rows
    assert str(price_list.MOST_ROWS) in errors[0].words
