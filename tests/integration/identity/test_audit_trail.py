"""The audit viewer's reads on both databases: filters, pages that neither skip nor repeat, the chain's state."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from backend.identity import audit_trail
from backend.identity.views import AuditFilter
from backend.kernel import audit
from backend.kernel.clock import FixedClock
from backend.kernel.ids import Id, new_id
from backend.kernel.permissions import Actor, ActorKind
from backend.kernel.uow import Database
from tests.factories.clinic import make_clinic

MINUTE = dt.timedelta(minutes=1)


def staff(hospital_id: Id, label: str) -> Actor:
    return Actor(ActorKind.STAFF, id=new_id(), hospital_id=hospital_id, label=label)


def write(database: Database, actor: Actor, action: str, **values: object) -> None:
    with database.write(actor, request_id="request-1") as session:
        audit.record(
            session,
            action,
            entity=str(values.pop("entity", "ticket")),
            entity_id=str(values.pop("entity_id", "t1")),
            patient_id=values.pop("patient_id", None),  # type: ignore[arg-type]
            **values,
        )


def actions(database: Database, wanted: AuditFilter, hospital_id: Id | None = None) -> list[str]:
    with database.read() as session:
        page = audit_trail.list_audit(session, wanted, hospital_id=hospital_id)
    return [row.action for row in page.rows]


def test_filters(database: Database, clock: FixedClock) -> None:
    home, other = make_clinic(database), make_clinic(database, code="H2")
    patient = new_id()
    begin = clock.now() + MINUTE
    clock.set(begin)
    write(database, staff(home.hospital_id, "S1"), "queueing.call", patient_id=patient)
    clock.advance(MINUTE)
    write(database, staff(home.hospital_id, "S2"), "billing.pay_cash", entity="invoice")
    clock.advance(MINUTE)
    write(database, staff(other.hospital_id, "S1"), "queueing.pass_over", entity_id="t2")
    here = home.hospital_id
    since = AuditFilter(begin=begin)
    assert actions(database, since, here) == ["billing.pay_cash", "queueing.call"]
    assert actions(database, AuditFilter(begin=begin, end=begin + MINUTE), here) == [
        "queueing.call"
    ]
    assert actions(database, AuditFilter(patient_id=patient), here) == ["queueing.call"]
    assert actions(database, AuditFilter(actor="S2"), here) == ["billing.pay_cash"]
    assert actions(database, AuditFilter(action="queueing."), here) == ["queueing.call"]
    assert actions(database, AuditFilter(entity="invoice"), here) == ["billing.pay_cash"]
    assert actions(database, AuditFilter(entity_id="t2"), here) == []
    assert actions(database, AuditFilter(entity_id="t2"), other.hospital_id) == [
        "queueing.pass_over"
    ]
    assert len(actions(database, AuditFilter(request_id="request-1"))) == 3


def test_pages_neither_skip_nor_repeat_rows_of_the_same_moment(database: Database) -> None:
    clinic = make_clinic(database)
    actor = staff(clinic.hospital_id, "S1")
    for number in range(7):
        write(database, actor, f"test.act_{number}")
    seen: list[str] = []
    before = None
    while True:
        with database.read() as session:
            page = audit_trail.list_audit(
                session, AuditFilter(actor="S1", before=before), hospital_id=None, most=3
            )
        seen += [row.action for row in page.rows]
        write(database, actor, "test.meanwhile")
        if not page.older:
            break
        before = audit_trail.read_cursor(page.older)
    assert seen == [f"test.act_{number}" for number in reversed(range(7))]


def test_chain_state_before_and_after_the_seal(
    database: Database, clock: FixedClock, tmp_path: Path
) -> None:
    with database.read() as session:
        empty = audit_trail.get_chain_state(session)
    assert (empty.sealed, empty.head, empty.unsealed, empty.oldest_unsealed_at) == (0, "", 0, None)
    clinic = make_clinic(database)
    began = clock.now()
    clock.advance(MINUTE)
    write(database, staff(clinic.hospital_id, "S1"), "test.act")
    with database.read() as session:
        waiting = audit_trail.get_chain_state(session)
    assert waiting.sealed == 0
    assert waiting.unsealed > 1
    assert waiting.oldest_unsealed_at == began
    audit.seal(database, tmp_path / "heads")
    with database.read() as session:
        sealed = audit_trail.get_chain_state(session)
    assert (sealed.sealed, sealed.unsealed, sealed.oldest_unsealed_at) == (
        waiting.unsealed,
        0,
        None,
    )
    assert (tmp_path / "heads").read_text().split() == [str(sealed.sealed), sealed.head]
