"""Commands of examinations: the catalogue, the answers of safety, booking a whole plan, giving one back.

Above ``service``, whose commands it uses: a plan is booked in one unit of work, where every place is held and confirmed
through the pool's own commands, or none is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.contracts.scheduling import ExaminationBooked, ExaminationCancelled
from backend.kernel import audit, outbox
from backend.kernel.ids import Id, new_id
from backend.kernel.locks import lock_name
from backend.kernel.uow import now
from backend.scheduling import service
from backend.scheduling.errors import (
    ExaminationBegun,
    ExaminationNotFound,
    PlanBreaksRule,
    PlanOutdated,
    SlotGone,
)
from backend.scheduling.models import (
    Appointment,
    BookedExamination,
    ExaminationItem,
    ExaminationPlace,
    ExaminationScreening,
    ExaminationType,
    Slot,
)
from backend.scheduling.queries import is_foreign
from backend.scheduling.queries.examinations import ANSWERS
from backend.scheduling.rules import ACTIVE, Channel
from backend.scheduling.rules.examinations import Examination, ExaminationState
from backend.scheduling.rules.planning import Option, Placed, Problem, violations


def add_examination_type(
    session: Session,
    *,
    hospital_id: Id,
    examination: Examination,
    price_item_code: str,
    initials: str,
) -> ExaminationType:
    """Put an examination into the catalogue; ``initials`` are what doctors type to find it."""
    facts = {name: getattr(examination, name) for name in Examination.__slots__}
    row = ExaminationType(
        id=new_id(),
        hospital_id=hospital_id,
        price_item_code=price_item_code,
        initials=initials,
        **facts,
    )
    session.add(row)
    audit.record(
        session,
        "scheduling.add_examination_type",
        entity="examination_type",
        entity_id=row.id,
        code=row.code,
    )
    return row


def record_screening(
    session: Session,
    *,
    hospital_id: Id,
    patient_id: Id,
    answers: Mapping[str, bool | int | None],
) -> None:
    """Keep what the patient answered; fields not in ``answers`` count as not asked. Earlier answers stay on record."""
    row = ExaminationScreening(
        id=new_id(),
        hospital_id=hospital_id,
        patient_id=patient_id,
        answered_at=now(session),
        **{name: answers.get(name) for name in ANSWERS},
    )
    session.add(row)
    audit.record(
        session,
        "scheduling.record_screening",
        entity="examination_screening",
        entity_id=row.id,
        patient_id=patient_id,
    )


def lock_examinations(session: Session, patient_id: Id) -> None:
    """One change of a patient's examinations at a time: take it before building the problem that is booked."""
    lock_name(session, f"scheduling-examinations-{patient_id}")


def book_examinations(
    session: Session,
    *,
    hospital_id: Id,
    patient_id: Id,
    problem: Problem,
    chosen: Mapping[str, tuple[Id, ...]],
    channel: Channel | str,
) -> list[BookedExamination]:
    """Book every visit of ``chosen`` (visit key → its places), all or nothing.

    ``problem`` is built in this unit of work, after ``lock_examinations``: places and rules are checked against it,
    whatever was asked for. Raises PlanOutdated, PlanBreaksRule; errors of ``hold_slot``.
    """
    placed = _look_up(problem, chosen)
    if broken := list(violations(problem, placed)):
        raise PlanBreaksRule(rules="; ".join(broken))
    schedules = _schedules_of(session, placed)
    booked = []
    # In the order of the places, so that two plans that want the same ones do not each get half.
    for one in sorted(placed, key=lambda p: p.option.slot_ids):
        booked.append(_book(session, hospital_id, patient_id, one, schedules, Channel(channel)))
    session.flush()
    return booked


def _look_up(problem: Problem, chosen: Mapping[str, tuple[Id, ...]]) -> list[Placed]:
    visits = {visit.key: visit for visit in problem.visits}
    placed, gone = [], []
    for key, slot_ids in chosen.items():
        options = problem.options.get(key, ())
        option = next((o for o in options if o.slot_ids == slot_ids), None)
        if option is None or key not in visits:
            gone.append(key)
        else:
            placed.append(Placed(visits[key], option))
    if gone or not placed:
        raise PlanOutdated(visit_keys=" ".join(gone))
    return placed


def _schedules_of(session: Session, placed: Iterable[Placed]) -> dict[Id, Id]:
    wanted = {slot_id for one in placed for slot_id in one.option.slot_ids}
    rows = session.execute(select(Slot.id, Slot.schedule_id).where(Slot.id.in_(wanted)))
    return {row.id: row.schedule_id for row in rows}


