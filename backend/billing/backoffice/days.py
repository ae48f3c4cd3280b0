"""Closing a hospital's day (日结): its money by tender, kind and channel, its shifts, frozen once closed.

GET  /backoffice/day-close                      the last days and whether they are closed
GET  /backoffice/day-close/<day>                one day, to look at, close and print
POST /backoffice/day-close/<day>/close          freeze it
GET  /backoffice/day-close/shifts/<shift_id>    the report of any cashier's closed shift

At most six statements beside who asks.
"""

from __future__ import annotations

import datetime as dt

from flask import Blueprint, Response, flash, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from werkzeug.wrappers import Response as BaseResponse

from backend.billing import queries, service
from backend.billing.backoffice.words import WORDS
from backend.billing.queries import DayView
from backend.billing.rules import DENOMINATIONS_FEN, Channel, MovementKind, Tender
from backend.kernel.clock import day_bounds
from backend.kernel.errors import NotFound
from backend.kernel.ids import Id
from backend.kernel.permissions import Permission
from backend.kernel.uow import today
from backend.kernel.web import (
    NavItem,
    own_hospital_id,
    read_uow,
    redirect_to,
    render,
    requires,
    write_uow,
)
from backend.organization import queries as organization

blueprint = Blueprint(
    "days", __name__, url_prefix="/backoffice/day-close", template_folder="../templates"
)

NAV: tuple[NavItem, ...] = (
    NavItem(
        label=lazy_gettext("日结"),
        endpoint="days.day_list",
        icon="calendar-dollar",
        permission=Permission.BILLING_DAY_CLOSE,
        section=lazy_gettext("财务"),
        order=60,
    ),
)

SHOWN_DAYS = 31
SHOWN_SHIFTS = 200


@blueprint.get("")
@requires(Permission.BILLING_DAY_CLOSE)
def day_list() -> Response:
    """The last days, today first: what was taken net, and who closed them."""
    place = own_hospital_id()
    with read_uow() as session:
        last = today(session)
        first = last - dt.timedelta(days=SHOWN_DAYS - 1)
        nets = queries.sum_ledger_days(session, place, first, last)
        closed = queries.list_closed_days(session, place, first, last)
    days = [last - dt.timedelta(days=back) for back in range(SHOWN_DAYS)]
    waiting = sum(day not in closed and nets.get(day) is not None for day in days[1:])
    return render(
        "billing/days.html", days=days, nets=nets, closed=closed, waiting=waiting, **WORDS
    )


@blueprint.get("/<day>")
@requires(Permission.BILLING_DAY_CLOSE)
def day_page(day: str) -> Response:
    """One day by tender and by channel, with its shifts."""
    place, wanted = own_hospital_id(), _day(day)
    first, after = day_bounds(wanted)
    with read_uow() as session:
        found = queries.get_day(session, place, wanted)
        shifts = queries.list_shifts(
            session, place, closed_from=first, closed_before=after, limit=SHOWN_SHIFTS
        )
        hospital_name = organization.get_hospital(session, place).name
        is_over = wanted < today(session)
    return render(
        "billing/day.html",
        day=found,
        is_over=is_over,
        by_tender=_by_tender(found),
        by_channel=_by_channel(found),
        kinds=list(MovementKind),
        shifts=shifts,
        hospital_name=hospital_name,
        **WORDS,
    )


@blueprint.post("/<day>/close")
@requires(Permission.BILLING_DAY_CLOSE)
def close(day: str) -> BaseResponse:
    """Freeze the day; open shifts need a note."""
    wanted = _day(day)
    with write_uow() as session:
        service.close_day(
            session, hospital_id=own_hospital_id(), day=wanted, note=request.form.get("note", "")
        )
    flash(_("已日结"), "ok")
    return redirect_to("days.day_page", day=wanted.isoformat())


@blueprint.get("/shifts/<uuid:shift_id>")
@requires(Permission.BILLING_DAY_CLOSE)
def shift_report(shift_id: Id) -> Response:
    """A closed shift of any cashier of the hospital."""
    with read_uow() as session:
        shift = queries.get_shift(session, shift_id)
        hospital_name = organization.get_hospital(session, shift.hospital_id).name
    return render(
        "billing/shift_report.html",
        shift=shift,
        hospital_name=hospital_name,
        denominations=DENOMINATIONS_FEN,
        back="days.day_list",
        **WORDS,
    )


Cell = tuple[int, int]


def _by_tender(day: DayView) -> dict[Tender, dict[MovementKind, Cell]]:
    """Count and fen of each kind, by tender."""
    table: dict[Tender, dict[MovementKind, Cell]] = {}
    for line in day.lines:
        row = table.setdefault(line.tender, {})
        count, fen = row.get(line.kind, (0, 0))
        row[line.kind] = count + line.count, fen + line.fen
    return table


def _by_channel(day: DayView) -> dict[Channel, Cell]:
    """Count and fen by channel, in the order of the channels; what balances paid counts in no sum."""
    table: dict[Channel, Cell] = {}
    for channel in Channel:
        lines = [line for line in day.lines if line.channel is channel]
        if lines:
            table[channel] = sum(line.count for line in lines), queries.net_of(lines)
    return table


def _day(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError as error:
        raise NotFound from error
