"""How full the sessions are, as a heat map with its table: departments, or the practitioners of one.

GET /backoffice/schedules/load     two weeks from a day on (fragment: none; the page is small)
"""

from __future__ import annotations

import datetime as dt
import json

from flask import Response, request
from flask_babel import gettext as _

from backend.kernel.ids import parse_id
from backend.kernel.permissions import Permission
from backend.kernel.uow import today
from backend.kernel.web import own_hospital_id, read_uow, render, requires
from backend.scheduling import queries
from backend.scheduling.backoffice import common
from backend.scheduling.backoffice.common import WEEKDAYS, blueprint
from backend.scheduling.rules import HALF_DAY_WORDS
from backend.scheduling.views import LoadRow

DAYS = 14


@blueprint.get("/load")
@requires(Permission.SCHEDULING_SCHEDULE_READ)
def load() -> Response:
    """Booked of all places, by day and half-day; at most four queries."""
    with read_uow() as session:
        first = common.read_day(request.args.get("on", "")) or today(session)
        departments = common.clinical_departments(session)
        wanted = parse_id(request.args.get("department", ""))
        department_id = wanted if wanted in {one.id for one in departments} else None
        rows = queries.list_load(
            session,
            hospital_id=own_hospital_id(),
            first=first,
            last=first + dt.timedelta(days=DAYS - 1),
            department_id=department_id,
        )
        columns = _columns(first, rows)
        return render(
            "scheduling/load.html",
            rows=rows,
            columns=columns,
            halves=HALF_DAY_WORDS,
            weekdays=WEEKDAYS,
            first=first,
            today=today(session),
            previous=first - dt.timedelta(days=DAYS),
            following=first + dt.timedelta(days=DAYS),
            department_id=department_id,
            departments=common.department_options(departments),
            chart=_chart(rows, columns),
        )


def _columns(first: dt.date, rows: list[LoadRow]) -> list[tuple[dt.date, object]]:
    """The days and half-days that have a session somewhere, in order."""
    seen = {key for row in rows for key in row.cells}
    days = [first + dt.timedelta(days=n) for n in range(DAYS)]
    return [(day, half) for day in days for half in HALF_DAY_WORDS if (day, half) in seen]


def _chart(rows: list[LoadRow], columns: list[tuple[dt.date, object]]) -> str:
    """What the page's script draws, as JSON: axes, and [column, row, percent, booked, total] a cell."""
    place = {key: number for number, key in enumerate(columns)}
    names = [row.name for row in rows]
    shown = {
        "columns": [
            f"{day.month}/{day.day} {WEEKDAYS[day.weekday()]} {HALF_DAY_WORDS[half]}"  # type: ignore[index]
            for day, half in columns
        ],
        "rows": names,
        "cells": [
            [place[key], number, round(cell.share * 100), cell.booked, cell.total]
            for number, row in enumerate(rows)
            for key, cell in row.cells.items()
            if key in place
        ],
        "words": {"booked": str(_("已约")), "of": str(_("共")), "places": str(_("个号"))},
    }
    return json.dumps(shown, ensure_ascii=False).replace("<", "\\u003c")
