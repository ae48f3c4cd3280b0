"""The `xinglin` command: run, serve, work, migrate, found a hospital, load the demo, journey, verify, reconcile."""

from __future__ import annotations

import datetime as dt
import sys
import time
from collections.abc import Callable
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from sqlalchemy.orm import Session

from backend import founding, migrations, reconciling, running, serving, worker
from backend.billing.handlers import CardCashier
from backend.billing.ports import GatewayError
from backend.billing.rules import BillChannel
from backend.billing.verify import verify_ledger
from backend.bootstrap import Program, audit_heads, build_program
from backend.demo.journey import crowd
from backend.demo.journey.chaos import Weather
from backend.journeys.settlement import record_trade_status
from backend.kernel import audit as kernel_audit
from backend.kernel import key_rotation, logging
from backend.kernel.permissions import system_actor
from backend.kernel.verify import VerifyReport
from backend.scheduling.verify import verify_slots
from backend.settings import Settings

console = Console(highlight=False)
CLI_ACTOR = system_actor("xinglin-cli")


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
def main() -> None:
    """杏林 Xinglin: a hospital's front door and the platforms behind it.

    \b
    xinglin run       start the demo hospital with everything around it
    xinglin journey   take patients through a whole visit against the running system
    Configuration comes from XINGLIN_* variables; the README has the table.
    """


def _program() -> Program:
    settings = Settings()
    logging.configure("WARNING")
    return build_program(settings)


@main.command()
def run() -> None:
    """Start the demo hospital: backend, kiosks, sandbox and device bench. Ctrl-C ends all of it."""
    sys.exit(running.run(Settings(), console))


@main.command()
@click.option("--port", type=int, default=None, help="Default: XINGLIN_PORT_BASE.")
def web(port: int | None) -> None:
    """Serve the web pages and interfaces (one server; see docs/operations.md for several)."""
    settings = Settings()
    serving.serve(settings, port or settings.port_base)


@main.command("worker")
def worker_command() -> None:
    """Deliver events and do periodic work for a distributed installation."""
    settings = Settings()
    if not settings.is_distributed:
        raise click.UsageError(
            "a worker needs XINGLIN_REDIS_URL; the embedded web process works itself"
        )
    worker.run(settings)


@main.group()
def db() -> None:
    """The database's schema."""


@db.command("migrate")
def db_migrate() -> None:
    """Bring the database to this program's schema; does nothing when it is there."""
    program = _program()
    # Only secrets that are made for the installation bring the folder with them; production's SQLite needs it too.
    program.settings.data_dir.mkdir(parents=True, exist_ok=True)
    migrations.upgrade(program.database.engine)
    console.print("database is at the newest revision")


@main.group()
def hospital() -> None:
    """Hospitals of the group: the first steps, which no page can do."""


@hospital.command("create")
@click.option("--code", required=True, help="Capitals and digits, for ever: XL.")
@click.option("--name", required=True, help="杏林肿瘤医院")
@click.option("--admin", "username", required=True, help="Username of its administrator.")
@click.option("--admin-name", default=founding.TITLE, show_default=True, help="Their own name.")
def hospital_create(code: str, name: str, username: str, admin_name: str) -> None:
    """Create a hospital and its administrator, whose one-time password is printed, this once."""
    sys.exit(founding.create(console, _program(), code, name, username, admin_name))


@hospital.command("departments")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--hospital", "code", required=True, help="The hospital's code.")
@click.option("--dry-run", is_flag=True, help="Say what would be made, and make nothing.")
def hospital_departments(file: Path, code: str, *, dry_run: bool) -> None:
    """Make departments and their queues from a CSV FILE (code,name,kind,place,prefix,rooms).

    Safe to repeat: what is there is renamed and its queue given more rooms. One wrong line, and nothing is written.
    """
    sys.exit(founding.departments(console, _program(), file, code, is_dry_run=dry_run))


@hospital.command("password")
@click.argument("username")
def hospital_password(username: str) -> None:
    """Print a one-time password for USERNAME: for an administrator whom nobody else can give one."""
    sys.exit(founding.issue_password(console, _program(), username))


