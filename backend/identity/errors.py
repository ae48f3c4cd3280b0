"""What can go wrong between a person and an account."""

from __future__ import annotations

from flask_babel import lazy_gettext as _

from backend.kernel.errors import Conflict, InvalidInput, NotFound


class LoginRefused(InvalidInput):
    """One answer for a wrong password, an unknown name, a locked, closed or demo account: it tells no guesser which."""

    code = "login_refused"
    default_message = _("用户名或密码不对，或者账号暂时不能登录")
    default_next_step = _("请核对后再试；连续输错 5 次会锁定 15 分钟，忘记密码请联系信息科")


class UsernameTaken(Conflict):
    """Another account, perhaps of another hospital of the group, has this name."""

    code = "username_taken"
    default_message = _("这个用户名已经有人使用")
    default_next_step = _("请换一个用户名")


class UsernameInvalid(InvalidInput):
    """A username is 2 to 64 of a–z, 0–9, dot, hyphen and underscore, beginning with a letter or digit."""

    code = "username_invalid"
    default_message = _("用户名只能用小写字母、数字、点、连字符和下划线，2 到 64 位")


class PasswordWeak(InvalidInput):
    """Shorter than the shortest allowed, or it contains the username."""

    code = "password_weak"
    default_message = _("密码至少 10 位，且不能包含用户名")


class AccountNotFound(NotFound):
    """No such account in this hospital."""

    code = "account_not_found"
    default_message = _("没有找到这个账号")
