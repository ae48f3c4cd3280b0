"""One item of the price list: its words, its prices past and to come, its history.

GET  /backoffice/prices/new                                   the form for a new item
POST /backoffice/prices                                       make it
GET  /backoffice/prices/<item_id>                             the item
POST /backoffice/prices/<item_id>/words                       other name, unit, category
POST /backoffice/prices/<item_id>/prices                      another price from a day on
POST /backoffice/prices/<item_id>/prices/<price_id>/cancel    take a planned price back (undo: plan it again)
POST /backoffice/prices/<item_id>/close | open                switch off or on (each undoes the other)
"""

from __future__ import annotations

import datetime as dt

from flask import Response, flash, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from backend.billing import service
from backend.billing.backoffice.prices.common import CATEGORY_WORDS, PRICED_WORDS, blueprint
from backend.billing.queries import price_edits
from backend.billing.rules import PriceCategory
from backend.identity import audit_words
from backend.kernel import history
from backend.kernel.errors import InvalidInput, StaleVersion, XinglinError
from backend.kernel.ids import Id
from backend.kernel.money import parse_yuan
from backend.kernel.permissions import Permission
from backend.kernel.uow import today
from backend.kernel.web import (
    flash_undo,
    own_hospital_id,
    read_uow,
    redirect_to,
    render,
    requires,
    write_uow,
)

ITEM_PAGE = "prices.item"


@blueprint.get("/new")
@requires(Permission.BILLING_PRICE_WRITE)
def new_item() -> Response:
    """The empty form; a new item costs from today on unless another day is given."""
    return _new_page()


@blueprint.post("")
@requires(Permission.BILLING_PRICE_WRITE)
def create_item() -> BaseResponse:
    """A new item with its first price."""
    try:
        values = _words_of_form()
        with write_uow() as session:
            item = service.create_item(
                session,
                hospital_id=own_hospital_id(),
                code=request.form.get("code", "")[:60],
                price_fen=_price(),
                effective_from=_day(),
                name=values[0],
                unit=values[1],
                category=values[2],
            )
            item_id = item.id
    except XinglinError as error:
        return _new_page(error=error)
    flash(_("已新增，收费窗口从生效日起可以使用"), "ok")
    return redirect_to(ITEM_PAGE, item_id=item_id)


@blueprint.get("/<uuid:item_id>")
@requires(Permission.BILLING_PRICE_WRITE)
def item(item_id: Id) -> Response:
    """The item with everything that can be done to it."""
    return _item_page(item_id)


@blueprint.post("/<uuid:item_id>/words")
@requires(Permission.BILLING_PRICE_WRITE)
def edit_words(item_id: Id) -> BaseResponse:
    """Other name, unit or category; 409 with what the other changed when the form is stale."""
    try:
        name, unit, category = _words_of_form()
        with write_uow() as session:
            service.edit_item(
                session,
                item_id,
                hospital_id=own_hospital_id(),
                version=_version(),
                name=name,
                unit=unit,
                category=category,
            )
    except XinglinError as error:
        return _item_page(item_id, error=error, asked="words")
    flash(_("已保存"), "ok")
    return redirect_to(ITEM_PAGE, item_id=item_id)


@blueprint.post("/<uuid:item_id>/prices")
@requires(Permission.BILLING_PRICE_WRITE)
def plan_price(item_id: Id) -> BaseResponse:
    """Another price from a later day on."""
    try:
        with write_uow() as session:
            service.plan_price(
                session,
                item_id,
                hospital_id=own_hospital_id(),
                version=_version(),
                price_fen=_price(),
                effective_from=_day(),
            )
    except XinglinError as error:
        return _item_page(item_id, error=error, asked="price")
    flash(_("调价已登记，到生效日自动使用；之前可以取消"), "ok")
    return redirect_to(ITEM_PAGE, item_id=item_id)


@blueprint.post("/<uuid:item_id>/prices/<uuid:price_id>/cancel")
@requires(Permission.BILLING_PRICE_WRITE)
def cancel_price(item_id: Id, price_id: Id) -> BaseResponse:
    """Take a planned price back before its day."""
    try:
        with write_uow() as session:
            gone = service.cancel_price(
                session, item_id, price_id, hospital_id=own_hospital_id(), version=_version()
            )
    except StaleVersion as error:
        return _item_page(item_id, error=error, asked="price")
    flash_undo(
        _("已取消这次调价"),
        url_for(
            "prices.plan_again",
            item_id=item_id,
            price_fen=gone.price_fen,
            day=gone.effective_from.isoformat(),
        ),
    )
    return redirect_to(ITEM_PAGE, item_id=item_id)


