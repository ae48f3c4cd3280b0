"""`xinglin run`: the whole demo on one machine: schema, data, enrolment codes, all programs, and what to open."""

from __future__ import annotations

import os
import subprocess
import sys

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

from backend import migrations, serving
from backend.bootstrap import Program, build_program
from backend.demo import dataset, loader, merchant_past
from backend.devices import queries as devices
from backend.devices import service as device_service
from backend.identity.rules import ROLE_WORDS, Role
from backend.kernel import links, logging
from backend.kernel.clock import business_date
from backend.kernel.permissions import system_actor
from backend.organization import queries as organization
from backend.queueing import queries as queues
from backend.settings import Settings
from backend.supervisor import PortBusyError, Supervisor

ACTOR = system_actor("xinglin-run")
SCREENS_SHOWN = 3


def run(settings: Settings, console: Console) -> int:
    """Prepare, start everything, print what to open, and stay until told to end; the exit status."""
    if settings.is_production:
        console.print(
            "XINGLIN_ENV=production 时不启动演示 the demo is refused in production settings"
        )
        return 2
    logging.configure("WARNING")
    ports = serving.PortPlan(settings.port_base)
    data = settings.data_dir.resolve()
    try:
        serving.check_ports(settings)
    except PortBusyError as busy:
        console.print(str(busy))
        return 1
    # The merchant account is the sandbox's to hand out; it is another program, so it is asked as one.
    keys = ["-m", "backend.sandbox", "keys", str(data / "sandbox"), "--port", str(ports.sandbox)]
    subprocess.run([sys.executable, *keys], check=True)
    program = build_program(settings)
    prepare(program, console)
    screens = _screens(program)
    supervisor = Supervisor(
        serving.demo_processes(settings, _enrolment_codes(program)),
        log_dir=data / "log",
        state_file=data / "run.json",
    )
    program.database.engine.dispose()
    try:
        return supervisor.run(on_ready=lambda: _tell(settings, console, screens))
    except PortBusyError as busy:
        console.print(str(busy))
        return 1


def prepare(program: Program, console: Console) -> None:
    """Bring the schema up to date and load the demo hospital when it is not there."""
    if not migrations.is_current(program.database.engine):
        migrations.upgrade(program.database.engine)
    if not loader.is_loaded(program.database):
        with Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
        ) as bars:
            tasks: dict[str, TaskID] = {}

            def show(what: str, done: int, total: int) -> None:
                if what not in tasks:
                    tasks[what] = bars.add_task(what, total=total)
                bars.update(tasks[what], completed=done)

            loader.load(program.database, business_date(program.database.clock.now()), show)
        merchant_past.write_past(program.database, program.settings.data_dir / "sandbox")


def _enrolment_codes(program: Program) -> dict[int, str]:
    """One-time codes for the kiosks whose program has no credential yet, by index."""
    with program.database.read(ACTOR) as session:
        hospital_id = loader.find_hospital_id(session)
        if hospital_id is None:
            return {}
        kiosks = devices.list_kiosks(session, hospital_id)
    folder = program.settings.data_dir
    needing = {
        index: kiosk.id
        for index, kiosk in enumerate(kiosks[: serving.KIOSKS])
        if not (folder / f"kiosk{index}" / "credential.json").exists()
    }
    if not needing:
        return {}
    with program.database.write(ACTOR) as session:
        return {index: device_service.issue_code(session, key) for index, key in needing.items()}


def _screens(program: Program) -> list[tuple[str, str]]:
    """Name and address of the first halls' screens; the triage page leads to all of them."""
    base = f"http://127.0.0.1:{program.settings.port_base}"
    with program.database.read(ACTOR) as session:
        hospital_id = loader.find_hospital_id(session)
        if hospital_id is None:
            return []
        halls = {
            queue.hall_location_id: None
            for queue in queues.list_queues(session, hospital_id=hospital_id)
        }
        names = organization.locations_by_id(session, list(halls)[:SCREENS_SHOWN])
    secret = program.secrets.secret_key
    return [(hall.name, links.screen_url(base, secret, key)) for key, hall in names.items()]


def _tell(settings: Settings, console: Console, screens: list[tuple[str, str]]) -> None:
    """Print the addresses and the demo accounts."""
    ports = serving.PortPlan(settings.port_base)
    base = f"http://127.0.0.1:{ports.backend}"
    table = Table(title="杏林肿瘤医院 演示 demo", title_justify="left", show_header=False)
    table.add_row("后台 back office", f"{base}/backoffice/")
    for index, port in enumerate(ports.kiosks, start=1):
        table.add_row(f"自助机 kiosk {index}", f"http://127.0.0.1:{port}/")
    table.add_row("设备台 device bench", f"http://127.0.0.1:{ports.bench}/")
    table.add_row("手机 phone (WeChat sandbox)", f"http://127.0.0.1:{ports.sandbox}/phone")
    console.print(table)
    for name, url in screens:
        # Signed addresses are long, and a table would cut them in a narrow terminal.
        console.print(f"候诊大屏 hall screen {name}: {url}", soft_wrap=True)
    console.print(f"演示账号 demo accounts, 密码 password: {dataset.DEMO_PASSWORD}", soft_wrap=True)
    accounts = Table()
    accounts.add_column("用户名 user")
    accounts.add_column("角色 role")
    for account in dataset.load().accounts:
        if account.is_listed:
            accounts.add_row(account.username, str(ROLE_WORDS[Role(account.role)]))
    console.print(accounts)
    console.print(
        f"日志 logs: {os.path.relpath(settings.data_dir / 'log')}    Ctrl-C 结束 ends"
        "    试走一遍 try: .venv/bin/xinglin journey",
        soft_wrap=True,
    )