def _verify(program: Program, title: str, check: Callable[[Session], VerifyReport]) -> None:
    """Run a verifier, print what it counted and found, and end non-zero when it found something."""
    with program.database.read(CLI_ACTOR) as session:
        report = check(session)
    table = Table(title=title, title_justify="left")
    table.add_column("rows")
    table.add_column("checked", justify="right")
    for what, number in report.counts.items():
        table.add_row(what, f"{number:,}")
    console.print(table)
    for note in report.notes:
        console.print(f"note: {note}", markup=False, soft_wrap=True)
    for problem in report.problems:
        # One line each, whatever the terminal's width, so that it can be searched for.
        console.print(f"wrong: {problem}", style="red", markup=False, soft_wrap=True)
    console.print(f"{report.checked:,} rows checked, {len(report.problems)} problems")
    if not report.is_sound:
        sys.exit(1)
    if report.checked == 0:
        console.print("nothing to check: is this the right database?")
        sys.exit(1)


@main.group("audit")
def audit_group() -> None:
    """The audit log."""


@audit_group.command("verify")
def audit_verify() -> None:
    """Recompute the audit chain and compare it with the heads kept outside the database."""
    program = _program()
    # Before this command seals, or nobody would see that nobody else did.
    with program.database.read(CLI_ACTOR) as session:
        tail = kernel_audit.get_tail(session)
    if tail.rows:
        age = dt.timedelta(seconds=int(tail.age.total_seconds()))
        console.print(f"{tail.rows:,} rows were not sealed yet, the oldest for {age}")
    if tail.is_late:
        words = "note: nobody has sealed them in time: is a worker running, and its minute clock?"
        console.print(words, style="yellow", soft_wrap=True)
    kernel_audit.seal(program.database, audit_heads(program.settings))
    _verify(program, "audit", lambda s: kernel_audit.verify(s, audit_heads(program.settings)))


@main.group("ledger")
def ledger_group() -> None:
    """The double-entry ledger."""


@ledger_group.command("verify")
def ledger_verify() -> None:
    """Replay the ledger: every entry balances and every fen is explained by a document."""
    _verify(_program(), "ledger", verify_ledger)


@main.group("slots")
def slots_group() -> None:
    """The pool of places."""


@slots_group.command("verify")
def slots_verify() -> None:
    """Replay the life of every place: none was sold twice, none leaked."""
    _verify(_program(), "slots", verify_slots)


@main.command()
@click.option(
    "--day",
    type=click.DateTime(["%Y-%m-%d"]),
    default=None,
    help="A business date; default: all due.",
)
@click.option("--channel", type=click.Choice(list(BillChannel)), default=None, help="Default: all.")
@click.option(
    "--sandbox-next-day",
    is_flag=True,
    help="Let the sandbox believe, while it is asked, that the morning after has come.",
)
def reconcile(day: dt.datetime | None, channel: str | None, sandbox_next_day: bool) -> None:
    """Hold the channels' daily bills against our books; name every difference that waits for somebody.

    Ends 0 when all is explained, 1 when a difference is open, 2 when a bill could not be had.
    """
    wanted = day.date() if day is not None else None
    if sandbox_next_day and wanted is None:
        raise click.UsageError("--sandbox-next-day needs --day")
    sys.exit(
        reconciling.run(console, _program(), wanted, channel, is_next_morning=sandbox_next_day)
    )


@main.group("cards")
def cards_group() -> None:
    """The bank's card terminals."""


@cards_group.command("settle")
def cards_settle() -> None:
    """Close the batch of every card terminal and compare its totals with the bank's.

    Ends 0 when all agree, 1 when one differs, 2 when one could not be settled now: run it again.
    """
    program = _program()
    if program.bank is None:
        raise click.UsageError("no bank is configured: XINGLIN_BANK_FILE")
    words = {True: "agrees", False: "differs", None: "not now: run it again"}
    try:
        cashier = CardCashier(program.bank, record_trade_status)
        outcomes = cashier.settle_all(program.database)
    except GatewayError as error:
        console.print(f"wrong: {error}", style="red", markup=False)
        sys.exit(2)
    for terminal_id, outcome in outcomes.items():
        console.print(f"{terminal_id}: {words[outcome]}")
    sys.exit(1 if False in outcomes.values() else 2 if None in outcomes.values() else 0)


@main.group("keys")
def keys_group() -> None:
    """The encryption keys of the ring."""


@keys_group.command("status")
def keys_status() -> None:
    """Count the sealed values by the key that sealed them, and name keys that nothing uses any more."""
    if not _show_keys(_program()):
        sys.exit(1)


