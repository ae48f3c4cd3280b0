"""One's own password.

GET  /backoffice/password    the form; whoever came in with a one-time password can go nowhere else
POST /backoffice/password    change it
"""

from __future__ import annotations

from flask import Response, flash, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from backend.identity import passwords, queries, service
from backend.identity.backoffice.common import blueprint
from backend.identity.errors import PasswordRefused
from backend.identity.login import current_staff
from backend.identity.views import StaffView
from backend.kernel.errors import Unauthenticated, XinglinError
from backend.kernel.permissions import Permission
from backend.kernel.web import read_uow, redirect_to, render, requires, write_uow


@blueprint.get("/password")
@requires(Permission.IDENTITY_SESSION_OWN)
def own_password() -> Response:
    """The form."""
    return _page()


@blueprint.post("/password")
@requires(Permission.IDENTITY_SESSION_OWN)
def change_password() -> BaseResponse:
    """Change it; asks for the current one, counted with failed logins. Hashing happens outside the transaction."""
    staff = _staff()
    current, new = request.form.get("current", ""), request.form.get("new", "")
    try:
        service.check_new_password(
            new, request.form.get("again", ""), username=staff.username, current=current
        )
    except XinglinError as error:
        return _page(error=error)
    with read_uow() as session:
        found = queries.find_credentials(session, staff.username)
    stored = found.password_hash if found else None
    is_right = passwords.is_right(current, stored)
    hashed = passwords.hash_password(new)
    with write_uow() as session:
        is_changed = service.change_own_password(
            session, staff, is_current_right=is_right, checked_hash=stored or "", new=hashed
        )
    if not is_changed:
        return _page(error=PasswordRefused(fields={"current": _("当前密码不对")}))
    flash(_("密码已修改，您在其他电脑上的登录已结束"), "ok")
    return redirect_to("backoffice.home")


def _page(*, error: XinglinError | None = None) -> Response:
    staff = _staff()
    return render(
        "identity/own_password.html",
        status=error.status if error else 200,
        error=error,
        must_change=staff.must_change_password,
        username=staff.username,
    )


def _staff() -> StaffView:
    staff = current_staff()
    if staff is None:
        raise Unauthenticated
    return staff
