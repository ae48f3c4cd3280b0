"""Reads the CSV files of ``data/`` into one validated ``Dataset``. Standard library only."""

from __future__ import annotations

import csv
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, get_args, get_type_hints

from backend.demo.records import Dataset, TemplateRow
from backend.demo.validation import DatasetError, find_problems

DATA = Path(__file__).parent / "data"

#: Registration fee by visit type (a code of ``price_items.csv``).
#: Printed on every start of the demo; accounts that have it are refused in production.
DEMO_PASSWORD = "xinglin-demo"  # noqa: S105 - public on purpose
VISIT_FEES = {
    "general": "REG-GENERAL",
    "associate_chief": "REG-ASSOC",
    "chief": "REG-CHIEF",
    "special": "REG-SPECIAL",
}

#: When each half-day usually begins and has ended, in minutes after local midnight.
SESSION_MINUTES = {"am": (480, 720), "pm": (810, 1050), "evening": (1080, 1440)}

Row = TypeVar("Row")


def _value(text: str, kind: Any, place: str) -> Any:
    if kind is str:
        return text
    if kind == int | None and not text:
        return None
    if kind in (int, int | None):
        try:
            return int(text)
        except ValueError as error:
            raise DatasetError(f"{place}: {text!r} is not a whole number") from error
    if kind is bool:
        if text not in ("0", "1"):
            raise DatasetError(f"{place}: {text!r} is neither 0 nor 1")
        return text == "1"
    return tuple(text.split())  # tuple[str, ...]: codes never hold a space


def read_rows(path: Path, row_type: type[Row]) -> tuple[Row, ...]:
    """Read one CSV file as records of ``row_type``.

    The header must be exactly the fields, in order; a cell of the wrong kind or a torn line
    raises ``DatasetError`` naming the file and line.
    """
    hints = get_type_hints(row_type)
    rows: list[Row] = []
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.reader(file, strict=True)
        header = next(reader, [])
        if header != list(hints):
            raise DatasetError(f"{path.name}: columns {header} instead of {list(hints)}")
        for cells in reader:
            place = f"{path.name}:{reader.line_num}"
            if len(cells) != len(header):
                raise DatasetError(f"{place}: {len(cells)} cells instead of {len(header)}")
            values = {
                name: _value(cell, hints[name], f"{place} {name}")
                for name, cell in zip(header, cells, strict=True)
            }
            rows.append(row_type(**values))
    return tuple(rows)


def load_from(folder: Path) -> Dataset:
    """Read and validate the data set in ``folder``; raise ``DatasetError`` listing every fault."""
    hints = get_type_hints(Dataset)
    parts = {
        field.name: read_rows(folder / f"{field.name}.csv", get_args(hints[field.name])[0])
        for field in fields(Dataset)
    }
    dataset = Dataset(**parts)
    problems = find_problems(dataset, VISIT_FEES, SESSION_MINUTES)
    if problems:
        raise DatasetError("\n".join(problems))
    return dataset


@cache
def load() -> Dataset:
    """The demo hospital, read once a process."""
    return load_from(DATA)


def first_minute(entry: TemplateRow) -> int:
    """Minute after local midnight at which a session begins."""
    if entry.starts_minute is not None:
        return entry.starts_minute
    return SESSION_MINUTES[entry.half_day][0]


def slot_minute(entry: TemplateRow, number: int) -> int:
    """Minute after local midnight at which slot ``number`` (1…capacity) of a session begins."""
    if not 1 <= number <= entry.capacity:
        raise ValueError(f"slot {number} of {entry.capacity}")
    return first_minute(entry) + (number - 1) * entry.slot_minutes
