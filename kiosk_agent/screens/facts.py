"""The facts each screen shows, already as words a person reads, with ids for the choices."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from kiosk_agent.flows.offers import page_count, page_size
from kiosk_agent.flows.state import Purpose, Service, State
from kiosk_agent.messages import Appointment, Department, Invoice, Patient, Schedule, Ticket
from kiosk_agent.screens.problems import tone
from kiosk_agent.screens.words import Words, yuan

# What most people come for stands first; the large-type mode offers fewer choices.
_TILES = (Purpose.VISIT, Purpose.CHECK_IN, Purpose.PAY, Purpose.REGISTER, Purpose.REPRINT)
_ELDERLY_TILES = (Purpose.CHECK_IN, Purpose.VISIT, Purpose.PAY)


def facts(state: State, name: str, now: datetime, words: Words) -> dict[str, Any]:
    """The `data` of the screen called `name`."""
    match name:
        case "home":
            return {"tiles": _home_tiles(state, words), "printer": _printer_words(state, words)}
        case "identify":
            return {"purpose": state.purpose.value if state.purpose else ""}
        case "confirm_person":
            return {"person": _person(state.patient, words), "created": state.created}
        case "menu":
            return {
                "person": _person(state.patient, words),
                "tiles": _menu_tiles(state, words, now),
            }
        case "departments":
            items = [_department(item, words) for item in state.departments]
            return {"departments": items, **_paging(state)}
        case "schedules":
            items = [_schedule(item, words, now) for item in state.schedules]
            department = state.department.name if state.department else ""
            return {"department": department, "schedules": items, **_paging(state)}
        case "confirm_booking":
            return _confirm_booking(state, words, now)
        case "amount_changed":
            total = state.invoice.total_fen if state.invoice else 0
            return {"old": yuan(state.agreed_fen), "new": yuan(total), "amount_fen": total}
        case "pay" | "closing":
            return _pay(state, words)
        case "appointments":
            ready = [item for item in state.home.appointments if item.can_check_in]
            items = [_appointment(item, words, now) for item in ready]
            return {"appointments": items, **_paging(state)}
        case "due":
            bills = [_invoice(item, words, now) for item in state.home.due]
            return {"invoices": bills, **_paging(state)}
        case "confirm_due":
            return {"invoice": _invoice(state.invoice, words, now) if state.invoice else None}
        case "tickets":
            items = [_ticket(item, words) for item in state.home.tickets]
            return {"tickets": items, **_paging(state)}
        case "printing":
            return {"ticket": _ticket(state.ticket, words) if state.ticket else None}
        case "done":
            return _done(state, words)
        case "problem":
            return _problem(state, words)
        case "working":
            return {"waits_for": state.busy}
        case "out_of_service":
            return {"service": state.service.value, "is_away": state.service is Service.AWAY}
        case _:
            return {}


def _home_tiles(state: State, words: Words) -> list[dict[str, str]]:
    shown = _ELDERLY_TILES if state.elderly else _TILES
    return [
        {
            "purpose": purpose.value,
            "label": words(f"action_purpose_{purpose}"),
            "hint": words(f"hint_{purpose}"),
        }
        for purpose in shown
    ]


def _menu_tiles(state: State, words: Words, now: datetime) -> list[dict[str, str]]:
    home = state.home
    ready = [item for item in home.appointments if item.can_check_in]
    hints = {Purpose.VISIT: words("hint_visit")}
    if ready:
        window = words.window(ready[0].starts_at, ready[0].ends_at, now)
        hints[Purpose.CHECK_IN] = f"{ready[0].department_name} {window}".strip()
    if home.due:
        total = yuan(sum(item.total_fen for item in home.due))
        hints[Purpose.PAY] = words("hint_due", count=len(home.due), total=total)
    if home.tickets:
        hints[Purpose.REPRINT] = "  ".join(item.number for item in home.tickets)
    urgent = Purpose.CHECK_IN if ready else (Purpose.PAY if home.due else Purpose.VISIT)
    usual = (Purpose.CHECK_IN, Purpose.PAY, Purpose.VISIT, Purpose.REPRINT)
    order = (urgent, *(purpose for purpose in usual if purpose is not urgent))
    return [
        {
            "purpose": purpose.value,
            "label": words(f"action_purpose_{purpose}"),
            "hint": hints.get(purpose, words(f"none_{purpose}")),
            "emphasis": "main" if purpose is urgent else "",
        }
        for purpose in order
    ]


def _printer_words(state: State, words: Words) -> str:
    printer = state.devices.printer
    if state.devices.can_print or not words.has(f"printer_{printer}"):
        return "" if state.devices.can_print else words("printer_trouble")
    return words(f"printer_{printer}")


def _person(patient: Patient | None, words: Words) -> dict[str, str]:
    if patient is None:
        return {}
    sex = {"1": "male", "2": "female", "male": "male", "female": "female"}.get(patient.sex, "")
    return {
        "name": patient.name,
        "name_masked": patient.name_masked,
        "sex": words(sex) if sex else "",
        "age": words("years", age=patient.age) if patient.age is not None else "",
        "phone": patient.phone_masked or "",
        "card": patient.card_masked or "",
    }


def _department(item: Department, words: Words) -> dict[str, Any]:
    return {
        "id": item.department_id,
        "name": item.name,
        "floor": item.floor,
        "doctors": words("doctors", count=item.doctors_count),
        "free": words("free", count=item.free_count) if item.free_count else words("full"),
        "free_count": item.free_count,
    }


def _schedule(item: Schedule, words: Words, now: datetime) -> dict[str, Any]:
    return {
        "id": item.schedule_id,
        "practitioner_name": item.practitioner_name,
        "title": item.title,
        "specialty": item.specialty,
        "room": item.room,
        "window": words.window(item.starts_at, item.ends_at, now),
        "visit_type": item.visit_type_words or item.visit_type,
        "fee": yuan(item.fee_fen),
        "fee_fen": item.fee_fen,
        "free": words("free", count=item.free_count) if item.free_count else words("full"),
        "free_count": item.free_count,
    }


def _appointment(item: Appointment, words: Words, now: datetime) -> dict[str, str]:
    return {
        "id": item.appointment_id,
        "department_name": item.department_name,
        "practitioner_name": item.practitioner_name,
        "room": item.room,
        "window": words.window(item.starts_at, item.ends_at, now),
    }


def _invoice(item: Invoice, words: Words, now: datetime) -> dict[str, Any]:
    return {
        "id": item.invoice_id,
        "first_line": item.first_line,
        "opened": words.window(item.opened_at, None, now),
        "total": yuan(item.total_fen),
        "total_fen": item.total_fen,
        "lines": [{"name": line.name, "amount": yuan(line.amount_fen)} for line in item.lines],
    }


def _ticket(item: Ticket, words: Words) -> dict[str, str]:
    ahead = words("ahead", count=item.ahead) if item.ahead is not None else ""
    return {
        "id": item.ticket_id,
        "number": item.number,
        "room": item.room,
        "queue": item.queue_name,
        "ahead": ahead,
        "expected": item.expected_words,
    }


def _paging(state: State) -> dict[str, int]:
    size = page_size(state)
    first = state.page * size
    return {"page": state.page + 1, "pages": page_count(state), "first": first, "end": first + size}


def _confirm_booking(state: State, words: Words, now: datetime) -> dict[str, Any]:
    if state.schedule is None:
        return {}
    return {
        "person": _person(state.patient, words),
        "department": state.department.name if state.department else "",
        "schedule": _schedule(state.schedule, words, now),
        "printer": _printer_words(state, words),
    }


def _pay(state: State, words: Words) -> dict[str, Any]:
    payment = state.payment
    fen = payment.amount_fen if payment and payment.amount_fen else state.agreed_fen
    return {
        "amount": yuan(fen),
        "amount_fen": fen,
        "payment_id": payment.payment_id if payment else "",
        "state": payment.state if payment else "",
        "is_unreachable": state.is_unreachable,
        "printer": _printer_words(state, words),
    }


def _done(state: State, words: Words) -> dict[str, Any]:
    booking = state.booking
    return {
        "done": state.done.value,
        "person": _person(state.patient, words),
        "ticket": _ticket(state.ticket, words) if state.ticket else None,
        "practitioner_name": booking.practitioner_name if booking else "",
        "department_name": booking.department_name if booking else "",
        "paid": yuan(state.agreed_fen) if state.payment is not None else "",
    }


def _problem(state: State, words: Words) -> dict[str, Any]:
    problem = state.problem
    if problem is None:
        return {}
    return {
        "key": problem.key,
        "tone": tone(problem),
        "ticket": _ticket(state.ticket, words) if state.ticket else None,
        "print_code": state.print_job.code if state.print_job else "",
        "help": words("help_counter"),
    }
