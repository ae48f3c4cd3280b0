"""What the pages of identity share: their blueprint and their place in the menu."""

from __future__ import annotations

from flask import Blueprint
from flask_babel import gettext as _
from flask_babel import lazy_gettext

from backend.identity import rules, service
from backend.identity.errors import CodeRefused
from backend.identity.login import current_staff
from backend.kernel.web import write_uow, xinglin

blueprint = Blueprint(
    "identity", __name__, url_prefix="/backoffice", template_folder="../templates"
)

ADMINISTRATION = lazy_gettext("管理")
#: The form field in which a sensitive act asks for a code.
CODE_FIELD = "code"


def needs_code() -> bool:
    """True when a sensitive act of this person has to come with a code: enrolled, and none shown lately."""
    staff = current_staff()
    if staff is None or not staff.has_factor:
        return False
    return not rules.is_fresh(staff.factor_at, xinglin().database.clock.now())


def demand_code(code: str) -> None:
    """Before a sensitive act: CodeRefused (422, at the field ``code``) unless a code was shown lately or comes now.

    A unit of work of its own, because a refusal is counted and must be kept.
    """
    staff = current_staff()
    if staff is None or not needs_code():
        return
    if not code.strip():
        raise CodeRefused(
            _("这一步需要动态口令"),
            next_step=_("请输入手机上当前的 6 位数字，再提交"),
            fields={CODE_FIELD: _("请输入动态口令")},
        )
    with write_uow() as session:
        is_right = service.settle_step_up(session, staff, code[:100])
    if not is_right:
        raise CodeRefused(fields={CODE_FIELD: _("动态口令不对或已经用过")})
