"""One person who works here: new, another title or department, gone and back, history.

GET  /backoffice/staff/new                     the form
POST /backoffice/staff                         add them
GET  /backoffice/staff/<person_id>             the person
POST /backoffice/staff/<person_id>             change them; 409 with what the other changed when the form is stale
POST /backoffice/staff/<person_id>/leave|return  gone (their login ends) or back (each undoes the other)
"""

from __future__ import annotations

from flask import Response, flash, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from backend.kernel import history
from backend.kernel.errors import NotFound, StaleVersion, XinglinError
from backend.kernel.ids import Id, parse_id
from backend.kernel.permissions import Permission
from backend.kernel.web import (
    flash_undo,
    own_hospital_id,
    read_uow,
    redirect_to,
    render,
    requires,
    write_uow,
)
from backend.organization import queries, service
from backend.organization.backoffice.common import SEX_WORDS, action_words, blueprint, form_version
from backend.organization.errors import PersonUnknown
from backend.organization.queries import Practitioner

PAGE = "organization.person"


@blueprint.get("/staff/new")
@requires(Permission.ORGANIZATION_STAFF_WRITE)
def new_person() -> Response:
    """The empty form."""
    return _page(None)


@blueprint.post("/staff")
@requires(Permission.ORGANIZATION_STAFF_WRITE)
def create_person() -> BaseResponse:
    """Somebody new."""
    form = request.form
    try:
        with write_uow() as session:
            person_id = service.add_practitioner(
                session,
                hospital_id=own_hospital_id(),
                code=form.get("code", "")[:60],
                name=form.get("name", "")[:120],
                sex=_sex(),
                title=form.get("title", "")[:120],
                department_id=parse_id(form.get("department", "")),
                specialty=form.get("specialty", "")[:400],
            ).id
    except XinglinError as error:
        return _page(None, error=error)
    flash(_("已新增；需要登录的，请管理员在“账号与角色”开通"), "ok")
    return redirect_to(PAGE, person_id=person_id)


@blueprint.get("/staff/<uuid:person_id>")
@requires(Permission.ORGANIZATION_STAFF_WRITE)
def person(person_id: Id) -> Response:
    """The person with what can be done."""
    return _page(person_id)


@blueprint.post("/staff/<uuid:person_id>")
@requires(Permission.ORGANIZATION_STAFF_WRITE)
def edit_person(person_id: Id) -> BaseResponse:
    """Another name, title, department or specialty."""
    form = request.form
    try:
        with write_uow() as session:
            service.edit_practitioner(
                session,
                person_id,
                hospital_id=own_hospital_id(),
                version=form_version(),
                name=form.get("name", "")[:120],
                sex=_sex(),
                title=form.get("title", "")[:120],
                department_id=parse_id(form.get("department", "")),
                specialty=form.get("specialty", "")[:400],
            )
    except XinglinError as error:
        return _page(person_id, error=error)
    flash(_("已保存"), "ok")
    return redirect_to(PAGE, person_id=person_id)


@blueprint.post("/staff/<uuid:person_id>/leave")
@requires(Permission.ORGANIZATION_STAFF_WRITE)
def leave(person_id: Id) -> BaseResponse:
    """Gone."""
    return _set_active(person_id, is_active=False)


@blueprint.post("/staff/<uuid:person_id>/return")
@requires(Permission.ORGANIZATION_STAFF_WRITE)
def come_back(person_id: Id) -> BaseResponse:
    """Back."""
    return _set_active(person_id, is_active=True)


def _set_active(person_id: Id, *, is_active: bool) -> BaseResponse:
    with write_uow() as session:
        service.set_practitioner_active(
            session, person_id, hospital_id=own_hospital_id(), is_active=is_active
        )
    undo = "organization.leave" if is_active else "organization.come_back"
    words = _("已返岗") if is_active else _("已离岗，登录随即失效；已排的班次请在排班里处理")
    flash_undo(words, url_for(undo, person_id=person_id))
    return redirect_to(PAGE, person_id=person_id)


def _page(person_id: Id | None, *, error: XinglinError | None = None) -> Response:
    if isinstance(error, NotFound):
        raise error
    others, entries, found = [], [], None
    with read_uow() as session:
        if person_id is not None:
            found = _own(session, person_id)
            entries = history.list_entries(session, "practitioner", person_id)
            if isinstance(error, StaleVersion):
                others = history.list_since(session, "practitioner", person_id, form_version())
        departments = queries.list_departments(session, hospital_id=own_hospital_id())
        values = _values(found)
    return render(
        "organization/person.html",
        status=error.status if error else 200,
        person=found,
        values=values if not error else request.form,
        departments=[(str(each.id), each.name) for each in departments],
        sexes=[(str(code), words) for code, words in SEX_WORDS.items()],
        entries=entries,
        action_words=action_words,
        field_words={
            "name": _("姓名"),
            "sex": _("性别"),
            "title": _("职称"),
            "department": _("科室"),
            "specialty": _("专长"),
        },
        value_words={str(code): words for code, words in SEX_WORDS.items()},
        error=error,
        is_stale=isinstance(error, StaleVersion),
        others=others,
    )


def _values(found: Practitioner | None) -> dict[str, str]:
    """What the form shows before anybody typed."""
    if found is None:
        return {}
    return {
        "name": found.name,
        "sex": str(found.sex),
        "title": found.title,
        "department": str(found.department_id),
        "specialty": found.specialty,
    }


def _own(session: Session, person_id: Id) -> Practitioner:
    found = queries.get_practitioner(session, person_id)
    if found.hospital_id != own_hospital_id():
        raise PersonUnknown
    return found


def _sex() -> int:
    text = request.form.get("sex", "")
    return int(text) if text in {"0", "1", "2", "9"} else -1
