"""Closes cashiers' shifts (班结) and hospitals' days (日结). What is closed never changes.

A shift takes the ledger entries of its cashier that no shift has; one that commits a moment later is in the
next. A day takes every entry dated to it, once nothing can be dated to it any more.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from flask_babel import gettext as _
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from backend.billing import queries, rules
from backend.billing.errors import (
    CountUnexplained,
    DayClosedAlready,
    DayNotOver,
    LedgerDisagrees,
    NothingToClose,
    ShiftMoved,
)
from backend.billing.models import CashierShift, DayClose, DayLine, ShiftEntry, ShiftLine
from backend.billing.rules import MovementKind, Tender
from backend.kernel import audit
from backend.kernel.errors import Forbidden, InvalidInput
from backend.kernel.ids import Id, new_id
from backend.kernel.locks import lock_name
from backend.kernel.money import format_yuan
from backend.kernel.uow import actor, now

LONGEST_REASON = 200
LONGEST_NAME = 40


def close_shift(
    session: Session,
    *,
    pieces: Mapping[int, int],
    float_fen: int = 0,
    reason: str,
    handed_to: str,
    seen: int,
) -> CashierShift:
    """Close the shift of whoever acts, with the drawer as it was counted (denomination in fen → pieces).

    ``float_fen`` of it is the float (备用金) that stays in the drawer; the rest is handed over. ``seen`` is how
    many moves were shown: ShiftMoved (409) when there are others by now. NothingToClose (409);
    CountUnexplained (422) when the count differs and no reason is given; InvalidInput (422).
    """
    if float_fen < 0:
        raise InvalidInput(fields={"float": _("备用金有误")})
    cashier = actor(session)
    if cashier.id is None or cashier.hospital_id is None:
        raise Forbidden
    if not handed_to.strip():
        raise InvalidInput(_("请写明交给谁"), fields={"handed_to": _("必填")})
    lock_name(session, f"shift:{cashier.id}")
    last = queries.last_shift(session, cashier.id)
    moves = queries.list_unclosed(session, cashier.id, hospital_id=cashier.hospital_id, last=last)
    if not moves:
        raise NothingToClose
    if len(moves) != seen:
        raise ShiftMoved
    lines = queries.sum_moves(moves)
    cash_fen = sum(fen for (tender, _kind), (_n, fen) in lines.items() if tender is Tender.CASH)
    counted_fen = _counted(pieces) - float_fen
    difference_fen = counted_fen - cash_fen
    if difference_fen and not reason.strip():
        raise CountUnexplained(
            _("实点与应有相差 %(fen)s", fen=format_yuan(difference_fen)),
            fields={"reason": _("请写明长短款的原因")},
        )
    shift = CashierShift(
        id=new_id(),
        hospital_id=cashier.hospital_id,
        account_id=cashier.id,
        label=cashier.label[:80],
        opened_at=last.closed_at if last is not None else moves[0].posted_at,
        closed_at=now(session),
        entries=len(moves),
        cash_fen=cash_fen,
        float_fen=float_fen,
        counted_fen=counted_fen,
        difference_fen=difference_fen,
        pieces={str(fen): number for fen, number in pieces.items() if number},
        reason=reason.strip()[:LONGEST_REASON] if difference_fen else "",
        handed_to=handed_to.strip()[:LONGEST_NAME],
    )
    session.add(shift)
    session.flush()
    for (tender, kind), (count, fen) in lines.items():
        session.add(
            ShiftLine(shift_id=shift.id, tender=tender, kind=kind, count=count, amount_fen=fen)
        )
    taken = [{"entry_id": move.entry_id, "shift_id": shift.id} for move in moves]
    session.execute(insert(ShiftEntry), taken)
    audit.record(
        session,
        "billing.close_shift",
        entity="cashier_shift",
        entity_id=shift.id,
        entries=len(moves),
        cash_fen=cash_fen,
        difference_fen=difference_fen,
    )
    return shift


def close_day(session: Session, *, hospital_id: Id, day: dt.date, note: str) -> DayClose:
    """Freeze a hospital's business date.

    DayNotOver, DayClosedAlready (409); InvalidInput (422) when cashiers have not closed their shifts and no
    note says why; LedgerDisagrees (409) when the sums are not what the ledger holds.
    """
    if queries.is_foreign(session, hospital_id):
        raise Forbidden
    if not rules.can_close_day(day, now(session)):
        raise DayNotOver
    lock_name(session, f"day:{hospital_id}")
    known = select(DayClose.id).where(
        DayClose.hospital_id == hospital_id, DayClose.business_date == day
    )
    if session.scalar(known) is not None:
        raise DayClosedAlready
    waiting = queries.open_cashiers(session, hospital_id, day)
    if waiting and not note.strip():
        raise InvalidInput(
            _("还有 %(n)s 位收费员没有班结", n=len(waiting)),
            fields={"note": _("请写明为什么先日结")},
        )
    lines = queries.sum_day(session, hospital_id, day)
    disagreeing = queries.disagreeing_accounts(session, hospital_id, day)
    if disagreeing:
        raise LedgerDisagrees(accounts=",".join(disagreeing))
    closed = DayClose(
        id=new_id(),
        hospital_id=hospital_id,
        business_date=day,
        closed_at=now(session),
        closed_by=actor(session).label[:80],
        open_cashiers=waiting,
        note=note.strip()[:LONGEST_REASON],
    )
    session.add(closed)
    session.flush()
    for tender, kind, channel, count, fen in lines:
        session.add(
            DayLine(
                day_id=closed.id,
                tender=tender,
                kind=MovementKind(kind),
                channel=channel,
                count=int(count),
                amount_fen=int(fen),
            )
        )
    audit.record(
        session,
        "billing.close_day",
        entity="day_close",
        entity_id=closed.id,
        business_date=day,
        open_cashiers=len(waiting),
    )
    return closed


def _counted(pieces: Mapping[int, int]) -> int:
    try:
        return rules.counted_fen(pieces)
    except ValueError as error:
        raise InvalidInput(_("张数有误"), code="pieces_invalid") from error
