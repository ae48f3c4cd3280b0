"""What can be wrong with encounters and orders."""

from __future__ import annotations

from flask_babel import lazy_gettext as _

from backend.kernel.errors import Conflict, Forbidden, NotFound


class EncounterUnknown(NotFound):
    """There is no such encounter, or not in this hospital."""

    code = "encounter_unknown"
    default_message = _("没有找到这次就诊")


class NotYourEncounter(Forbidden):
    """Only the practitioner of the encounter may write in it."""

    code = "not_your_encounter"
    default_message = _("这次就诊由另一位医生负责")
    default_next_step = _("请由接诊医生修改")


class EncounterFinished(Conflict):
    """A finished encounter is read-only."""

    code = "encounter_finished"
    default_message = _("这次就诊已经结束，不能再修改")
    default_next_step = _("如需补充，请重新挂号或联系医务科")


class DiagnosisMissing(Conflict):
    """An encounter needs a diagnosis before it ends."""

    code = "diagnosis_missing"
    default_message = _("还没有填写诊断")
    default_next_step = _("请先添加至少一个诊断，再结束就诊")


class CatalogueItemUnknown(NotFound):
    """The code is in no catalogue in use."""

    code = "catalogue_item_unknown"
    default_message = _("目录中没有这一项")
    default_next_step = _("请重新搜索并选择")


class OrderUnknown(NotFound):
    """There is no such order in this encounter."""

    code = "order_unknown"
    default_message = _("没有找到这条医嘱")


class OrderNotCancellable(Conflict):
    """The order is billed, paid or ended already."""

    code = "order_not_cancellable"
    default_message = _("这条医嘱已经计入账单，不能直接撤销")
    default_next_step = _("请先到收费处退费")


class NotAPractitioner(Forbidden):
    """The account belongs to nobody who sees patients."""

    code = "not_a_practitioner"
    default_message = _("这个账号没有对应的医生，不能使用医生工作站")
    default_next_step = _("请让管理员把账号关联到医生")
