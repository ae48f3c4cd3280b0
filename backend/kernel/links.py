"""Signed links and keys: text that only this installation could have written, for one purpose each."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from itsdangerous import BadSignature, URLSafeSerializer

from backend.kernel.ids import Id, parse_id

RUSH = "rush"
SCREEN = "screen"
STREAM = "stream"
TICKET = "ticket"


def sign(secret: str, purpose: str, value: list[str]) -> str:
    """A URL-safe token that carries ``value`` readably and cannot be forged or used for another purpose."""
    token = URLSafeSerializer(secret, salt=f"xinglin.{purpose}").dumps(value)
    return token if isinstance(token, str) else token.decode("ascii")


def unsign(secret: str, purpose: str, token: str) -> list[str] | None:
    """What ``sign`` was given, or None for a token it did not make for this purpose."""
    try:
        value = URLSafeSerializer(secret, salt=f"xinglin.{purpose}").loads(token)
    except BadSignature:
        return None
    return [str(part) for part in value] if isinstance(value, list) else None


def ticket_token(secret: str, ticket_id: Id, day: dt.date) -> str:
    """The token of a ticket's phone page; it ends with ``day``."""
    return sign(secret, TICKET, [ticket_id.hex, day.isoformat()])


def read_ticket_token(secret: str, token: str) -> tuple[Id, dt.date] | None:
    """The ticket and its day, or None when the token is not ours."""
    value = unsign(secret, TICKET, token)
    if value is None or len(value) != 2:
        return None
    ticket_id = parse_id(value[0])
    try:
        day = dt.date.fromisoformat(value[1])
    except ValueError:
        return None
    return (ticket_id, day) if ticket_id else None


def ticket_url(base_url: str, secret: str, ticket_id: Id, day: dt.date) -> str:
    """The address printed as a QR code on a ticket."""
    return f"{base_url}/t/{ticket_token(secret, ticket_id, day)}"


@dataclass(frozen=True, slots=True)
class RushLink:
    """Who comes to which department's line, for which day."""

    hospital_id: Id
    department_id: Id
    day: dt.date
    patient_id: Id


def rush_token(secret: str, link: RushLink) -> str:
    """The token of a patient's booking page for one department and day."""
    ids = [link.hospital_id.hex, link.department_id.hex, link.patient_id.hex]
    return sign(secret, RUSH, [*ids, link.day.isoformat()])


def read_rush_token(secret: str, token: str) -> RushLink | None:
    """What ``rush_token`` was given, or None when the token is not ours."""
    value = unsign(secret, RUSH, token)
    if value is None or len(value) != 4:
        return None
    hospital_id, department_id, patient_id = (parse_id(text) for text in value[:3])
    if hospital_id is None or department_id is None or patient_id is None:
        return None
    return RushLink(hospital_id, department_id, dt.date.fromisoformat(value[3]), patient_id)


def rush_url(base_url: str, secret: str, link: RushLink) -> str:
    """The address of a patient's booking page for one department and day."""
    return f"{base_url}/r/{rush_token(secret, link)}"


def screen_key(secret: str, location_id: Id) -> str:
    """The key in the address of a hall's screen; it does not end."""
    return sign(secret, SCREEN, [location_id.hex])


def read_screen_key(secret: str, key: str) -> Id | None:
    """The hall of a screen's key, or None when the key is not ours."""
    value = unsign(secret, SCREEN, key)
    return parse_id(value[0]) if value else None


def screen_url(base_url: str, secret: str, location_id: Id) -> str:
    """The address a hall's screen opens."""
    return f"{base_url}/screens/{screen_key(secret, location_id)}"


def stream_token(secret: str, stream: str) -> str:
    """The token with which a page that may follow ``stream`` asks for it."""
    return sign(secret, STREAM, [stream])


def may_follow(secret: str, stream: str, token: str) -> bool:
    """True when ``token`` was given out for ``stream``."""
    return unsign(secret, STREAM, token) == [stream]