def _book(
    session: Session,
    hospital_id: Id,
    patient_id: Id,
    one: Placed,
    schedules: Mapping[Id, Id],
    channel: Channel,
) -> BookedExamination:
    option: Option = one.option
    row = BookedExamination(
        id=new_id(),
        hospital_id=hospital_id,
        patient_id=patient_id,
        device_id=option.device_id,
        starts_at=option.starts_at,
        ends_at=option.ends_at,
        state=ExaminationState.BOOKED,
        booked_at=now(session),
    )
    session.add(row)
    session.flush()
    for slot_id in option.slot_ids:
        try:
            held = service.hold_slot(
                session,
                patient_id=patient_id,
                schedule_id=schedules[slot_id],
                slot_id=slot_id,
                channel=channel,
            )
        except SlotGone as error:
            raise PlanOutdated(visit_keys=one.visit.key) from error
        service.confirm_appointment(session, held.id)
        session.add(
            ExaminationPlace(
                id=new_id(), hospital_id=hospital_id, examination_id=row.id, appointment_id=held.id
            )
        )
    for order in one.visit.ordered:
        session.add(
            ExaminationItem(
                id=new_id(),
                hospital_id=hospital_id,
                examination_id=row.id,
                order_id=Id(order.order_id),
                type_code=order.examination.code,
            )
        )
    outbox.publish(
        session,
        ExaminationBooked(hospital_id, row.id, patient_id, row.device_id, row.starts_at),
    )
    _record(session, "book_examination", row)
    return row


def cancel_examination(
    session: Session, *, examination_id: Id, patient_id: Id, reason: str
) -> BookedExamination:
    """Give a booked examination back, all its places; its orders are open again. Repeating it changes nothing.

    Raises ExaminationNotFound (also for another patient's), ExaminationBegun.
    """
    lock_examinations(session, patient_id)
    row = session.get(BookedExamination, examination_id, populate_existing=True)
    if row is None or row.patient_id != patient_id or is_foreign(session, row.hospital_id):
        raise ExaminationNotFound
    if row.state is ExaminationState.CANCELLED:
        return row
    if row.starts_at <= now(session):
        raise ExaminationBegun
    return _give_up(session, row, reason)


def follow_cancelled_place(session: Session, *, appointment_id: Id, patient_id: Id) -> None:
    """A place was cancelled by somebody else: its examination ends with all its places. Idempotent."""
    lock_examinations(session, patient_id)
    row = session.scalar(
        select(BookedExamination)
        .join(ExaminationPlace, ExaminationPlace.examination_id == BookedExamination.id)
        .where(ExaminationPlace.appointment_id == appointment_id)
        .execution_options(populate_existing=True)
    )
    if row is not None and row.state is ExaminationState.BOOKED:
        _give_up(session, row, "place_cancelled")


def _give_up(session: Session, row: BookedExamination, reason: str) -> BookedExamination:
    """Free the places that are still held, open the orders again, and tell."""
    live = session.scalars(
        select(Appointment.id)
        .join(ExaminationPlace, ExaminationPlace.appointment_id == Appointment.id)
        .where(ExaminationPlace.examination_id == row.id, Appointment.state.in_(ACTIVE))
        .order_by(Appointment.schedule_id, Appointment.id)
    ).all()
    for appointment_id in live:
        service.cancel_appointment(session, appointment_id, reason)
    for item in _items(session, row.id):
        item.is_active = False
    row.state, row.ended_at = ExaminationState.CANCELLED, now(session)
    outbox.publish(
        session, ExaminationCancelled(row.hospital_id, row.id, row.patient_id, row.device_id)
    )
    _record(session, "cancel_examination", row)
    session.flush()
    return row


def drop_order(session: Session, *, order_id: Id, patient_id: Id, reason: str) -> bool:
    """An order was taken back or refunded: its booked examination goes too, unless other orders still need it.

    True when the order was booked; nothing happens otherwise. Raises ExaminationBegun.
    """
    lock_examinations(session, patient_id)
    item = session.scalar(
        select(ExaminationItem).where(
            ExaminationItem.order_id == order_id, ExaminationItem.is_active
        )
    )
    if item is None:
        return False
    others = [other for other in _items(session, item.examination_id) if other is not item]
    if not others:
        cancel_examination(
            session, examination_id=item.examination_id, patient_id=patient_id, reason=reason
        )
        return True
    row = session.get_one(BookedExamination, item.examination_id)
    if row.starts_at <= now(session):
        raise ExaminationBegun
    item.is_active = False
    _record(session, "drop_examination_order", row, order_id=str(order_id))
    session.flush()
    return True


def _items(session: Session, examination_id: Id) -> list[ExaminationItem]:
    return list(
        session.scalars(
            select(ExaminationItem).where(
                ExaminationItem.examination_id == examination_id, ExaminationItem.is_active
            )
        )
    )


def _record(session: Session, act: str, row: BookedExamination, **detail: str) -> None:
    audit.record(
        session,
        f"scheduling.{act}",
        entity="examination",
        entity_id=row.id,
        patient_id=row.patient_id,
        device_id=row.device_id,
        **detail,
    )
