"""Accounts: who may log in, and what an administrator does about it.

GET  /backoffice/accounts                                     accounts (fragment: the list)
GET  /backoffice/accounts/<account_id>                        one account
POST /backoffice/accounts/<account_id>/unlock                 forget failed logins
POST /backoffice/accounts/<account_id>/close                  close an account, ending its sessions
POST /backoffice/accounts/<account_id>/open                   open it again
POST /backoffice/accounts/<account_id>/second-factor/reset    take away a lost second factor, with a reason
"""

from __future__ import annotations

from flask import Response, flash, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from werkzeug.wrappers import Response as BaseResponse

from backend.identity import queries, service
from backend.identity.backoffice.common import (
    ADMINISTRATION,
    blueprint,
    demand_code,
    needs_code,
    own_hospital_id,
)
from backend.identity.errors import OwnAccount
from backend.identity.rules import ROLE_WORDS, Role
from backend.kernel.errors import XinglinError
from backend.kernel.ids import Id
from backend.kernel.permissions import Permission
from backend.kernel.web import (
    NavItem,
    current_actor,
    read_uow,
    redirect_to,
    render,
    requires,
    write_uow,
)

NAV: tuple[NavItem, ...] = (
    NavItem(
        label=lazy_gettext("账号与角色"),
        endpoint="identity.accounts",
        icon="user-shield",
        permission=Permission.IDENTITY_ACCOUNT_MANAGE,
        section=ADMINISTRATION,
        order=90,
    ),
)
LONGEST_REASON = 200


@blueprint.get("/accounts")
@requires(Permission.IDENTITY_ACCOUNT_MANAGE)
def accounts() -> Response:
    """Who may log in, with which roles, and which accounts are locked or closed."""
    text = request.args.get("q", "").strip()[:60]
    asked = request.args.get("role", "")
    role = Role(asked) if asked in set(Role) else None
    with read_uow() as session:
        found = queries.list_accounts(session, hospital_id=own_hospital_id(), text=text, role=role)
    return render(
        "identity/accounts.html",
        fragment="identity/_accounts.html",
        accounts=found,
        q=text,
        role=role,
        roles=[(each.value, words) for each, words in ROLE_WORDS.items()],
        own_id=current_actor().id,
    )


@blueprint.post("/accounts/<uuid:account_id>/unlock")
@requires(Permission.IDENTITY_ACCOUNT_MANAGE)
def unlock(account_id: Id) -> BaseResponse:
    """Let someone try again before the quarter of an hour is over."""
    with write_uow() as session:
        service.unlock_account(session, account_id, hospital_id=own_hospital_id())
    flash(_("已解除锁定，可以重新登录"), "ok")
    return redirect_to("identity.accounts", q=request.form.get("q", ""))


@blueprint.post("/accounts/<uuid:account_id>/close")
@requires(Permission.IDENTITY_ACCOUNT_MANAGE)
def close(account_id: Id) -> BaseResponse:
    """Close an account; nobody closes their own."""
    if account_id == current_actor().id:
        raise OwnAccount(_("不能停用自己的账号"))
    return _set_active(account_id, is_active=False, words=_("账号已停用，正在使用的登录已结束"))


@blueprint.post("/accounts/<uuid:account_id>/open")
@requires(Permission.IDENTITY_ACCOUNT_MANAGE)
def reopen(account_id: Id) -> BaseResponse:
    """Open a closed account again."""
    return _set_active(account_id, is_active=True, words=_("账号已启用"))


def _set_active(account_id: Id, *, is_active: bool, words: str) -> BaseResponse:
    with write_uow() as session:
        service.set_active(session, account_id, hospital_id=own_hospital_id(), is_active=is_active)
    flash(words, "ok")
    return redirect_to("identity.accounts", q=request.form.get("q", ""))


@blueprint.get("/accounts/<uuid:account_id>")
@requires(Permission.IDENTITY_ACCOUNT_MANAGE)
def account(account_id: Id) -> Response:
    """One account: who, roles, state, second factor."""
    return _account_page(account_id)


@blueprint.post("/accounts/<uuid:account_id>/second-factor/reset")
@requires(Permission.IDENTITY_ACCOUNT_MANAGE)
def reset_factor(account_id: Id) -> BaseResponse:
    """Take away a lost second factor; asks for the administrator's own fresh code and a reason."""
    reason = request.form.get("reason", "")[:LONGEST_REASON]
    try:
        demand_code(request.form.get("code", ""))
        with write_uow() as session:
            service.reset_factor(session, account_id, hospital_id=own_hospital_id(), reason=reason)
    except XinglinError as error:
        if not error.fields:
            raise
        return _account_page(account_id, error=error, typed={"reason": reason})
    flash(_("动态口令已重置，对方下次登录只需密码"), "ok")
    return redirect_to("identity.account", account_id=account_id)


def _account_page(
    account_id: Id, *, error: XinglinError | None = None, typed: dict[str, str] | None = None
) -> Response:
    with read_uow() as session:
        found = queries.get_account_view(session, account_id, hospital_id=own_hospital_id())
        factor = queries.get_factor(session, account_id)
    return render(
        "identity/account.html",
        status=error.status if error else 200,
        account=found,
        factor=factor,
        error=error,
        typed=typed or {},
        needs_code=needs_code(),
        is_own=account_id == current_actor().id,
    )
