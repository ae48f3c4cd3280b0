"""Rules of the price list: what an item may be called, which days a price may begin, and what an import would do.

Pure: today and the current list are arguments. Dates are business dates; a price holds from its day (included).
"""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from flask_babel import gettext as _

from backend.billing.rules import PriceCategory
from backend.kernel.errors import InvalidInput
from backend.kernel.money import format_yuan, parse_yuan

MOST_FEN = 999_999_999
#: Farther ahead it is more likely a wrong year than a plan.
FARTHEST = dt.timedelta(days=731)
MOST_ROWS = 3000
_CODE = re.compile(r"[A-Z0-9][A-Z0-9._-]{1,39}")
LONGEST = {"name": 120, "unit": 20}
HEADINGS = ("编码", "名称", "单位", "类别", "单价", "生效日期")


@dataclass(frozen=True, slots=True)
class CurrentItem:
    """What the list says of an item now: ``price_fen`` today (None = none yet), and what is planned, by day."""

    code: str
    name: str
    unit: str
    category: PriceCategory
    is_active: bool
    version: int
    price_fen: int | None
    planned: Mapping[dt.date, int] = field(default_factory=dict)

    def price_on(self, day: dt.date) -> int | None:
        """The price on a day from today on."""
        before = [begin for begin in self.planned if begin <= day]
        return self.planned[max(before)] if before else self.price_fen


class Effect(StrEnum):
    """What a row of an import would do."""

    NEW = "new"
    PRICE = "price"
    WORDS = "words"
    BOTH = "both"
    SAME = "same"


@dataclass(frozen=True, slots=True)
class ImportRow:
    """One sound row: what the item is to be called and to cost from a day on."""

    line: int
    code: str
    name: str
    unit: str
    category: PriceCategory
    price_fen: int
    effective_from: dt.date


@dataclass(frozen=True, slots=True)
class PlannedRow:
    """A row with what it would do; ``before`` is the price on that day without it, in words."""

    row: ImportRow
    effect: Effect
    before: str = ""
    changes: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class RowError:
    """What is wrong with one line (counted from 1, headings included)."""

    line: int
    words: str


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """All of an import: nothing is written while there is one error. ``digest`` stands for exactly these effects."""

    rows: Sequence[PlannedRow]
    errors: Sequence[RowError]

    @property
    def digest(self) -> str:
        """A fingerprint of rows and of what they would change: another list since then gives another."""
        return hashlib.sha256(repr([tuple_of(row) for row in self.rows]).encode()).hexdigest()

    def count(self, effect: Effect) -> int:
        """How many rows have this effect."""
        return sum(row.effect is effect for row in self.rows)


def tuple_of(planned: PlannedRow) -> tuple[object, ...]:
    """A planned row as plain values."""
    row = planned.row
    return (
        row.code, row.name, row.unit, row.category.value, row.price_fen,
        row.effective_from.isoformat(), planned.effect.value, planned.before, planned.changes,
    )  # fmt: skip


def normalise(text: str) -> str:
    """NFKC without surrounding blanks: full-width letters and digits become plain ones; for codes, prices and days."""
    return unicodedata.normalize("NFKC", text).strip()


def tidy(text: str) -> str:
    """Words as they are to be printed: their own punctuation, single blanks."""
    return " ".join(text.split())


def check_words(code: str, name: str, unit: str) -> dict[str, object]:
    """What is wrong with an item's code, name and unit, by field; empty when they are sound."""
    wrong: dict[str, object] = {}
    if _CODE.fullmatch(code) is None:
        wrong["code"] = _("编码用大写字母、数字、点、横线，2 到 40 位")
    for field_name, text in (("name", name), ("unit", unit)):
        if not text:
            wrong[field_name] = _("必填")
        elif len(text) > LONGEST[field_name]:
            wrong[field_name] = _("太长")
    return wrong


def check_price(price_fen: int) -> None:
    """InvalidInput for a price out of range."""
    if not 0 <= price_fen <= MOST_FEN:
        raise InvalidInput(_("单价超出范围"), fields={"price": _("单价超出范围")})


def check_day(day: dt.date, *, today: dt.date, is_new: bool) -> None:
    """A new item may cost from today on; a change begins tomorrow at the earliest, for today's bills have its price.

    InvalidInput (field ``effective_from``) otherwise, and for days too far ahead.
    """
    words = ""
    if is_new and day < today:
        words = _("生效日期不能早于今天")
    elif not is_new and day <= today:
        words = _("调价最早从明天起生效，今天的账单已按现价计算")
    elif day - today > FARTHEST:
        words = _("生效日期太远，请检查年份")
    if words:
        raise InvalidInput(words, fields={"effective_from": words})


