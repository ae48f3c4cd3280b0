"""The fleet in the back office: every kiosk as it is now, prints to look after, enrolment and revoking.

GET  /backoffice/kiosks                              the fleet (fragment: its state, read every five seconds)
GET  /backoffice/kiosks/new                          form of a new kiosk
POST /backoffice/kiosks/new                          make it; its one-time code is shown once
GET  /backoffice/kiosks/<kiosk_id>                   one kiosk with its latest prints
POST /backoffice/kiosks/<kiosk_id>/code              a fresh one-time code, shown once
POST /backoffice/kiosks/<kiosk_id>/revoke            its credential opens nothing any more
POST /backoffice/kiosks/<kiosk_id>/reinstate         take that back
POST /backoffice/kiosks/prints/<print_id>/resolve    somebody looked whether paper came out

A code is never stored: the answer that shows it is not kept by browsers and cannot be fetched again.
"""

from __future__ import annotations

import datetime as dt

from flask import Blueprint, Response, flash, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from pydantic import BaseModel, ConfigDict, Field
from werkzeug.wrappers import Response as BaseResponse

from backend.devices import queries, rules, service
from backend.devices.errors import KioskCodeTaken
from backend.devices.rules import KioskState, PrintState
from backend.kernel.errors import InvalidInput
from backend.kernel.ids import Id
from backend.kernel.permissions import Permission, has
from backend.kernel.uow import now
from backend.kernel.web import (
    NavItem,
    current_actor,
    own_hospital_id,
    read_uow,
    redirect_to,
    render,
    requires,
    write_uow,
)
from backend.kernel.web.bodies import parse

blueprint = Blueprint(
    "kiosks", __name__, url_prefix="/backoffice/kiosks", template_folder="templates"
)

NAV: tuple[NavItem, ...] = (
    NavItem(
        label=lazy_gettext("自助机"),
        endpoint="kiosks.fleet",
        icon="device-desktop",
        permission=Permission.DEVICES_KIOSK_READ,
        section=lazy_gettext("管理"),
        order=80,
    ),
)

RESOLUTIONS = {"printed": PrintState.PRINTED, "failed": PrintState.FAILED}


class NewKiosk(BaseModel):
    """The form of a new kiosk."""

    model_config = ConfigDict(str_strip_whitespace=True, extra="ignore")

    code: str = Field(min_length=1, max_length=32, pattern=r"^[A-Za-z0-9-]+$")
    name: str = Field(min_length=1, max_length=60)
    location_id: Id


@blueprint.get("")
@requires(Permission.DEVICES_KIOSK_READ)
def fleet() -> Response:
    """Every kiosk with its last heartbeat, and the prints whose outcome nobody knows."""
    with read_uow() as session:
        kiosks = queries.list_kiosks(session, own_hospital_id())
        prints = queries.list_ambiguous_prints(session, own_hospital_id())
        moment = now(session)
    return render(
        "devices/fleet.html",
        fragment="devices/_fleet.html",
        kiosks=kiosks,
        prints=prints,
        moment=moment,
        online_count=sum(kiosk.state is KioskState.ONLINE for kiosk in kiosks),
        expected_count=sum(kiosk.state is not KioskState.REVOKED for kiosk in kiosks),
        may_manage=_may_manage(),
    )


@blueprint.get("/new")
@requires(Permission.DEVICES_KIOSK_MANAGE)
def new_kiosk() -> Response:
    """The form."""
    return _form({}, {}, status=200)


@blueprint.post("/new")
@requires(Permission.DEVICES_KIOSK_MANAGE)
def add_kiosk() -> Response:
    """Make the kiosk and show its code; what is wrong is said in the form, which keeps what was typed."""
    given = {name: request.form.get(name, "") for name in NewKiosk.model_fields}
    try:
        wanted = parse(NewKiosk, given)
        with write_uow() as session:
            kiosk, code = service.add_kiosk(
                session,
                hospital_id=own_hospital_id(),
                code=wanted.code.upper(),
                name=wanted.name,
                location_id=wanted.location_id,
            )
            ends_at = now(session) + rules.CODE_LIFE
    except InvalidInput as error:
        return _form(given, error.fields, status=error.status)
    return _code(kiosk.id, kiosk.name, code, ends_at)


