"""The day in figures for the start page of the back office: places, patients waiting, money questions."""

from __future__ import annotations

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from backend.billing import queries as billing
from backend.identity.queries import HomeFact
from backend.kernel import dead_deliveries as dead
from backend.kernel.permissions import Actor, Permission, has
from backend.kernel.uow import today
from backend.queueing import queries as queueing
from backend.scheduling import queries as scheduling


def places_today(session: Session, actor: Actor) -> HomeFact | None:
    """A doctor's own taken places, for others the places still free in the hospital."""
    if actor.hospital_id is None or not has(actor, Permission.SCHEDULING_SCHEDULE_READ):
        return None
    day = today(session)
    sessions = scheduling.list_schedules(
        session, hospital_id=actor.hospital_id, first=day, last=day
    )
    if has(actor, Permission.CLINICAL_ENCOUNTER_WRITE):
        return _own_places(
            session, [s for s in sessions if s.practitioner_id == actor.practitioner_id]
        )
    total = _("共 %(total)s 个号", total=sum(each.total_count for each in sessions))
    free = sum(each.free_count for each in sessions)
    return HomeFact(_("今日余号"), str(free), total, "schedules.week")


def _own_places(session: Session, sessions: list[scheduling.ScheduleView]) -> HomeFact:
    """Held or booked places; a doctor sits at most three times a day, so this asks for each."""
    slots = [slot for each in sessions for slot in scheduling.list_slots(session, each.schedule_id)]
    taken = sum(slot.state is not scheduling.SlotState.FREE and not slot.is_free for slot in slots)
    total = _("共 %(total)s 个号", total=len(slots)) if sessions else _("今天没有您的班次")
    return HomeFact(_("我今天的预约"), str(taken), total, "schedules.week")


def waiting_now(session: Session, actor: Actor) -> HomeFact | None:
    """Patients who wait in the queues of the actor's departments."""
    if actor.hospital_id is None or not has(actor, Permission.QUEUEING_TICKET_READ):
        return None
    departments = actor.grants[Permission.QUEUEING_TICKET_READ]
    queues = [
        queue
        for queue in queueing.list_queues(session, hospital_id=actor.hospital_id)
        if departments is None or queue.department_id in departments
    ]
    waiting = queueing.current_tickets(
        session, [queue.id for queue in queues], [queueing.TicketState.WAITING]
    )
    words = "、".join(queue.name for queue in queues) if departments is not None else _("全院")
    return HomeFact(_("正在候诊"), str(len(waiting)), words, "workstation.worklist")


def money_questions(session: Session, actor: Actor) -> HomeFact | None:
    """Money cases that wait for somebody to look."""
    if actor.hospital_id is None or not has(actor, Permission.BILLING_CASE_CLOSE):
        return None
    cases = billing.count_cases(session, actor.hospital_id)
    return HomeFact(_("款项疑问"), str(cases), _("等待核实"), "money_cases.case_list")


def dead_deliveries(session: Session, actor: Actor) -> HomeFact | None:
    """Events that failed too often, for those who can do something about it; nothing while all is well."""
    if not has(actor, Permission.KERNEL_DELIVERY_MANAGE):
        return None
    number = sum(dead.count_by_subscriber(session).values())
    if not number:
        return None
    words = _("需要有人处理")
    return HomeFact(_("未送达通知"), str(number), words, "deliveries.dead_list", tone="bad")


FACTS = (places_today, waiting_now, money_questions, dead_deliveries)
