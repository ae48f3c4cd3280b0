"""The audit log: who did what to which thing, chained by hash so that no row can be changed unseen.

Transactions insert unsealed rows. One sealer chains them after commit and writes the head outside the database
too. Triggers refuse UPDATE and DELETE except the one-time seal (``audit_triggers``).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import BigInteger, LargeBinary, String, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from backend.kernel.db import Base, sequence_pk
from backend.kernel.ids import Id
from backend.kernel.locks import lock_name
from backend.kernel.masking import strike_numbers
from backend.kernel.uow import Database, context, write_at_end
from backend.kernel.verify import VerifyReport

GENESIS = bytes(32)
BATCH = 500
#: The sealer comes every minute; after some of them without it, something is wrong.
LONGEST_WAIT = dt.timedelta(minutes=5)
_HEAD = re.compile(r"(\d+) ([0-9a-f]{64})")


class AuditEvent(Base):
    """One audited act. ``detail`` holds ids and masked values only."""

    __tablename__ = "kernel_audit_event"
    is_kernel_row = True

    id: Mapped[int] = sequence_pk()
    at: Mapped[dt.datetime] = mapped_column(index=True)
    hospital_id: Mapped[Id | None]
    actor_kind: Mapped[str] = mapped_column(String(16))
    actor_id: Mapped[Id | None] = mapped_column(index=True)
    actor_label: Mapped[str] = mapped_column(String(80))
    action: Mapped[str] = mapped_column(String(80), index=True)
    entity: Mapped[str] = mapped_column(String(60))
    entity_id: Mapped[str] = mapped_column(String(64), index=True)
    patient_id: Mapped[Id | None] = mapped_column(index=True)
    detail: Mapped[dict[str, Any]]
    request_id: Mapped[str] = mapped_column(String(64))
    seal_no: Mapped[int | None] = mapped_column(BigInteger, unique=True)
    seal_hash: Mapped[bytes | None] = mapped_column(LargeBinary(32))

    def digest(self, previous: bytes) -> bytes:
        """The chained SHA-256 of this row after ``previous``."""
        body = [
            self.id,
            self.at.isoformat(timespec="microseconds"),
            str(self.hospital_id),
            self.actor_kind,
            str(self.actor_id),
            self.actor_label,
            self.action,
            self.entity,
            self.entity_id,
            str(self.patient_id),
            json.dumps(self.detail, sort_keys=True, ensure_ascii=False),
            self.request_id,
            self.seal_no,
        ]
        return hashlib.sha256(previous + json.dumps(body, ensure_ascii=False).encode()).digest()


def record(
    session: Session,
    action: str,
    *,
    entity: str,
    entity_id: Id | str,
    patient_id: Id | None = None,
    **detail: object,
) -> None:
    """Write one audit row in this transaction. ``detail`` carries ids and masked values, never personal data.

    ``reason`` may be a person's own words: what looks like a number of somebody is struck from it, for good.
    """
    unit = context(session)
    if isinstance(reason := detail.get("reason"), str):
        detail["reason"] = strike_numbers(reason)
    write_at_end(
        session,
        AuditEvent,
        at=unit.moment,
        hospital_id=unit.actor.hospital_id,
        actor_kind=unit.actor.kind.value,
        actor_id=unit.actor.id,
        actor_label=unit.actor.label,
        action=action,
        entity=entity,
        entity_id=str(entity_id),
        patient_id=patient_id,
        detail=json.loads(json.dumps(detail, default=str)),
        request_id=unit.request_id,
    )
    unit.has_audit = True


def seal(database: Database, heads: Path) -> int:
    """Chain the unsealed rows, oldest first, and append the new head to ``heads``; the number sealed.

    One sealer works at a time. The head file is written after the commit: a crash between the two is healed by
    the next run, which repeats the head in force.
    """
    total = 0
    while True:
        with database.write(housekeeping=True) as session:
            if not lock_name(session, "audit-sealer", wait=False):
                return total
            last = session.execute(
                select(AuditEvent.seal_no, AuditEvent.seal_hash)
                .where(AuditEvent.seal_no.is_not(None))
                .order_by(AuditEvent.seal_no.desc())
                .limit(1)
            ).first()
            number, head = (last[0] or 0, last[1] or GENESIS) if last else (0, GENESIS)
            rows = session.scalars(
                select(AuditEvent)
                .where(AuditEvent.seal_no.is_(None))
                .order_by(AuditEvent.id)
                .limit(BATCH)
            ).all()
            for row in rows:
                number += 1
                row.seal_no = number
                head = row.digest(head)
                row.seal_hash = head
        total += len(rows)
        if number:
            _note_head(heads, number, head)
        if len(rows) < BATCH:
            return total


def _note_head(heads: Path, number: int, head: bytes) -> None:
    """Append a head that reaches further than those noted. One that does not would cover up a rewritten chain."""
    known = _read_heads(heads)
    if known and known[-1][0] >= number:
        return
    heads.parent.mkdir(parents=True, exist_ok=True)
    with heads.open("a+", encoding="ascii") as file:
        file.seek(0)
        written = file.read()
        start = "\n" if written and not written.endswith("\n") else ""  # after a torn line
        file.write(f"{start}{number} {head.hex()}\n")


def _read_heads(heads: Path) -> list[tuple[int, bytes]]:
    """The heads noted so far; a line that a crash tore off is passed over, the next run repeats it."""
    if not heads.exists():
        return []
    lines = (_HEAD.fullmatch(line) for line in heads.read_text("ascii").splitlines())
    return [(int(line[1]), bytes.fromhex(line[2])) for line in lines if line]


def verify(session: Session, heads: Path) -> VerifyReport:
    """Recompute the chain, compare it with the heads outside the database, and report the unsealed tail."""
    report = VerifyReport()
    outside = dict(reversed(_read_heads(heads)))  # the first word on a number counts
    previous, expected = GENESIS, 1
    rows = session.scalars(
        select(AuditEvent)
        .where(AuditEvent.seal_no.is_not(None))
        .order_by(AuditEvent.seal_no)
        .execution_options(yield_per=1000)
    )
    for row in rows:
        assert row.seal_no is not None  # noqa: S101 - the query says so
        report.count("sealed audit rows")
        if row.seal_no != expected:
            gap = (
                f"{expected}" if row.seal_no == expected + 1 else f"{expected} to {row.seal_no - 1}"
            )
            report.problem(f"audit row with seal number {gap} is missing")
            report.notes.append(
                f"audit row {row.id} follows the gap, so its own hash proves nothing"
            )
            expected = row.seal_no
        elif row.seal_hash != row.digest(previous):
            report.problem(f"audit row {row.id} (seal number {row.seal_no}) was changed")
        previous = row.seal_hash or previous
        if outside.get(expected, previous) != previous:
            report.problem(f"seal number {expected} differs from the head kept outside")
        expected += 1
    last_outside = max(outside, default=0)
    if last_outside >= expected:
        report.problem(
            f"audit rows with seal numbers {expected} to {last_outside} are missing from the end"
        )
    tail = get_tail(session)
    report.count("unsealed audit rows", tail.rows)
    if tail.rows:
        report.notes.append(f"oldest unsealed row is {tail.age} old")
    return report


@dataclass(frozen=True, slots=True)
class Tail:
    """The rows that nobody has sealed yet, and how old the oldest of them is."""

    rows: int
    age: dt.timedelta

    @property
    def is_late(self) -> bool:
        """True when the sealer, who comes every minute, has not come."""
        return self.age > LONGEST_WAIT


def get_tail(session: Session) -> Tail:
    """The unsealed tail of the chain at this moment."""
    rows, oldest = session.execute(
        select(func.count(), func.min(AuditEvent.at)).where(AuditEvent.seal_no.is_(None))
    ).one()
    return Tail(rows, context(session).moment - oldest if rows else dt.timedelta())


def audit_triggers(dialect: str) -> list[str]:
    """The statements that make the audit table append-only but for the one-time seal."""
    columns = [
        c.name for c in AuditEvent.__table__.columns if c.name not in ("seal_no", "seal_hash")
    ]
    if dialect == "sqlite":
        same = " AND ".join(f"OLD.{c} IS NEW.{c}" for c in columns)
        return [
            (
                "CREATE TRIGGER kernel_audit_no_delete BEFORE DELETE ON kernel_audit_event "
                "BEGIN SELECT RAISE(ABORT, 'audit rows are never deleted'); END"
            ),
            (
                "CREATE TRIGGER kernel_audit_seal_once BEFORE UPDATE ON kernel_audit_event "
                f"WHEN NOT (OLD.seal_no IS NULL AND {same}) "
                "BEGIN SELECT RAISE(ABORT, 'audit rows are never changed'); END"
            ),
        ]
    same = " AND ".join(f"OLD.{c} IS NOT DISTINCT FROM NEW.{c}" for c in columns)
    return [
        (
            "CREATE FUNCTION kernel_audit_guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"IF TG_OP = 'UPDATE' AND OLD.seal_no IS NULL AND {same} THEN RETURN NEW; END IF; "
            "RAISE EXCEPTION 'audit rows are never changed or deleted'; END $$"
        ),
        (
            "CREATE TRIGGER kernel_audit_guard BEFORE UPDATE OR DELETE ON kernel_audit_event "
            "FOR EACH ROW EXECUTE FUNCTION kernel_audit_guard()"
        ),
        (
            "CREATE TRIGGER kernel_audit_no_truncate BEFORE TRUNCATE ON kernel_audit_event "
            "FOR EACH STATEMENT EXECUTE FUNCTION kernel_audit_guard()"
        ),
    ]
