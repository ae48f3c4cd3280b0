"""The floor of the booking bench: the very statements a booking sends, sent again by bare psycopg.

One booking is watched on its way to the database; each replay sends the same texts with ids of its own, through
a prepared psycopg connection, without SQLAlchemy and without any rule.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.types.json import Jsonb
from sqlalchemy import event

from backend.kernel.ids import Id, new_id
from backend.kernel.locks import name_key
from backend.kernel.uow import Database


@dataclass(frozen=True, slots=True)
class Recorded:
    """One booking's statements, and the values in them that another booking has differently."""

    statements: list[tuple[str, dict[str, Any]]]
    patient_id: Id
    schedule_id: Id


def record(
    database: Database, patient_id: Id, schedule_id: Id, book: Callable[[], object]
) -> Recorded:
    """Watch one booking."""
    sent: list[tuple[str, dict[str, Any]]] = []

    def note(_c: object, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
        sent.append((statement, dict(parameters)))

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        book()
    finally:
        event.remove(database.engine, "before_cursor_execute", note)
    return Recorded(sent, patient_id, schedule_id)


class Replay:
    """Sends a recorded booking again and again over one connection of its own."""

    def __init__(self, recorded: Recorded, url: str) -> None:
        self._connection = psycopg.connect(url.replace("+psycopg", ""), prepare_threshold=1)
        claim = next(params for _sql, params in recorded.statements if "step" in params)
        self._old = {
            recorded.patient_id: "patient",
            recorded.schedule_id: "schedule",
            claim["appointment"]: "appointment",
            claim["step"]: "step",
            recorded.statements[0][1]["turn"]: "turn",
        }
        self._statements = [
            (sql, params, [name for name, value in params.items() if self._is_own(value)])
            for sql, params in recorded.statements
        ]

    def _is_own(self, value: Any) -> bool:
        if isinstance(value, uuid.UUID | int) and value in self._old:
            return True
        return isinstance(value, str | Jsonb) and any(
            str(old) in str(getattr(value, "obj", value)) for old in self._old
        )

    def book(self, patient_id: Id, schedule_id: Id) -> bool:
        """One booking; False when there was no place left."""
        new = {
            "patient": patient_id,
            "schedule": schedule_id,
            "appointment": new_id(),
            "step": new_id(),
            "turn": name_key(f"scheduling-patient-{patient_id}"),
        }
        event_id = None
        with self._connection.cursor() as cursor:
            for sql, params, own in self._statements:
                values = params | {name: self._renewed(params[name], new) for name in own}
                if event_id is not None and "event_id" in values:
                    values["event_id"] = event_id
                cursor.execute(sql, values)
                if "kernel_outbox_event" in sql:
                    event_id = cursor.fetchall()[-1][0]
                elif "step" in params and not cursor.fetchall():
                    self._connection.rollback()
                    return False
        self._connection.commit()
        return True

    def _renewed(self, value: Any, new: dict[str, Any]) -> Any:
        if isinstance(value, uuid.UUID | int):
            return new[self._old[value]]
        if isinstance(value, Jsonb):
            return Jsonb({key: self._renewed(one, new) for key, one in value.obj.items()})
        for old, name in self._old.items():
            value = value.replace(str(old), str(new[name]))
        return value

    def close(self) -> None:
        """End the connection."""
        self._connection.close()
