"""The kiosk itself: enrolment and heartbeat."""

from __future__ import annotations

from flask import request
from sqlalchemy.orm import Session

from backend.devices import queries, schemas, service
from backend.devices.api import desk
from backend.devices.api.desk import Json
from backend.kernel.ids import Id
from backend.kernel.uow import now
from backend.kernel.web import public, write_uow
from backend.kernel.web.bodies import read_json
from backend.organization import queries as organization


@desk.blueprint.post("/enrol")
@public(
    "a one-time code of 40 bits, valid for a day, is the credential; ten tries a quarter of an hour"
)
def enrol() -> tuple[Json, int]:
    """Trade a one-time code for a credential."""
    body = read_json(schemas.EnrolBody)
    with write_uow(housekeeping=True) as session:
        service.count_enrolment_try(session, request.remote_addr or "")
    with write_uow() as session:
        enrolled = service.enrol(session, body.code)
        names = _names(session, enrolled.hospital_id, enrolled.location_id)
    return {
        "kiosk_id": str(enrolled.kiosk_id),
        "name": enrolled.name,
        "credential": enrolled.credential,
        **names,
    }, 201


@desk.blueprint.post("/heartbeat")
@desk.uses
def heartbeat() -> Json:
    """The kiosk lives; it learns the time and its names."""
    body = read_json(schemas.HeartbeatBody)
    with write_uow(housekeeping=True) as session:
        service.beat(
            session,
            kiosk_id=desk.kiosk_id(),
            version=body.version,
            clock=body.clock,
            devices=body.devices.model_dump(exclude_none=True),
            open_journal=body.journal.open,
        )
        kiosk = queries.get_kiosk_row(session, desk.kiosk_id())
        return {
            "server_time": now(session).isoformat(),
            "name": kiosk.name,
            "accepting": True,
            **_names(session, kiosk.hospital_id, kiosk.location_id),
        }


def _names(session: Session, hospital_id: Id, location_id: Id) -> Json:
    places = organization.location_path_names(session, hospital_id=hospital_id)
    return {
        "hospital_name": organization.get_hospital(session, hospital_id).name,
        "location_name": places.get(location_id, ""),
    }