@blueprint.post("/<uuid:item_id>/prices/<int:price_fen>/<day>/again")
@requires(Permission.BILLING_PRICE_WRITE)
def plan_again(item_id: Id, price_fen: int, day: str) -> BaseResponse:
    """The undo of a cancelled price: planned once more, whatever happened to the item since."""
    with write_uow() as session:
        view = _view(session, item_id)
        service.plan_price(
            session,
            item_id,
            hospital_id=own_hospital_id(),
            version=view.version,
            price_fen=price_fen,
            effective_from=_parse_day(day),
        )
    flash(_("已恢复这次调价"), "ok")
    return redirect_to(ITEM_PAGE, item_id=item_id)


@blueprint.post("/<uuid:item_id>/close")
@requires(Permission.BILLING_PRICE_WRITE)
def close_item(item_id: Id) -> BaseResponse:
    """Nothing can be charged by it any more."""
    return _set_active(item_id, is_active=False)


@blueprint.post("/<uuid:item_id>/open")
@requires(Permission.BILLING_PRICE_WRITE)
def open_item(item_id: Id) -> BaseResponse:
    """It can be charged by again."""
    return _set_active(item_id, is_active=True)


def _set_active(item_id: Id, *, is_active: bool) -> BaseResponse:
    try:
        with write_uow() as session:
            item = service.set_item_active(
                session,
                item_id,
                hospital_id=own_hospital_id(),
                version=_version(),
                is_active=is_active,
            )
            session.flush()
            version = item.version
    except StaleVersion as error:
        return _item_page(item_id, error=error, asked="words")
    undo = "prices.close_item" if is_active else "prices.open_item"
    words = _("项目已启用") if is_active else _("项目已停用")
    flash_undo(words, url_for(undo, item_id=item_id, version=version))
    return redirect_to(ITEM_PAGE, item_id=item_id)


def _item_page(item_id: Id, *, error: XinglinError | None = None, asked: str = "") -> Response:
    """The item; with an error also what was typed into the form ``asked``, and what others changed meanwhile."""
    with read_uow() as session:
        view = _view(session, item_id)
        entries = history.list_entries(session, "price_item", item_id)
        others = []
        if isinstance(error, StaleVersion):
            others = history.list_since(session, "price_item", item_id, _version())
        day = today(session)
    return render(
        "billing/price_item.html",
        status=error.status if error else 200,
        item=view,
        entries=entries,
        action_words=audit_words.action_words,
        field_words=field_words(),
        categories=[(kind.value, words) for kind, words in PRICED_WORDS.items()],
        category_words=CATEGORY_WORDS,
        value_words={kind.value: words for kind, words in CATEGORY_WORDS.items()},
        error=error,
        asked=asked,
        is_stale=isinstance(error, StaleVersion),
        others=others,
        typed=request.form if error else {},
        tomorrow=(day + dt.timedelta(days=1)).isoformat(),
    )


def _new_page(*, error: XinglinError | None = None) -> Response:
    with read_uow() as session:
        day = today(session)
    return render(
        "billing/price_new.html",
        status=error.status if error else 200,
        error=error,
        typed=request.form if error else {},
        categories=[(kind.value, words) for kind, words in PRICED_WORDS.items()],
        today=day.isoformat(),
    )


def field_words() -> dict[str, str]:
    """What the fields of an item are called in its history."""
    return {
        "name": _("名称"),
        "unit": _("单位"),
        "category": _("类别"),
        "price": _("单价"),
    }


def _view(session: Session, item_id: Id) -> price_edits.ItemView:
    return price_edits.get_item(session, item_id, hospital_id=own_hospital_id(), on=today(session))


def _words_of_form() -> tuple[str, str, PriceCategory]:
    form = request.form
    try:
        category = PriceCategory(form.get("category", ""))
    except ValueError as error:
        raise InvalidInput(fields={"category": _("请选择类别")}) from error
    return form.get("name", "")[:200], form.get("unit", "")[:60], category


def _version() -> int:
    """The form's; an undo has it in its address."""
    text = request.values.get("version", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0


def _price() -> int:
    try:
        return parse_yuan(request.form.get("price", "")[:30])
    except InvalidInput as error:
        raise InvalidInput(fields={"price": error.message}) from error


def _day() -> dt.date:
    return _parse_day(request.form.get("effective_from", ""))


def _parse_day(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError as error:
        raise InvalidInput(fields={"effective_from": _("请填写生效日期")}) from error
