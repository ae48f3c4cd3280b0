"""The ticket on the patient's phone, opened by the QR code on the paper.

GET  /t/<token>      the page
GET  /t/<token>/now  its changing part, fetched again when the queue has moved
POST /t/<token>/pay  begin to pay one bill by QR code

The token is signed, names one ticket and ends with its day (410). It shows a masked name only.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from flask import Blueprint, Response, redirect, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from backend.billing import queries as bills
from backend.kernel import links, live
from backend.kernel.clock import business_date, local
from backend.kernel.errors import Gone, NotFound, XinglinError
from backend.kernel.ids import Id
from backend.kernel.permissions import Actor, ActorKind
from backend.kernel.uow import now
from backend.kernel.web import public, read_uow, render, write_uow, xinglin
from backend.organization import queries as organization
from backend.queueing import queries as queues
from backend.queueing import service as queueing
from backend.queueing.rules import TicketState
from backend.queueing.views import TicketView
from miniprogram_api.bills import Due, begin_payment, due_of
from miniprogram_api.limits import Limiter

blueprint = Blueprint(
    "ticket",
    __name__,
    url_prefix="/t",
    template_folder="templates",
    static_folder="static",
    static_url_path="/static",
)

BECAUSE = public(
    "the link is signed, ends with its day, and shows a masked name and one patient's bills"
)
#: A patient's evening may last beyond midnight.
NIGHT_ENDS_HOUR = 8
TONES = {
    TicketState.SERVING: "ok",
    TicketState.DONE: "ok",
    TicketState.MISSED: "warn",
    TicketState.LEFT: "idle",
    TicketState.TRANSFERRED: "idle",
}
_uses = Limiter(120)
_strangers = Limiter(600)


@dataclass(frozen=True, slots=True)
class Phone:
    """What the phone shows."""

    ticket: TicketView
    tone: str
    place: str
    due: tuple[Due, ...]
    at: dt.datetime

    @property
    def is_called(self) -> bool:
        """The one moment nobody may miss."""
        return self.ticket.state is TicketState.CALLED

    @property
    def is_paying(self) -> bool:
        """A payment is under way: its result is worth asking for often."""
        return any(due.payment is not None for due in self.due)


@blueprint.get("/<token>")
@BECAUSE
def page(token: str) -> Response:
    """The whole page."""
    ticket_id = _ticket_of(token)
    with read_uow() as session:
        stream = queueing.queue_stream(queues.queue_of_ticket(session, ticket_id))
        # The number first: a message in between is then heard twice, never missed.
        last_no = live.last_number(session, stream)
        phone = _phone(session, ticket_id)
        hospital = organization.get_hospital(session, phone.ticket.hospital_id)
    return render(
        "miniprogram_api/ticket.html",
        token=token,
        phone=phone,
        hospital_name=hospital.name,
        stream=stream,
        stream_token=links.stream_token(xinglin().secrets.secret_key, stream),
        last_no=last_no,
    )


@blueprint.get("/<token>/now")
@BECAUSE
def current(token: str) -> Response:
    """The ticket and what is due, as they are now."""
    with read_uow() as session:
        phone = _phone(session, _ticket_of(token))
    return render("miniprogram_api/_now.html", phone=phone, token=token)


@blueprint.post("/<token>/pay")
@BECAUSE
def pay(token: str) -> BaseResponse:
    """Begin to pay a bill; an open code of the same bill is shown again. 404 for another patient's bill."""
    with read_uow() as session:
        ticket = queues.get_ticket(session, _ticket_of(token))
    patient = Actor(
        ActorKind.PATIENT, id=ticket.patient_id, hospital_id=ticket.hospital_id, label="phone"
    )
    with write_uow(patient) as session:
        begin_payment(session, ticket.patient_id)
    return redirect(url_for("ticket.page", token=token), 303)


@blueprint.errorhandler(XinglinError)
def refused(error: XinglinError) -> Response:
    """Errors in the phone's own dress."""
    return render("miniprogram_api/refused.html", status=error.status, error=error)


def _ticket_of(token: str) -> Id:
    moment = xinglin().database.clock.now()
    found = links.read_ticket_token(xinglin().secrets.secret_key, token)
    if found is None:
        _strangers.use(request.remote_addr or "", moment)
        raise NotFound(
            _("这个链接不对"), next_step=_("请重新扫号票上的二维码"), code="link_unknown"
        )
    _uses.use(token, moment)
    ticket_id, day = found
    if is_over(day, moment):
        raise Gone(
            _("这个链接已过期"), next_step=_("号票链接当天有效。请在自助机补打号票，或到导诊台查询")
        )
    return ticket_id


def is_over(day: dt.date, moment: dt.datetime) -> bool:
    """True when a link of ``day`` has ended; the evening's lasts until the next morning."""
    night = dt.timedelta(hours=NIGHT_ENDS_HOUR if local(moment).hour < NIGHT_ENDS_HOUR else 0)
    return business_date(moment - night) > day


def _phone(session: Session, ticket_id: Id) -> Phone:
    ticket = queues.get_ticket(session, ticket_id)
    invoices = bills.list_open_invoices(session, ticket.patient_id)
    open_payments = bills.find_open_payments(session, [invoice.id for invoice in invoices])
    return Phone(
        ticket=ticket,
        tone=TONES.get(ticket.state, "info"),
        place=_place(session, ticket),
        due=tuple(due_of(invoice, open_payments.get(invoice.id)) for invoice in invoices),
        at=now(session),
    )


def _place(session: Session, ticket: TicketView) -> str:
    """Where to go or wait, from the building down."""
    paths = organization.location_path_names(session, hospital_id=ticket.hospital_id)
    return paths[ticket.room_id or ticket.hall_location_id]
