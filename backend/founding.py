"""``xinglin hospital``: a hospital and its administrator, its departments from a file, a way back in."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from backend.bootstrap import Program
from backend.identity import passwords, rules
from backend.identity import queries as accounts
from backend.identity import service as identity
from backend.journeys import department_list
from backend.journeys import founding as journeys
from backend.journeys.department_list import Plan, Step
from backend.kernel.errors import XinglinError
from backend.kernel.ids import Id
from backend.kernel.permissions import system_actor
from backend.kernel.spreadsheets import decode_csv
from backend.organization import queries as organization
from backend.organization.rules import normalise_code

DONE, REFUSED = 0, 1
ACTOR = "xinglin-cli"
TITLE = journeys.TITLE
HOURS = int(rules.ONE_TIME_FOR.total_seconds() // 3600)
WIDEST = 120


def create(
    console: Console, program: Program, code: str, name: str, username: str, admin_name: str
) -> int:
    """Create the hospital and its administrator; the exit status."""
    password = passwords.new_one_time()
    hashed = passwords.hash_password(password)
    try:
        with program.database.write(system_actor(ACTOR)) as session:
            hospital_id = journeys.found_hospital(
                session,
                code=code,
                name=name,
                username=username,
                admin_name=admin_name,
                password=hashed,
            )
            made = organization.get_hospital(session, hospital_id)
            words = f"{made.code} {made.name}"
    except XinglinError as error:
        return _refuse(console, error)
    console.print(f"created: {words}", markup=False, soft_wrap=True)
    _show_password(console, username, password)
    return DONE


def departments(
    console: Console, program: Program, file: Path, code: str, *, is_dry_run: bool
) -> int:
    """Do (or only say) what a file of departments asks for; the exit status."""
    text = decode_csv(file.read_bytes())
    if text is None:
        console.print("wrong: the file is neither UTF-8 nor GB 18030", style="red")
        return REFUSED
    hospital_id = _find_hospital(program, code)
    if hospital_id is None:
        console.print(f"wrong: there is no hospital {code}", style="red", markup=False)
        return REFUSED
    actor = system_actor(ACTOR, hospital_id)
    try:
        if is_dry_run:
            with program.database.read(actor) as session:
                plan = department_list.plan(session, text, hospital_id=hospital_id)
        else:
            with program.database.write(actor) as session:
                plan = department_list.bring(session, text, hospital_id=hospital_id)
    except XinglinError as error:
        return _refuse(console, error)
    return _report(console, plan, is_dry_run=is_dry_run)


def issue_password(console: Console, program: Program, username: str) -> int:
    """A one-time password in place of a forgotten or lapsed one; the exit status."""
    password = passwords.new_one_time()
    hashed = passwords.hash_password(password)
    with program.database.read(system_actor(ACTOR)) as session:
        found = accounts.find_credentials(session, username)
    if found is None:
        console.print("wrong: there is no such account", style="red")
        return REFUSED
    with program.database.write(system_actor(ACTOR, found.hospital_id)) as session:
        identity.issue_password(
            session, found.account_id, hospital_id=found.hospital_id, password=hashed
        )
    _show_password(console, username, password)
    return DONE


def _find_hospital(program: Program, code: str) -> Id | None:
    with program.database.read(system_actor(ACTOR)) as session:
        found = {one.code: one.id for one in organization.list_hospitals(session)}
    return found.get(normalise_code(code))


def _show_password(console: Console, username: str, password: str) -> None:
    """On the terminal only: it is kept nowhere but as a hash."""
    name = rules.normalise_username(username)
    console.print(f"username: {name}", markup=False, soft_wrap=True)
    console.print(f"one-time password: {password}", markup=False, soft_wrap=True)
    console.print(f"good for {HOURS} hours and shown only now; the first login asks for another")


def _refuse(console: Console, error: XinglinError) -> int:
    """What is wrong, by field where it is known; nothing was written."""
    for name, words in (error.fields or {error.error_code: error.message}).items():
        console.print(f"wrong: {name}: {words}", style="red", markup=False, soft_wrap=True)
    return REFUSED


def _report(console: Console, plan: Plan, *, is_dry_run: bool) -> int:
    for error in plan.errors:
        console.print(
            f"line {error.line}: {error.words}", style="red", markup=False, soft_wrap=True
        )
    if plan.errors:
        console.print("nothing was written")
        return REFUSED
    # Whole names, whatever the terminal's width: a table narrows itself to it unless told its own.
    table = Table(width=None if console.width >= WIDEST else WIDEST)
    for column in ("line", "code", "name", "department", "queue", "new rooms"):
        table.add_column(column)
    for step in plan.steps:
        rooms = " ".join(room.code for room in step.rooms)
        row = step.row
        cells = (str(row.line), row.code, row.name, *_words(step), rooms)
        table.add_row(*map(escape, cells))
    console.print(table, crop=False)
    for step in plan.steps:
        for heading, ours, theirs in step.kept:
            console.print(
                f"line {step.row.line}: {heading} stays {ours or '(none)'}, not {theirs or '(none)'}",
                markup=False,
                soft_wrap=True,
            )
    made = sum(step.department is None for step in plan.steps)
    renamed = sum(bool(step.former_name) for step in plan.steps)
    opened = sum(step.opens_queue for step in plan.steps)
    would = "would be " if is_dry_run else ""
    console.print(f"{would}made: {made} departments, {opened} queues; {would}renamed: {renamed}")
    return DONE


def _words(step: Step) -> tuple[str, str]:
    department = "new" if step.department is None else "there"
    if step.former_name:
        department = f"renamed, was {step.former_name}"
    if step.opens_queue:
        return department, f"new, {step.row.prefix}"
    return department, "-" if step.queue is None else f"there, {step.queue.prefix}"
