"""One account: opening it, its roles, a one-time password, its second factor, its history.

GET  /backoffice/accounts/new                                 the form for a new account
GET  /backoffice/accounts/people                              its search for a person (combobox)
POST /backoffice/accounts                                     open it; answers with a one-time password, shown once
GET  /backoffice/accounts/<account_id>                        the account
POST /backoffice/accounts/<account_id>/roles                  give a role
POST /backoffice/accounts/<account_id>/roles/revoke           take one (undo: give it again)
POST /backoffice/accounts/<account_id>/password               a one-time password, shown once
POST /backoffice/accounts/<account_id>/second-factor/reset    take away a lost second factor, with a reason

What gives power over accounts asks for the administrator's own code when the last one is older than ten minutes.
"""

from __future__ import annotations

from flask import Response, flash, get_template_attribute, request
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from backend.identity import audit_words, passwords, queries, service
from backend.identity.backoffice.common import blueprint, demand_code, needs_code
from backend.identity.rules import DEPARTMENT_ROLES, ROLE_WORDS, Role, RoleGrant
from backend.kernel import history
from backend.kernel.errors import InvalidInput, NotFound, XinglinError
from backend.kernel.ids import Id, parse_id
from backend.kernel.permissions import Permission
from backend.kernel.web import (
    current_actor,
    own_hospital_id,
    read_uow,
    redirect_to,
    render,
    requires,
    write_uow,
)
from backend.organization import queries as organization

PAGE = "identity.account"
LONGEST_REASON = 200
#: For the form, which offers no department for these roles.
HOSPITAL_WIDE = " ".join(sorted(set(Role) - DEPARTMENT_ROLES))
#: What the page of an account tells of its past; logins and refusals are the auditor's.
SHOWN_ACTIONS = (
    "identity.close_account",
    "identity.confirm_factor",
    "identity.create_account",
    "identity.grant_role",
    "identity.issue_password",
    "identity.open_account",
    "identity.remove_factor",
    "identity.reset_factor",
    "identity.revoke_role",
    "identity.set_password",
    "identity.unlock_account",
)


@blueprint.get("/accounts/new")
@requires(Permission.IDENTITY_ACCOUNT_MANAGE)
def new_account() -> Response:
    """The form."""
    return _new_page()


@blueprint.get("/accounts/people")
@requires(Permission.IDENTITY_ACCOUNT_MANAGE)
def people() -> str:
    """Those who work here and fit what is typed."""
    text = request.args.get("q", "").strip()[:40]
    with read_uow() as session:
        found = organization.search_practitioners(
            session, hospital_id=own_hospital_id(), text=text, most=12
        )
    rows = [
        (person.id, f"{person.name} {person.code}", f"{person.title} · {department}")
        for person, department in found
    ]
    options = get_template_attribute("components/form.html", "options")
    return str(options(rows))


@blueprint.post("/accounts")
@requires(Permission.IDENTITY_ACCOUNT_MANAGE)
def create_account() -> BaseResponse:
    """Open an account for somebody who works here; the one-time password is shown in the answer, this once."""
    try:
        grant = _grant_of_form()
        person_id = parse_id(request.form.get("practitioner", ""))
        if person_id is None:
            raise InvalidInput(fields={"practitioner": _("请从列表里选择人员")})
        demand_code(request.form.get("code", ""))
        password = passwords.new_one_time()
        hashed = passwords.hash_password(password)
        with write_uow() as session:
            person = organization.get_practitioner(session, person_id)
            if person.hospital_id != own_hospital_id() or not person.is_active:
                raise NotFound
            service.grant_words(session, grant, hospital_id=own_hospital_id())
            made = service.create_account(
                session,
                hospital_id=own_hospital_id(),
                username=request.form.get("username", "")[:200],
                password=hashed,
                practitioner_id=person_id,
                roles=[grant],
                is_one_time=True,
            )
            account_id = made.id
    except XinglinError as error:
        if not error.fields:
            raise
        return _new_page(error=error)
    return _password_page(account_id, password, is_new=True)


@blueprint.get("/accounts/<uuid:account_id>")
@requires(Permission.IDENTITY_ACCOUNT_MANAGE)
def account(account_id: Id) -> Response:
    """One account: who, roles, state, second factor, history."""
    return _account_page(account_id)


@blueprint.post("/accounts/<uuid:account_id>/roles")
@requires(Permission.IDENTITY_ACCOUNT_MANAGE)
def grant_role(account_id: Id) -> BaseResponse:
    """Give a role in one department or the whole hospital."""
    try:
        grant = _grant_of_form()
        demand_code(request.form.get("code", ""))
        with write_uow() as session:
            service.grant_role(session, account_id, grant, hospital_id=own_hospital_id())
    except XinglinError as error:
        return _refused(account_id, error, "role")
    flash(_("已增加角色，对方下一次操作就生效"), "ok")
    return redirect_to(PAGE, account_id=account_id)


