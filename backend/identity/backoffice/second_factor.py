"""One's own second factor: enrol by QR code or by hand, recovery codes, change of phone, giving it up.

GET  /backoffice/second-factor                   the page: not enrolled, half way, or enrolled
POST /backoffice/second-factor/begin             make a secret and show it (a fresh code when one is in force)
POST /backoffice/second-factor/confirm           the first code; answers with the recovery codes, shown once
POST /backoffice/second-factor/recovery-codes    a new set, shown once (a fresh code)
POST /backoffice/second-factor/remove            give it up where the roles allow it (a fresh code)
"""

from __future__ import annotations

from flask import Blueprint, Response, flash, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from backend.identity import queries, rules, service, totp
from backend.identity.backoffice.common import demand_code, needs_code
from backend.identity.errors import FactorDemanded
from backend.identity.login import current_staff, must_enrol
from backend.identity.views import StaffView
from backend.kernel.errors import Unauthenticated, XinglinError
from backend.kernel.permissions import Permission
from backend.kernel.web import (
    qr_picture,
    read_uow,
    redirect_to,
    render,
    requires,
    write_uow,
    xinglin,
)

blueprint = Blueprint(
    "second_factor",
    __name__,
    url_prefix="/backoffice/second-factor",
    template_folder="../templates",
)
PAGE = "second_factor.show"


@blueprint.get("")
@requires(Permission.IDENTITY_SESSION_OWN)
def show() -> Response:
    """Where the person stands, and the next step."""
    return _page()


@blueprint.post("/begin")
@requires(Permission.IDENTITY_SESSION_OWN)
def begin() -> BaseResponse:
    """A new secret; the one in force, if any, stays until the new one is confirmed."""
    try:
        demand_code(request.form.get("code", ""))
    except XinglinError as error:
        return _page(error=error, asked="begin")
    with write_uow() as session:
        service.begin_enrolment(session, _staff())
    return redirect_to(PAGE)


@blueprint.post("/confirm")
@requires(Permission.IDENTITY_SESSION_OWN)
def confirm() -> BaseResponse:
    """The first code is right: show the recovery codes, this once."""
    try:
        with write_uow() as session:
            codes = service.confirm_enrolment(session, _staff(), request.form.get("code", "")[:100])
    except XinglinError as error:
        return _page(error=error, asked="confirm")
    return _codes_page(codes, is_new=True)


@blueprint.post("/recovery-codes")
@requires(Permission.IDENTITY_SESSION_OWN)
def renew_codes() -> BaseResponse:
    """A new set; the old one is worth nothing from now on."""
    try:
        demand_code(request.form.get("code", ""))
    except XinglinError as error:
        return _page(error=error, asked="renew")
    with write_uow() as session:
        codes = service.renew_recovery_codes(session, _staff())
    return _codes_page(codes, is_new=False)


@blueprint.post("/remove")
@requires(Permission.IDENTITY_SESSION_OWN)
def remove() -> BaseResponse:
    """Give it up; FactorDemanded (409) for roles that may not work without."""
    if _is_demanded(_staff()):
        raise FactorDemanded
    try:
        demand_code(request.form.get("code", ""))
    except XinglinError as error:
        return _page(error=error, asked="remove")
    with write_uow() as session:
        service.remove_factor(session, _staff())
    flash(_("动态口令已停用，下次登录只需密码"), "ok")
    return redirect_to(PAGE)


def _page(*, error: XinglinError | None = None, asked: str = "") -> Response:
    staff = _staff()
    with read_uow() as session:
        factor = queries.get_factor(session, staff.account_id)
    return render(
        "identity/second_factor.html",
        status=error.status if error else 200,
        factor=factor,
        picture=qr_picture(totp.provisioning_uri(factor.pending_secret, staff.username), scale=5)
        if factor.pending_secret
        else "",
        key=totp.grouped(factor.pending_secret),
        username=staff.username,
        error=error,
        asked=asked,
        is_demanded=_is_demanded(staff),
        must_enrol=must_enrol(staff),
        needs_code=needs_code(),
    )


def _codes_page(codes: list[str], *, is_new: bool) -> Response:
    return render(
        "identity/recovery_codes.html", codes=codes, is_new=is_new, username=_staff().username
    )


def _is_demanded(staff: StaffView) -> bool:
    return xinglin().settings.demands_second_factor and rules.demands_factor(staff.roles)


def _staff() -> StaffView:
    staff = current_staff()
    if staff is None:
        raise Unauthenticated
    return staff