def parse_import(
    text: str, *, default_day: dt.date, categories: Mapping[str, PriceCategory]
) -> tuple[list[ImportRow], list[RowError]]:
    """The rows of a CSV text with the headings above (类别 in words or code; an empty 生效日期 is ``default_day``)."""
    reader = csv.reader(io.StringIO(text.lstrip("\ufeff")))
    try:
        lines = [(reader.line_num, [tidy(cell) for cell in cells]) for cells in reader]
    except csv.Error as error:
        return [], [RowError(reader.line_num, _("不是有效的 CSV：%(words)s", words=str(error)))]
    lines = [(number, cells) for number, cells in lines if any(cells)]
    if not lines or tuple(lines[0][1][: len(HEADINGS)]) != HEADINGS:
        return [], [RowError(1, _("第一行应是表头：%(words)s", words="，".join(HEADINGS)))]
    if len(lines) - 1 > MOST_ROWS:
        return [], [RowError(1, _("一次最多导入 %(n)s 行，请分开导入", n=MOST_ROWS))]
    rows: list[ImportRow] = []
    errors: list[RowError] = []
    seen: dict[str, int] = {}
    for number, cells in lines[1:]:
        try:
            row = _parse_row(number, cells, default_day, categories)
            if row.code in seen:
                raise InvalidInput(_("编码与第 %(n)s 行重复", n=seen[row.code]))
            seen[row.code] = number
            rows.append(row)
        except InvalidInput as error:
            words = "；".join(str(each) for each in error.fields.values()) or str(error.message)
            errors.append(RowError(number, words))
    if not rows and not errors:
        errors.append(RowError(2, _("没有数据行")))
    return rows, errors


def _parse_row(
    number: int,
    cells: Sequence[str],
    default_day: dt.date,
    categories: Mapping[str, PriceCategory],
) -> ImportRow:
    if len(cells) < len(HEADINGS) - 1:
        raise InvalidInput(_("少了列，应有 %(n)s 列", n=len(HEADINGS)))
    code, name, unit, category, price, day = (*cells, "")[: len(HEADINGS)]
    code, price, day = normalise(code).upper(), normalise(price), normalise(day)
    wrong = check_words(code, name, unit)
    kind = categories.get(category)
    if kind is None:
        wrong["category"] = _("没有“%(words)s”这个类别", words=category[:20])
    price_fen = 0
    try:
        price_fen = parse_yuan(price)
        check_price(price_fen)
    except InvalidInput:
        wrong["price"] = _("单价“%(words)s”写法有误", words=price[:20])
    begins = default_day
    if day:
        try:
            begins = dt.date.fromisoformat(day.replace("/", "-"))
        except ValueError:
            wrong["effective_from"] = _("日期“%(words)s”有误，请写成 2026-01-31", words=day[:20])
    if wrong or kind is None:
        raise InvalidInput(fields=wrong)
    return ImportRow(number, code, name, unit, kind, price_fen, begins)


def plan_import(
    rows: Iterable[ImportRow],
    errors: Iterable[RowError],
    *,
    current: Mapping[str, CurrentItem],
    today: dt.date,
) -> ImportPlan:
    """What each row would do to the current list; rows that may not do it become errors."""
    planned: list[PlannedRow] = []
    wrong = list(errors)
    for row in rows:
        item = current.get(row.code)
        try:
            planned.append(_plan_row(row, item, today))
        except InvalidInput as error:
            wrong.append(RowError(row.line, str(error.message)))
    return ImportPlan(planned, sorted(wrong, key=lambda error: error.line))


def _plan_row(row: ImportRow, item: CurrentItem | None, today: dt.date) -> PlannedRow:
    if item is None:
        check_day(row.effective_from, today=today, is_new=True)
        return PlannedRow(row, Effect.NEW)
    if not item.is_active:
        raise InvalidInput(_("这个项目已停用，请先在项目页启用"))
    before = item.price_on(row.effective_from)
    has_new_price = before != row.price_fen
    if has_new_price:
        check_day(row.effective_from, today=today, is_new=False)
    changes = tuple(
        (name, old, new)
        for name, old, new in (
            ("name", item.name, row.name),
            ("unit", item.unit, row.unit),
            ("category", item.category.value, row.category.value),
        )
        if old != new
    )
    effects = {
        (True, True): Effect.BOTH, (True, False): Effect.PRICE,
        (False, True): Effect.WORDS, (False, False): Effect.SAME,
    }  # fmt: skip
    words = format_yuan(before) if before is not None else ""
    return PlannedRow(row, effects[has_new_price, bool(changes)], words, changes)


def same_price_words() -> str:
    """What a change that changes nothing is told."""
    return str(_("与那一天的现有价格相同，不用调整"))
