"""The one error root. Domains subclass these; ``kernel.web.problems`` turns them into answers.

``message`` says what happened and ``next_step`` what the reader can do now, both in the reader's language
(lazy strings are resolved when the answer is written). ``code`` is stable and for programs.
"""

from __future__ import annotations

from typing import ClassVar

from flask_babel import lazy_gettext as _


class XinglinError(Exception):
    """Root of all errors that are raised on purpose. ``facts`` are masked values for programs and logs."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal"
    default_message: ClassVar[object] = _("系统出了点问题")
    default_next_step: ClassVar[object] = _("请稍后再试；若仍不行，请联系工作人员")

    def __init__(
        self,
        message: object = "",
        *,
        next_step: object = "",
        fields: dict[str, object] | None = None,
        code: str | None = None,
        **facts: object,
    ) -> None:
        self.message = message or self.default_message
        self.next_step = next_step or self.default_next_step
        self.fields: dict[str, object] = fields or {}
        self.error_code = code or self.code
        self.facts = facts
        super().__init__(self.error_code)

    def __str__(self) -> str:
        return f"{self.error_code}: {self.message}"


class InvalidInput(XinglinError):
    """What was sent cannot be accepted; ``fields`` maps field names to what is wrong with each."""

    status = 422
    code = "invalid_input"
    default_message = _("填写的内容有误")
    default_next_step = _("请按提示修改后再提交")


class Unauthenticated(XinglinError):
    """Nobody is logged in, or the credential is unknown, expired or revoked."""

    status = 401
    code = "unauthenticated"
    default_message = _("请先登录")
    default_next_step = _("登录后再试")


class Forbidden(XinglinError):
    """The actor is known but lacks the permission in this hospital or department."""

    status = 403
    code = "forbidden"
    default_message = _("您没有进行这项操作的权限")
    default_next_step = _("如工作需要，请联系管理员开通")


class NotFound(XinglinError):
    """There is no such thing, or not for this actor (the two look alike on purpose)."""

    status = 404
    code = "not_found"
    default_message = _("没有找到您要的内容")
    default_next_step = _("请检查后再试，或返回上一页")


class Conflict(XinglinError):
    """The request was sound but the state of things does not allow it (any more)."""

    status = 409
    code = "conflict"
    default_message = _("情况已经变化，这一步现在不能进行")
    default_next_step = _("请刷新后查看最新情况")


class StaleVersion(Conflict):
    """Somebody else changed the row since the form was opened."""

    code = "stale_version"
    default_message = _("这条记录刚被别人修改过")
    default_next_step = _("请刷新，核对后重新提交；您填写的内容仍在页面上")


class Gone(XinglinError):
    """It was here once and has ended (an expired link, a closed session)."""

    status = 410
    code = "gone"
    default_message = _("这个链接已失效")
    default_next_step = _("请重新获取")


class RateLimited(XinglinError):
    """Too many tries in too short a time."""

    status = 429
    code = "rate_limited"
    default_message = _("操作过于频繁")
    default_next_step = _("请稍候片刻再试")


class Unavailable(XinglinError):
    """Something this needs is not there at the moment; trying later may help."""

    status = 503
    code = "unavailable"
    default_message = _("服务暂时不可用")
    default_next_step = _("请稍后再试，或到人工窗口办理")
