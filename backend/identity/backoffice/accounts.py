"""Accounts: who may log in, and what an administrator does about it.

GET  /backoffice/accounts                                     accounts (fragment: the list)
POST /backoffice/accounts/<account_id>/unlock                 forget failed logins
POST /backoffice/accounts/<account_id>/close                  close an account, ending its sessions
POST /backoffice/accounts/<account_id>/open                   open it again

One account's own page is ``account_editor``.
"""

from __future__ import annotations

from flask import Response, flash, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from werkzeug.wrappers import Response as BaseResponse

from backend.identity import queries, service
from backend.identity.backoffice.common import ADMINISTRATION, blueprint
from backend.identity.errors import OwnAccount
from backend.identity.rules import ROLE_WORDS, Role
from backend.kernel.ids import Id
from backend.kernel.permissions import Permission
from backend.kernel.web import (
    NavItem,
    current_actor,
    flash_undo,
    own_hospital_id,
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
    return _back(account_id)


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
    undo = "identity.close" if is_active else "identity.reopen"
    flash_undo(words, url_for(undo, account_id=account_id))
    return _back(account_id)


def _back(account_id: Id) -> BaseResponse:
    """To the page the command came from: the account's own, or the list as it was searched."""
    if request.form.get("back") == "account":
        return redirect_to("identity.account", account_id=account_id)
    return redirect_to("identity.accounts", q=request.form.get("q", ""))
