"""Importing prices from a CSV file: a preview of every effect and every wrong row first, then all of it or nothing.

GET  /backoffice/prices/import            choose a file or paste its text
POST /backoffice/prices/import/preview    what it would do, or which rows are wrong
POST /backoffice/prices/import            do what the preview showed (409 and a new preview when the list changed since)
"""

from __future__ import annotations

import datetime as dt

from flask import Response, flash, request
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from backend.billing import service
from backend.billing.backoffice.prices.common import CATEGORY_WORDS, PRICED_WORDS, blueprint
from backend.billing.backoffice.prices.editor import field_words
from backend.billing.errors import ImportChanged
from backend.billing.rules import PriceCategory, price_list
from backend.billing.rules.price_list import Effect, ImportPlan
from backend.kernel.errors import InvalidInput, XinglinError
from backend.kernel.permissions import Permission
from backend.kernel.spreadsheets import decode_csv
from backend.kernel.uow import today
from backend.kernel.web import own_hospital_id, read_uow, redirect_to, render, requires, write_uow

MOST_BYTES = 400_000
#: Rows of a preview that are shown; the counts are of all.
SHOWN = 300


@blueprint.get("/import")
@requires(Permission.BILLING_PRICE_WRITE)
def import_form() -> Response:
    """Choose a file."""
    return _form()


@blueprint.post("/import/preview")
@requires(Permission.BILLING_PRICE_WRITE)
def import_preview() -> Response:
    """Nothing is written: what would change, row by row, and what is wrong."""
    try:
        text, day = _text(), _day()
    except InvalidInput as error:
        return _form(error=error)
    with read_uow() as session:
        plan = _plan(session, text, day)
    return _preview(plan, text, day)


@blueprint.post("/import")
@requires(Permission.BILLING_PRICE_WRITE)
def import_prices() -> BaseResponse:
    """All rows in one transaction, if they still do what the preview showed."""
    text, day = _text(), _day()
    hospital_id = own_hospital_id()
    try:
        with write_uow() as session:
            service.lock_price_list(session, hospital_id)
            plan = _plan(session, text, day)
            changed = service.import_prices(
                session, hospital_id=hospital_id, plan=plan, digest=request.form.get("digest", "")
            )
    except (ImportChanged, InvalidInput) as error:
        with read_uow() as session:
            plan = _plan(session, text, day)
        return _preview(plan, text, day, error=error)
    flash(_("导入完成，%(n)s 个项目有变化", n=changed), "ok")
    return redirect_to("prices.price_list")


def _plan(session: Session, text: str, day: dt.date) -> ImportPlan:
    rows, errors = price_list.parse_import(text, default_day=day, categories=_categories())
    return service.make_import_plan(
        session, hospital_id=own_hospital_id(), rows=rows, errors=errors
    )


def _categories() -> dict[str, PriceCategory]:
    """Categories by their words and by their codes."""
    words = {str(text): kind for kind, text in PRICED_WORDS.items()}
    return {**{kind.value: kind for kind in PRICED_WORDS}, **words}


def _text() -> str:
    """The file's text, UTF-8 or GB 18030 as spreadsheets write it, or what was pasted; InvalidInput otherwise."""
    upload = request.files.get("file")
    if upload is None or not upload.filename:
        text = request.form.get("text", "")
        if not text.strip():
            words = _("请选择文件，或把内容粘贴到下面")
            raise InvalidInput(words, fields={"file": words})
        return text
    data = upload.stream.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        words = _("文件太大，请分开导入")
        raise InvalidInput(words, fields={"file": words})
    decoded = decode_csv(data)
    if decoded is not None:
        return decoded
    words = _("看不懂文件的编码，请另存为 UTF-8 的 CSV")
    raise InvalidInput(words, fields={"file": words})


def _day() -> dt.date:
    """The day of rows that name none; tomorrow unless given."""
    text = request.form.get("effective_from", "")
    try:
        return dt.date.fromisoformat(text) if text else _tomorrow()
    except ValueError as error:
        raise InvalidInput(fields={"effective_from": _("日期有误")}) from error


def _tomorrow() -> dt.date:
    with read_uow() as session:
        return today(session) + dt.timedelta(days=1)


def _form(*, error: XinglinError | None = None) -> Response:
    return render(
        "billing/price_import.html",
        status=error.status if error else 200,
        error=error,
        typed=request.form,
        tomorrow=_tomorrow().isoformat(),
        headings="，".join(price_list.HEADINGS),
        most_rows=price_list.MOST_ROWS,
    )


def _preview(
    plan: ImportPlan, text: str, day: dt.date, *, error: XinglinError | None = None
) -> Response:
    status = error.status if error else (422 if plan.errors else 200)
    changing = [row for row in plan.rows if row.effect is not Effect.SAME]
    return render(
        "billing/price_import_preview.html",
        status=status,
        plan=plan,
        changing=changing[:SHOWN],
        hidden_count=max(len(changing) - SHOWN, 0),
        counts={effect.value: plan.count(effect) for effect in Effect},
        effect_words=_effect_words(),
        field_words=field_words(),
        category_words={kind.value: words for kind, words in CATEGORY_WORDS.items()},
        text=text,
        day=day.isoformat(),
        error=error,
    )


def _effect_words() -> dict[str, str]:
    return {
        Effect.NEW.value: _("新增"),
        Effect.PRICE.value: _("调价"),
        Effect.WORDS.value: _("改名称、单位或类别"),
        Effect.BOTH.value: _("调价并改名称等"),
        Effect.SAME.value: _("不变"),
    }
