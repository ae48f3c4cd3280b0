"""Makes a hospital's years out of the demo hospital's month, inside PostgreSQL.

The month (schedules, visits, bills, ledger, records) is copied as often as asked, each copy earlier by its whole length
and with other patients. Keys of a copy are made from the original's, so every reference stays right without a lookup.
Rows are written with foreign keys and triggers off, and analysed afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sqlalchemy import Column, Connection, Date, Engine, Table, Uuid, text

from backend.kernel.db import Base, UtcDateTime

#: Longer than the demo's days, past and ahead, so that no copy meets another on a calendar day.
DAYS_A_COPY = 60
PATIENTS = "patients_patient"
AUDIT = "kernel_audit_event"
#: A month has some 70,000 audit rows; a million show what there is to see.
MOST_AUDIT_COPIES = 15
#: Tables that tell of patients, in no order: foreign keys are off while copying.
HISTORY = (
    PATIENTS,
    "patients_patient_identifier",
    "scheduling_schedule",
    "scheduling_slot",
    "scheduling_slot_event",
    "scheduling_appointment",
    "billing_charge",
    "billing_invoice",
    "billing_payment",
    "billing_refund",
    "billing_refund_line",
    "billing_journal_entry",
    "billing_posting",
    "clinical_encounter",
    "clinical_diagnosis",
    "clinical_order",
    AUDIT,
)
#: What must be unique and is no key: how the copy numbered ``k`` writes it.
UNIQUE = {
    ("patients_patient", "id_number_index"): "sha256(t.id_number_index || int4send(k))",
    ("patients_patient", "phone_index"): "sha256(t.phone_index || int4send(k))",
    ("patients_patient_identifier", "value_index"): "sha256(t.value_index || int4send(k))",
    ("billing_invoice", "ordinal"): "t.ordinal + k * 1000000::bigint",
    ("billing_invoice", "number"): "t.number || '-' || k",
    ("billing_payment", "out_trade_no"): "md5(t.out_trade_no || k)",
    ("billing_payment", "transaction_id"): "md5(t.transaction_id || k)",
    ("billing_refund", "out_refund_no"): "md5(t.out_refund_no || k)",
    (AUDIT, "seal_no"): "t.seal_no + k * 100000000::bigint",
}
#: Free places of the past are nobody's concern, and three quarters of the rows.
ONLY = {
    "scheduling_slot": "t.state <> 'free'",
    "scheduling_slot_event": "t.appointment_id IS NOT NULL",
}

Progress = Callable[[str, int, int], None]


def multiply(engine: Engine, *, patients: int, charges: int, progress: Progress) -> dict[str, int]:
    """Grow the loaded demo until it holds as many patients and charges as asked; rows by table."""
    tables = Base.metadata.tables
    with engine.connect() as connection:
        have = {name: _count(connection, name) for name in (PATIENTS, "billing_charge")}
    people = max(1, -(-patients // have[PATIENTS]) - 1)
    bills = max(1, -(-charges // have["billing_charge"]) - 1)
    copies = {name: people if name.startswith("patients_") else bills for name in HISTORY}
    copies[AUDIT] = min(bills, MOST_AUDIT_COPIES)
    for done, name in enumerate(HISTORY, start=1):
        with engine.begin() as connection:
            connection.execute(text("SET LOCAL session_replication_role = replica"))
            connection.execute(text(_copy(tables[name], copies[name], people)))
        progress("历史 history", done, len(HISTORY) + 1)
    with engine.begin() as connection:
        for statement in _tickets():
            connection.execute(text(statement))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM (ANALYZE)"))
        progress("历史 history", len(HISTORY) + 1, len(HISTORY) + 1)
        return {
            name: _count(connection, name)
            for name in (*HISTORY, "queueing_ticket", "queueing_call")
        }


def _count(connection: Connection, name: str) -> int:
    return int(connection.execute(text(f"SELECT count(*) FROM {name}")).scalar_one())


def _copy(table: Table, copies: int, people: int) -> str:
    """INSERT … SELECT of every row, ``copies`` times."""
    # Audit rows are numbered by their own sequence.
    kept = [c for c in table.columns if (table.name, c.name) != (AUDIT, "id")]
    names = ", ".join(f'"{c.name}"' for c in kept)
    values = ", ".join(_value(table, column, people) for column in kept)
    only = ONLY.get(table.name, "true")
    return (
        f"INSERT INTO {table.name} ({names}) SELECT {values} "
        f"FROM {table.name} t CROSS JOIN generate_series(1, {copies}) k WHERE {only}"
    )


def _value(table: Table, column: Column[object], people: int) -> str:
    own = f't."{column.name}"'
    if (table.name, column.name) in UNIQUE:
        return UNIQUE[table.name, column.name]
    if isinstance(column.type, Uuid) and _is_copied(column):
        # More copies of bills than of people: the copies of people take turns.
        number = f"(1 + (k - 1) % {people})" if column.name == "patient_id" else "k"
        return f"md5({own}::text || {number})::uuid"
    if column.name != "birth_date" and isinstance(column.type, Date):
        return f"{own} - {DAYS_A_COPY} * k"
    if isinstance(column.type, UtcDateTime):
        return f"{own} - interval '{DAYS_A_COPY} days' * k"
    return own


def _is_copied(column: Column[object]) -> bool:
    """A key of a copied table, or a reference to one; references without a constraint lead to history too."""
    if column.table.name == AUDIT:
        return column.name == "patient_id"
    targets = {key.target_fullname.partition(".")[0] for key in column.foreign_keys}
    return not targets or bool(targets & set(HISTORY))


def _tickets() -> Iterator[str]:
    """The tickets and calls of the visits that were seen; the demo's past was loaded without them."""
    yield """
        INSERT INTO queueing_ticket (id, version, hospital_id, queue_id, business_date, half_day, ordinal, number,
            patient_id, appointment_id, practitioner_id, ticket_class, state, arrived_at, window_starts_at,
            window_ends_at, served_by_id, called_at, call_count, miss_count, serving_at, ended_at)
        SELECT md5(a.id::text || 'ticket')::uuid, 1, a.hospital_id, q.id, a.business_date, a.half_day,
            1000 + row_number() OVER (PARTITION BY q.id, a.business_date, a.half_day ORDER BY a.starts_at, a.id),
            q.prefix || '000', a.patient_id, a.id, a.practitioner_id, 'ordinary', 'done', a.starts_at,
            a.starts_at, a.ends_at, a.practitioner_id, a.starts_at, 1, 0, a.starts_at, a.ends_at
        FROM scheduling_appointment a JOIN queueing_queue q ON q.department_id = a.department_id
        WHERE a.state = 'fulfilled'"""
    yield """
        INSERT INTO queueing_call (id, hospital_id, ticket_id, queue_id, hall_location_id, room_id, practitioner_id,
            kind, at)
        SELECT md5(t.id::text || 'call')::uuid, t.hospital_id, t.id, t.queue_id, q.hall_location_id,
            a.location_id, t.practitioner_id, 'first', t.called_at
        FROM queueing_ticket t JOIN queueing_queue q ON q.id = t.queue_id
            JOIN scheduling_appointment a ON a.id = t.appointment_id
        WHERE t.ordinal > 1000"""
