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
    same_message = _("新密码不能和当前密码相同")
    differs_message = _("两次输入的新密码不一样")


class AccountNotFound(NotFound):
    """No such account in this hospital."""

    code = "account_not_found"
    default_message = _("没有找到这个账号")


class CodeRefused(InvalidInput):
    """A wrong, spent or late code of the second factor, or a locked account: it tells no guesser which."""

    code = "code_refused"
    default_message = _("动态口令不对、已经用过，或者账号暂时不能登录")
    default_next_step = _("请等手机上出现下一个口令再试；连续输错 5 次会锁定 15 分钟")


class EnrolmentLate(Conflict):
    """No enrolment of a second factor is open, or it was begun too long ago."""

    code = "enrolment_late"
    default_message = _("这次绑定已经失效")
    default_next_step = _("请重新开始绑定，再扫一次二维码")


class FactorDemanded(Conflict):
    """An administrator keeps the second factor; it can be moved to another phone, not given up."""

    code = "factor_demanded"
    default_message = _("管理员必须使用动态口令，不能停用")
    default_next_step = _("换手机请用“换绑”")


class OwnAccount(InvalidInput):
    """Nobody does this to their own account: another administrator has to."""

    code = "own_account"
    default_message = _("不能对自己的账号这样做")
    default_next_step = _("请让另一位管理员操作")


class PasswordRefused(InvalidInput):
    """The current password is wrong, or the account is locked."""

    code = "password_refused"
    default_message = _("当前密码不对，或者账号暂时锁定")
    default_next_step = _("请核对后再试；连续输错 5 次会锁定 15 分钟")


class RoleHeld(Conflict):
    """The account has this role there already, perhaps since a moment ago."""

    code = "role_held"
    default_message = _("这个账号已经有这个角色")
    default_next_step = _("请看页面上现有的角色")


class RoleHospitalWide(InvalidInput):
    """The role's work has no department: a grant for one would hold everywhere all the same."""

    code = "role_hospital_wide"
    default_message = _("这个角色只能授予全院")
    default_next_step = _("请把范围改为“全院”")


class RoleGone(Conflict):
    """Somebody else took this role away first."""

    code = "role_gone"
    default_message = _("这个角色已经被移除")
    default_next_step = _("请看页面上现有的角色")


class DutiesClash(Conflict):
    """Two duties that are kept apart would come into one hand."""

    code = "duties_clash"
    default_message = _("这两个角色不能由同一个人担任")
    default_next_step = _("请把其中一个角色交给别人")
