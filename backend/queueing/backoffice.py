"""The triage desk's page: who waits in a queue and why there, who is called, who was missed.

GET  /backoffice/queues                            a queue (``?queue=``; fragment: its lists)
POST /backoffice/queues/tickets/<id>/<act>         again | pass | return | leave
POST /backoffice/queues/tickets/<id>/class         another class for a waiting ticket

The lists follow the queue's live stream (static/queues.js).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from sqlalchemy.orm import Session

from backend.kernel import links, live
from backend.kernel.errors import InvalidInput, NotFound
from backend.kernel.ids import Id, parse_id
from backend.kernel.permissions import Permission, has, require
from backend.kernel.uow import now
from backend.kernel.web import (
    NavItem,
    current_actor,
    own_hospital_id,
    read_uow,
    render,
    requires,
    write_uow,
    xinglin,
)
from backend.queueing import queries, service
from backend.queueing.models import Queue, Ticket
from backend.queueing.rules import CLASS_WORDS, TicketClass

blueprint = Blueprint(
    "queues", __name__, url_prefix="/backoffice/queues", template_folder="templates"
)

NAV: tuple[NavItem, ...] = (
    NavItem(
        label=lazy_gettext("候诊队列"),
        endpoint="queues.board",
        icon="users-group",
        permission=Permission.QUEUEING_TICKET_READ,
        section=lazy_gettext("门诊"),
        order=30,
    ),
)

#: act → command, and what the toast says of the number.
ACTS: dict[str, tuple[Callable[[Session, Id], Ticket], object]] = {
    "again": (service.call_again, lazy_gettext("已再次叫号")),
    "leave": (service.leave_queue, lazy_gettext("已离开队列，再来时可重新取号")),
    "pass": (service.pass_over, lazy_gettext("已过号")),
    "return": (service.return_ticket, lazy_gettext("已重新排队，三位之后再叫")),
}


@blueprint.get("")
@requires(Permission.QUEUEING_TICKET_READ)
def board() -> Response:
    """One queue with its lists; the first one the actor may see when none is named."""
    return _board(parse_id(request.args.get("queue", "")), "")


@blueprint.post("/tickets/<uuid:ticket_id>/<act>")
@requires(Permission.QUEUEING_TICKET_MANAGE)
def act_on_ticket(ticket_id: Id, act: str) -> Response:
    """Do one act on a ticket; the answer is the queue as it is then."""
    if act not in ACTS:
        raise NotFound
    command, words = ACTS[act]
    with write_uow() as session:
        _require_manage(session, ticket_id)
        ticket = command(session, ticket_id)
        queue_id, number = ticket.queue_id, ticket.number
    return _board(queue_id, _("%(number)s %(words)s", number=number, words=words))


@blueprint.post("/tickets/<uuid:ticket_id>/class")
@requires(Permission.QUEUEING_TICKET_MANAGE)
def change_class(ticket_id: Id) -> Response:
    """Give a waiting ticket another class."""
    wanted = request.form.get("ticket_class", "")
    if wanted not in set(TicketClass):
        raise InvalidInput
    with write_uow() as session:
        _require_manage(session, ticket_id)
        ticket = service.change_class(session, ticket_id, TicketClass(wanted))
        queue_id, number = ticket.queue_id, ticket.number
        words = CLASS_WORDS[ticket.ticket_class]
    return _board(queue_id, _("%(number)s 现在是：%(words)s", number=number, words=words))


def _require_manage(session: Session, ticket_id: Id) -> None:
    ticket = queries.get_ticket(session, ticket_id)
    require(
        current_actor(),
        Permission.QUEUEING_TICKET_MANAGE,
        hospital_id=ticket.hospital_id,
        department_id=ticket.department_id,
    )


def _may(permission: Permission, queue: Queue) -> bool:
    return has(
        current_actor(),
        permission,
        hospital_id=queue.hospital_id,
        department_id=queue.department_id,
    )


def _board(queue_id: Id | None, done: str) -> Response:
    hospital_id = own_hospital_id()
    with read_uow() as session:
        queues = [
            queue
            for queue in queries.list_queues(session, hospital_id=hospital_id)
            if _may(Permission.QUEUEING_TICKET_READ, queue)
        ]
        chosen = next((q for q in queues if queue_id in (None, q.id)), None)
        if chosen is None and queue_id is not None:
            raise NotFound
        values: dict[str, Any] = {}
        if chosen is not None:
            secret = xinglin().secrets.secret_key
            stream = service.queue_stream(chosen.id)
            values = {
                "last_no": live.last_number(session, stream),
                "stream": stream,
                "stream_token": links.stream_token(secret, stream),
                "screen_url": links.screen_url("", secret, chosen.hall_location_id),
                "waiting": queries.waiting_list(session, chosen.id),
                "serving": queries.queue_view(session, chosen.id).serving,
                "missed": queries.missed_list(session, chosen.id),
                "can_manage": _may(Permission.QUEUEING_TICKET_MANAGE, chosen),
            }
        return render(
            "queueing/board.html",
            fragment="queueing/_board.html",
            queues=queues,
            chosen=chosen,
            done=done,
            classes=CLASS_WORDS,
            at=now(session),
            **values,
        )