@blueprint.post("/accounts/<uuid:account_id>/roles/revoke")
@requires(Permission.IDENTITY_ACCOUNT_MANAGE)
def revoke_role(account_id: Id) -> BaseResponse:
    """Take a role."""
    try:
        grant = _grant_of_form()
        demand_code(request.form.get("code", ""))
        with write_uow() as session:
            service.revoke_role(session, account_id, grant, hospital_id=own_hospital_id())
    except XinglinError as error:
        return _refused(account_id, error, "role")
    flash(_("已移除角色，对方下一次操作就生效；需要时可以再增加"), "ok")
    return redirect_to(PAGE, account_id=account_id)


@blueprint.post("/accounts/<uuid:account_id>/password")
@requires(Permission.IDENTITY_ACCOUNT_MANAGE)
def issue_password(account_id: Id) -> BaseResponse:
    """A one-time password in place of a forgotten one, shown in the answer, this once."""
    password = passwords.new_one_time()
    try:
        demand_code(request.form.get("code", ""))
        hashed = passwords.hash_password(password)
        with write_uow() as session:
            service.issue_password(
                session, account_id, hospital_id=own_hospital_id(), password=hashed
            )
    except XinglinError as error:
        return _refused(account_id, error, "password")
    return _password_page(account_id, password, is_new=False)


@blueprint.post("/accounts/<uuid:account_id>/second-factor/reset")
@requires(Permission.IDENTITY_ACCOUNT_MANAGE)
def reset_factor(account_id: Id) -> BaseResponse:
    """Take away a lost second factor."""
    reason = request.form.get("reason", "")[:LONGEST_REASON]
    try:
        demand_code(request.form.get("code", ""))
        with write_uow() as session:
            service.reset_factor(session, account_id, hospital_id=own_hospital_id(), reason=reason)
    except XinglinError as error:
        return _refused(account_id, error, "factor")
    flash(_("动态口令已重置，对方下次登录只需密码"), "ok")
    return redirect_to(PAGE, account_id=account_id)


def _refused(account_id: Id, error: XinglinError, asked: str) -> Response:
    """The page again with what was wrong beside its form; what is not there stays a plain 404."""
    if isinstance(error, NotFound):
        raise error
    return _account_page(account_id, error=error, asked=asked)


def _account_page(
    account_id: Id, *, error: XinglinError | None = None, asked: str = ""
) -> Response:
    hospital_id = own_hospital_id()
    with read_uow() as session:
        found = queries.get_account_view(session, account_id, hospital_id=hospital_id)
        factor = queries.get_factor(session, account_id)
        departments = _departments(session, hospital_id)
        entries = history.list_entries(session, "account", account_id, actions=SHOWN_ACTIONS)
    names = dict(departments)
    grants = [
        (
            grant.role.value,
            str(grant.department_id or ""),
            f"{ROLE_WORDS[grant.role]} · {names.get(str(grant.department_id), _('全院'))}",
        )
        for grant in found.roles
    ]
    return render(
        "identity/account.html",
        status=error.status if error else 200,
        account=found,
        grants=grants,
        factor=factor,
        roles=_roles(),
        hospital_wide=HOSPITAL_WIDE,
        departments=departments,
        entries=entries,
        action_words=audit_words.action_words,
        error=error,
        asked=asked,
        typed=request.form if error else {},
        needs_code=needs_code(),
        is_own=account_id == current_actor().id,
    )


def _new_page(*, error: XinglinError | None = None) -> Response:
    hospital_id = own_hospital_id()
    person_id = parse_id(request.form.get("practitioner", ""))
    with read_uow() as session:
        departments = _departments(session, hospital_id)
        chosen = organization.practitioners_by_id(session, [person_id] if person_id else [])
    person = chosen.get(person_id) if person_id else None
    is_ours = person is not None and person.hospital_id == hospital_id
    return render(
        "identity/account_new.html",
        status=error.status if error else 200,
        error=error,
        typed=request.form,
        roles=_roles(),
        hospital_wide=HOSPITAL_WIDE,
        departments=departments,
        needs_code=needs_code(),
        person_words=f"{person.name} {person.code}" if person and is_ours else "",
    )


def _password_page(account_id: Id, password: str, *, is_new: bool) -> Response:
    with read_uow() as session:
        found = queries.get_account_view(session, account_id, hospital_id=own_hospital_id())
    return render(
        "identity/one_time_password.html", account=found, password=password, is_new=is_new
    )


def _grant_of_form() -> RoleGrant:
    role, department = request.form.get("role", ""), request.form.get("department", "")
    if role not in set(Role):
        raise InvalidInput(fields={"role": _("请选择角色")})
    department_id = parse_id(department)
    if department and department_id is None:
        raise InvalidInput(fields={"department": _("请选择科室")})
    return RoleGrant(Role(role), department_id)


def _roles() -> list[tuple[str, object]]:
    return [(each.value, words) for each, words in ROLE_WORDS.items()]


def _departments(session: Session, hospital_id: Id) -> list[tuple[str, str]]:
    found = organization.list_departments(session, hospital_id=hospital_id)
    return [(str(each.id), each.name) for each in found]
