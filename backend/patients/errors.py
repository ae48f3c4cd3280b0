"""What can be wrong with patients and their numbers."""

from __future__ import annotations

from flask_babel import lazy_gettext as _

from backend.kernel.errors import Conflict, InvalidInput, NotFound


class PatientNotFound(NotFound):
    """No such patient in this hospital."""

    code = "patient_not_found"
    default_message = _("没有找到这位患者")
    default_next_step = _("请核对证件或卡号；初次就诊请先建档")


class CardUnknown(NotFound):
    """The card or code belongs to no patient, or was reported lost."""

    code = "card_unknown"
    default_message = _("这张卡没有登记，或已经挂失")
    default_next_step = _("请用身份证登记，或到人工窗口办理")


class IdNumberInvalid(InvalidInput):
    """The number does not fit its kind of document."""

    code = "id_number_invalid"
    default_message = _("证件号码有误")
    default_next_step = _("请核对证件后重新输入")


class PhoneInvalid(InvalidInput):
    """Not a phone number a message could reach."""

    code = "phone_invalid"
    default_message = _("手机号码有误")
    default_next_step = _("请输入 11 位手机号码")


class IdentityDiffers(Conflict):
    """The number is known, but under another name."""

    code = "identity_differs"
    default_message = _("这个证件号码已经登记在另一个姓名下")
    default_next_step = _("请带证件到人工窗口核对")


class IdentifierTaken(Conflict):
    """The card is in use by another patient."""

    code = "identifier_taken"
    default_message = _("这张卡已经登记给别人")
    default_next_step = _("请换一张卡，或到人工窗口核对")
