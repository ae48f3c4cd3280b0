"""What every route of the kiosk API needs: the blueprint, the kiosk that asks, the patient before it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Request, request
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from backend.devices import schemas, service
from backend.devices.errors import CredentialRefused
from backend.kernel import links
from backend.kernel.errors import InvalidInput
from backend.kernel.ids import Id
from backend.kernel.permissions import Actor, Permission
from backend.kernel.web import current_actor, idempotency_key, requires, write_uow, xinglin
from backend.queueing.views import TicketView

blueprint = Blueprint("kiosk_api", __name__, url_prefix="/api/kiosk/v1")
uses = requires(Permission.DEVICES_KIOSK_USE)
PREFIX = "/api/kiosk/"
Json = dict[str, Any]


def load_device_actor(given: Request) -> Actor | None:
    """The kiosk of the bearer credential; None without one; CredentialRefused (401) for a wrong one."""
    scheme, _space, credential = given.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not credential:
        return None
    return service.actor_of_credential(xinglin().database, credential)


def kiosk_id() -> Id:
    """The kiosk that asks."""
    found = current_actor().id
    if found is None:
        raise CredentialRefused
    return found


def hospital_id() -> Id:
    """Its hospital."""
    found = current_actor().hospital_id
    if found is None:
        raise CredentialRefused
    return found


def acting_patient(session: Session) -> Id:
    """Whose session it is, in the write they act by; it slides. PatientSessionEnded (410)."""
    return service.touch_session(session, kiosk_id=kiosk_id(), token=_token())


def present_patient() -> Id:
    """Whose session it is, for a read that follows: the session slides in a short write of its own."""
    with write_uow(housekeeping=True) as session:
        return acting_patient(session)


def end_session(session: Session) -> None:
    """The screen was wiped."""
    service.end_session(session, kiosk_id=kiosk_id(), token=_token())


def command_key() -> str:
    """The command's idempotency key, this kiosk's own; InvalidInput (422) without one."""
    key = idempotency_key()
    if not key:
        raise InvalidInput(_("缺少防重复提交的标识"), code="idempotency_key_missing")
    return f"{kiosk_id()}:{key}"


def _token() -> str:
    return request.headers.get("X-Patient-Session", "")


def ticket_json(ticket: TicketView) -> Json:
    """A ticket as the kiosk shows it."""
    return schemas.ticket_json(ticket, ticket_url(ticket))


def ticket_url(ticket: TicketView) -> str:
    """The phone page of a ticket, as its QR code says."""
    parts = xinglin()
    return links.ticket_url(
        parts.settings.external_url, parts.secrets.secret_key, ticket.id, ticket.business_date
    )
