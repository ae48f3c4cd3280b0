"""What can be wrong between a kiosk and the backend."""

from __future__ import annotations

from flask_babel import lazy_gettext as _

from backend.kernel.errors import (
    Conflict,
    Gone,
    InvalidInput,
    NotFound,
    RateLimited,
    Unauthenticated,
)


class EnrolmentCodeUnknown(InvalidInput):
    """The code was never issued, was used, or has run out."""

    code = "enrolment_code_unknown"
    default_message = _("登记码无效或已过期")
    default_next_step = _("请在后台“自助机”页面重新生成登记码")


class TooManyEnrolmentTries(RateLimited):
    """This address has tried too many codes; the next quarter of an hour begins anew."""

    code = "too_many_enrolment_tries"
    default_message = _("登记尝试次数过多")
    default_next_step = _("请核对登记码，一刻钟后再试")


class KioskCodeTaken(InvalidInput):
    """Another kiosk of this hospital has the code."""

    code = "kiosk_code_taken"
    default_message = _("这个编号已有自助机在用")
    default_next_step = _("请换一个编号，或打开那台自助机重新生成登记码")


class KioskNotEnrolled(Conflict):
    """There is no credential that could be allowed again."""

    code = "kiosk_not_enrolled"
    default_message = _("这台自助机还没有登记，不能恢复")
    default_next_step = _("请生成登记码，在自助机上登记")


class CredentialRefused(Unauthenticated):
    """The kiosk's credential is unknown or revoked."""

    code = "credential_refused"
    default_message = _("本机未登记或已停用")
    default_next_step = _("请到人工窗口办理；管理员可在后台重新登记本机")


class PatientSessionEnded(Gone):
    """The patient's session at this kiosk has ended."""

    code = "patient_session_ended"
    default_message = _("操作已超时")
    default_next_step = _("请重新放置证件")


class CodeNotUnderstood(InvalidInput):
    """The scanned code belongs to no document that identifies a patient."""

    code = "code_not_understood"
    default_message = _("不认识这个二维码")
    default_next_step = _("请出示身份证、就诊卡或本院的号票")


class KioskUnknown(NotFound):
    """There is no such kiosk."""

    code = "kiosk_unknown"
    default_message = _("没有这台自助机")


class PrintUnknown(NotFound):
    """There is no such print job at this kiosk."""

    code = "print_unknown"
    default_message = _("没有找到这次打印")


class PrintEnded(Conflict):
    """The print job has ended with another outcome."""

    code = "print_ended"
    default_message = _("这次打印已有结果")


class NothingToPrint(NotFound):
    """The ticket or bill is not this patient's, or has nothing that could be printed."""

    code = "nothing_to_print"
    default_message = _("没有可以打印的内容")
    default_next_step = _("请先签到或缴费")
