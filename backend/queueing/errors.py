"""What can be wrong with queues and tickets."""

from __future__ import annotations

from flask_babel import lazy_gettext as _

from backend.kernel.errors import Conflict, NotFound


class QueueUnknown(NotFound):
    """There is no such queue, or the department has none."""

    code = "queue_unknown"
    default_message = _("没有找到这个队列")
    default_next_step = _("请到分诊台")


class TicketUnknown(NotFound):
    """There is no such ticket."""

    code = "ticket_unknown"
    default_message = _("没有找到这张号票")
    default_next_step = _("请到自助机或分诊台重新取号")


class WrongTicketState(Conflict):
    """The ticket is not in a state in which this can be done."""

    code = "wrong_ticket_state"
    default_message = _("这个号现在不能这样操作")
    default_next_step = _("请刷新列表，查看最新状态")


class StillServing(Conflict):
    """The practitioner has somebody called or in the room; finish or pass them first."""

    code = "still_serving"
    default_message = _("上一位患者还没有结束")
    default_next_step = _("请先开始、结束或过号，再叫下一位")
