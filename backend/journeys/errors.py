"""What can be wrong only where several domains meet."""

from __future__ import annotations

from flask_babel import lazy_gettext as _

from backend.kernel.errors import Conflict, InvalidInput


class IdCardExpired(InvalidInput):
    """The card's last day is over."""

    code = "id_card_expired"
    default_message = _("这张身份证已过有效期")
    default_next_step = _("请带新证件，或到人工窗口办理")


class IdCardNotYetValid(InvalidInput):
    """The card's first day has not come: the reader or the clock is wrong."""

    code = "id_card_not_yet_valid"
    default_message = _("这张身份证还没有生效")
    default_next_step = _("请到人工窗口核对")


class VisitNotRefundable(Conflict):
    """There is no paid fee of this appointment that could be given back."""

    code = "visit_not_refundable"
    default_message = _("这次挂号没有可退的费用")
    default_next_step = _("请核对付款情况")


class VisitBegun(Conflict):
    """The patient has been before the doctor: the fee is earned."""

    code = "visit_begun"
    default_message = _("患者已经就诊，不能退号")
    default_next_step = _("如确需退费，请由接诊医生或门诊办公室处理")


class NothingPaid(Conflict):
    """A receipt says what was paid; nothing was, or all of it went back."""

    code = "nothing_paid"
    default_message = _("这张账单没有已付的费用，没有凭条可打")
    default_next_step = _("未缴的请先收费；已退款的以退款记录为准")
