"""Rendering: a fragment for htmx, the page for everyone else; and the Jinja filters every template shares."""

from __future__ import annotations

import datetime as dt

import segno
from flask import Flask, Response, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from backend.kernel.clock import age_on, business_date, local
from backend.kernel.masking import mask_id_number, mask_name, mask_phone
from backend.kernel.money import format_yuan


def is_fragment_request() -> bool:
    """True when htmx asks for a part of a page (not for a whole page by history or boost)."""
    headers = request.headers
    return (
        headers.get("HX-Request") == "true"
        and headers.get("HX-Boosted") != "true"
        and headers.get("HX-History-Restore-Request") != "true"
    )


def render(
    page: str, *, fragment: str | None = None, status: int = 200, **values: object
) -> Response:
    """The template ``fragment`` for htmx, ``page`` for everyone else."""
    template = fragment if fragment and is_fragment_request() else page
    response = make_response(render_template(template, **values), status)
    response.headers["Vary"] = "HX-Request"
    return response


def qr_picture(text: str, *, scale: int = 1) -> str:
    """A QR code of ``text`` as a data image (ISO/IEC 18004, level M, four modules of margin): no address has it."""
    return str(segno.make_qr(text, error="m").svg_data_uri(scale=scale, border=4))


def redirect_to(endpoint: str, **values: object) -> BaseResponse:
    """Go to another page after a command; htmx is told by its header so that the whole page follows."""
    target = url_for(endpoint, **values)  # type: ignore[arg-type]
    if is_fragment_request():
        response = make_response("", 204)
        response.headers["HX-Redirect"] = target
        return response
    return redirect(target, 303)


def flash_undo(words: str, undo_url: str) -> None:
    """Say on the next page what was done, and offer to take it back: ``undo_url`` is posted to."""
    flash((words, undo_url), "ok")  # type: ignore[arg-type]  # base.html tells the two apart


def day_words(moment: dt.datetime, now: dt.datetime | None = None) -> str:
    """``今天 09:30``, ``明天 14:00``, ``11月25日 09:30``."""
    today = business_date(now or dt.datetime.now(dt.UTC))
    wall = local(moment)
    return f"{date_words(wall.date(), today)} {wall:%H:%M}"


def date_words(day: dt.date, today: dt.date | None = None) -> str:
    """``今天``, ``明天``, ``昨天``, or the date (with its year when that differs)."""
    today = today or business_date(dt.datetime.now(dt.UTC))
    words = {0: _("今天"), 1: _("明天"), -1: _("昨天")}.get((day - today).days)
    if words is not None:
        return str(words)
    plain = f"{day.month}月{day.day}日"
    return plain if day.year == today.year else f"{day.year}年{plain}"


def clock_time(moment: dt.datetime) -> str:
    """``09:30`` on the hospital's clock."""
    return f"{local(moment):%H:%M}"


def age(birth_date: dt.date) -> int:
    """Whole years of age today."""
    return age_on(birth_date, business_date(dt.datetime.now(dt.UTC)))


def install(app: Flask) -> None:
    """Register the filters."""
    app.jinja_env.filters.update(
        money=format_yuan,
        day_words=day_words,
        date_words=date_words,
        clock_time=clock_time,
        age=age,
        mask_name=mask_name,
        mask_phone=mask_phone,
        mask_id_number=mask_id_number,
    )