@keys_group.command("rotate")
@click.option(
    "--batch", type=click.IntRange(1, 10_000), default=key_rotation.BATCH, show_default=True
)
def keys_rotate(batch: int) -> None:
    """Re-encrypt every sealed value with the newest key of the ring, while the system runs.

    Safe to kill and to run again. The blind index has a key of its own and is not touched. Ends with 1 when there are
    values that nobody can open: of no key of the ring, or broken.
    """
    program = _program()
    with program.database.read(CLI_ACTOR) as session:
        counts = key_rotation.count_by_key(session)
    newest = program.database.keys.sealing_id
    with Progress(console=console, disable=not console.is_terminal) as bar:
        total = sum(count.total - count.by_key[newest] for count in counts)
        task = bar.add_task(f"re-encrypting with {newest}", total=total)
        done = key_rotation.rotate(
            program.database,
            CLI_ACTOR,
            batch=batch,
            progress=lambda _name, rows: bar.advance(task, rows),
        )
    console.print(f"{sum(done.moved.values()):,} values re-encrypted with {newest}")
    if done.overtaken:
        console.print(f"{done.overtaken:,} were changed by somebody else meanwhile and left so")
    for words in done.broken:
        console.print(f"wrong: {words}", style="red", markup=False, soft_wrap=True)
    if done.broken_count > len(done.broken):
        console.print(f"and {done.broken_count - len(done.broken):,} more", style="red")
    if not _show_keys(program) or done.broken_count:
        sys.exit(1)


def _show_keys(program: Program) -> bool:
    """Print the sealed columns by key; False when some values are opened by no key of the ring."""
    ring = program.database.keys
    with program.database.read(CLI_ACTOR) as session:
        counts = key_rotation.count_by_key(session)
    table = Table(title="sealed values by key", title_justify="left")
    table.add_column("column")
    for key_id in ring.key_ids:
        table.add_column(
            f"{key_id} (seals)" if key_id == ring.sealing_id else key_id, justify="right"
        )
    table.add_column("no key", justify="right")
    for count in counts:
        cells = [f"{count.by_key[key_id]:,}" for key_id in ring.key_ids]
        table.add_row(count.name, *cells, f"{count.unknown:,}")
    console.print(table)
    unused = set(key_rotation.unused_keys(counts, ring))
    for key_id in ring.key_ids[:-1]:
        if key_id in unused:
            words = "it can be removed from the ring; keep it with the backups it sealed"
            console.print(f"no value uses {key_id}: {words}", soft_wrap=True)
        else:
            console.print(f"{key_id} is still used: run `xinglin keys rotate`", soft_wrap=True)
    unknown = sum(count.unknown for count in counts)
    if unknown:
        words = f"{unknown:,} values that no key of the ring opens: is a key missing?"
        console.print(words, style="red", soft_wrap=True)
    return not unknown


@main.command("demo")
def demo_command() -> None:
    """Load the demo hospital into an empty database; does nothing when it is there."""
    settings = Settings()
    if settings.is_production:
        raise click.UsageError("the demo hospital is refused in production settings")
    running.prepare(_program(), console)


@main.command()
@click.option("--patients", type=click.IntRange(1, 5000), default=1, show_default=True)
@click.option("--parallel", type=click.IntRange(1, 64), default=1, show_default=True)
@click.option(
    "--salt",
    type=click.IntRange(1),
    default=None,
    help="Who walks in; default: new people each time.",
)
@click.option(
    "--chaos",
    is_flag=True,
    help="The platform drops, repeats, delays and forges; programs are killed.",
)
def journey(patients: int, parallel: int, salt: int | None, *, chaos: bool) -> None:
    """Take patients through a whole visit against the running demo (see `xinglin run`).

    Ends non-zero at the first step that is wrong. With --chaos patients whose step fails come back and go on, and
    what counts is that every visit comes to its end.
    """
    settings = Settings()
    ports = serving.PortPlan(settings.port_base)
    weather = Weather(f"http://127.0.0.1:{ports.sandbox}", settings.data_dir / "run.json")
    sys.exit(
        crowd.run(
            console,
            port_base=settings.port_base,
            patients=patients,
            parallel=parallel,
            salt=salt or int(time.time()),
            weather=weather if chaos else None,
        )
    )


if __name__ == "__main__":
    main()