@blueprint.get("/<uuid:kiosk_id>")
@requires(Permission.DEVICES_KIOSK_READ)
def kiosk_page(kiosk_id: Id) -> Response:
    """One kiosk, what it last reported and what it printed."""
    with read_uow() as session:
        kiosk = queries.get_kiosk(session, kiosk_id, hospital_id=own_hospital_id())
        prints = queries.list_prints_of_kiosk(session, kiosk_id)
    return render(
        "devices/kiosk.html",
        fragment="devices/_kiosk.html",
        kiosk=kiosk,
        prints=prints,
        may_manage=_may_manage(),
    )


@blueprint.post("/<uuid:kiosk_id>/code")
@requires(Permission.DEVICES_KIOSK_MANAGE)
def issue_code(kiosk_id: Id) -> Response:
    """A fresh one-time code; the credential the kiosk has works until the code is used."""
    with write_uow() as session:
        kiosk = queries.get_kiosk(session, kiosk_id, hospital_id=own_hospital_id())
        code = service.issue_code(session, kiosk_id)
        ends_at = now(session) + rules.CODE_LIFE
    return _code(kiosk.id, kiosk.name, code, ends_at)


@blueprint.post("/<uuid:kiosk_id>/revoke")
@requires(Permission.DEVICES_KIOSK_MANAGE)
def revoke(kiosk_id: Id) -> BaseResponse:
    """Shut a kiosk out at once."""
    with write_uow() as session:
        service.revoke(session, kiosk_id, hospital_id=own_hospital_id())
    flash(_("已停用：这台自助机不能再办理业务"), "ok")
    return redirect_to("kiosks.kiosk_page", kiosk_id=kiosk_id)


@blueprint.post("/<uuid:kiosk_id>/reinstate")
@requires(Permission.DEVICES_KIOSK_MANAGE)
def reinstate(kiosk_id: Id) -> BaseResponse:
    """Let it work again with the credential it has."""
    with write_uow() as session:
        service.reinstate(session, kiosk_id, hospital_id=own_hospital_id())
    flash(_("已恢复使用"), "ok")
    return redirect_to("kiosks.kiosk_page", kiosk_id=kiosk_id)


@blueprint.post("/prints/<uuid:print_id>/resolve")
@requires(Permission.DEVICES_KIOSK_MANAGE)
def resolve_print(print_id: Id) -> BaseResponse:
    """Paper came out, or it did not; an unprinted ticket may be printed again at any kiosk."""
    outcome = RESOLUTIONS.get(request.form.get("outcome", ""))
    if outcome is None:
        raise InvalidInput(_("请选择“已出纸”或“没有出纸”"), code="outcome_invalid")
    with write_uow() as session:
        service.resolve_print(
            session, print_id=print_id, hospital_id=own_hospital_id(), outcome=outcome
        )
    flash(_("已记为已出纸") if outcome is PrintState.PRINTED else _("已记为没有出纸"), "ok")
    return redirect_to("kiosks.fleet")


def _form(given: dict[str, str], problems: dict[str, object], *, status: int) -> Response:
    with read_uow() as session:
        places = queries.list_places(session, own_hospital_id())
    return render(
        "devices/new.html",
        status=status,
        given=given,
        problems=_form_words(problems),
        places=places,
    )


def _form_words(problems: dict[str, object]) -> dict[str, str]:
    """What is wrong with each field, said for this form."""
    words = {name: str(text) for name, text in problems.items()}
    if "code" in words and words["code"] != str(KioskCodeTaken.default_message):
        words["code"] = str(_("请用字母、数字和短横线，最多 32 个"))
    if "name" in words:
        words["name"] = str(_("请填写名称，最多 60 个字"))
    if "location_id" in words:
        words["location_id"] = str(_("请选择位置"))
    return words


def _code(kiosk_id: Id, name: str, code: str, ends_at: dt.datetime) -> Response:
    half = len(code) // 2
    return render(
        "devices/code.html",
        kiosk_id=kiosk_id,
        name=name,
        code=f"{code[:half]}-{code[half:]}",
        ends_at=ends_at,
    )


def _may_manage() -> bool:
    return has(current_actor(), Permission.DEVICES_KIOSK_MANAGE)
