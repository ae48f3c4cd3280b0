"""Posts business facts to the double-entry ledger. Entries are only ever added."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from backend.billing.models import JournalEntry, Posting
from backend.billing.rules import EntryKind, Line
from backend.kernel.ids import Id, new_id
from backend.kernel.uow import now, today, write_at_end


def post(
    session: Session,
    kind: EntryKind,
    *,
    source_id: Id,
    hospital_id: Id | None,
    lines: Sequence[Line],
) -> None:
    """Write one balanced entry for one fact of one document; nothing for a fact of no money.

    ValueError when the lines do not sum to zero. A fact posted twice breaks a unique constraint
    at the end of the unit of work.
    """
    if sum(line.amount_fen for line in lines):
        raise ValueError(f"{kind.value} of {source_id} does not balance")
    if not lines:
        return
    entry_id = new_id()
    write_at_end(
        session,
        JournalEntry,
        id=entry_id,
        hospital_id=hospital_id,
        kind=kind,
        source_id=source_id,
        posted_at=now(session),
        business_date=today(session),
    )
    for number, line in enumerate(lines, start=1):
        write_at_end(
            session,
            Posting,
            entry_id=entry_id,
            line=number,
            account=line.account,
            amount_fen=line.amount_fen,
            holder_id=line.holder,
        )
