"""`xinglin hospital`: what it makes, what it refuses with nothing half-written, and that a password is kept nowhere."""

from __future__ import annotations

import base64
import datetime as dt
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import func, select

from backend.cli import main
from backend.demo import dataset
from backend.identity import passwords
from backend.identity.models import StaffAccount, StaffRole
from backend.identity.rules import Role
from backend.journeys.department_list import queue_code
from backend.kernel.audit import AuditEvent
from backend.kernel.ids import Id
from backend.kernel.uow import Database
from backend.organization import service as organization
from backend.organization.models import Department, Hospital, Location
from backend.organization.queries import LocationKind
from backend.queueing import queries as queues
from backend.queueing.models import Queue
from tests.factories.databases import SYSTEM
from tests.factories.founding import HEADINGS, Terminal
from tests.factories.webapp import make_program

BREAST = "BREAST,乳腺外科,clinical,,A,"


@pytest.fixture
def terminal(database: Database, tmp_path: Path) -> Terminal:
    return Terminal(make_program(database, tmp_path))


@pytest.fixture
def founded(terminal: Terminal) -> Terminal:
    terminal.create()
    return terminal


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "departments.csv"


def actions(database: Database) -> list[str]:
    with database.read(SYSTEM) as session:
        return list(session.scalars(select(AuditEvent.action).order_by(AuditEvent.id)))


def departments_of(database: Database) -> dict[str, str]:
    with database.read(SYSTEM) as session:
        return {row.code: row.name for row in session.scalars(select(Department))}


def queues_of(database: Database) -> dict[str, tuple[str, str, list[str]]]:
    with database.read(SYSTEM) as session:
        return {
            row.code: (
                row.name,
                row.prefix,
                [room.code for room in queues.list_rooms(session, row.id)],
            )
            for row in session.scalars(select(Queue))
        }


def add_room(database: Database, code: str) -> Id:
    with database.write(SYSTEM) as session:
        hospital_id = session.scalars(select(Hospital.id)).one()
        return organization.add_location(
            session,
            hospital_id=hospital_id,
            code=code,
            name=f"诊室{code}",
            kind=LocationKind.ROOM,
            parent_id=None,
        ).id


def test_a_hospital_is_made_with_an_administrator_of_one_day(
    database: Database, terminal: Terminal, capfd: pytest.CaptureFixture[str]
) -> None:
    password = terminal.create(code="xl")
    assert terminal.status == 0
    with database.read(SYSTEM) as session:
        hospital = session.scalars(select(Hospital)).one()
        campus = session.scalars(select(Location)).one()
        account = session.scalars(select(StaffAccount)).one()
        roles = session.scalars(select(StaffRole.role)).all()
        details = [str(row.detail) for row in session.scalars(select(AuditEvent))]
    assert (hospital.code, campus.code, campus.kind) == ("XL", "XL", LocationKind.CAMPUS)
    assert (account.username, account.is_demo, roles) == ("boss", False, [Role.ADMINISTRATOR])
    assert account.must_change_password
    assert account.password_ends_at == database.clock.now() + dt.timedelta(hours=24)
    assert passwords.is_right(password, account.password_hash)
    assert actions(database) == [
        "organization.add_hospital",
        "organization.add_location",
        "organization.add_department",
        "organization.add_practitioner",
        "identity.create_account",
    ]
    assert not any(password in detail for detail in details)
    assert password not in "".join(capfd.readouterr())


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"code": "xl"}, "已经有这个编码的医院"),
        ({"code": "YX", "username": "BOSS"}, "username: 这个用户名已经有人使用"),
        ({"code": "YX", "username": "x"}, "username: "),
        ({"code": "?", "username": "other"}, "code: "),
        ({"code": "YX", "name": " ", "username": "other"}, "name: 必填"),
    ],
)
def test_a_refused_hospital_leaves_nothing(
    database: Database, founded: Terminal, asked: dict[str, str], words: str
) -> None:
    before = actions(database)
    assert founded.create(**asked) == ""
    assert founded.status == 1
    assert words in founded.said
    assert actions(database) == before
    with database.read(SYSTEM) as session:
        assert session.scalar(select(func.count()).select_from(Hospital)) == 1


def test_a_lapsed_password_is_replaced_at_the_terminal(
    database: Database, founded: Terminal
) -> None:
    password = founded.issue_password("Boss")
    assert founded.status == 0
    with database.read(SYSTEM) as session:
        account = session.scalars(select(StaffAccount)).one()
    assert account.must_change_password
    assert passwords.is_right(password, account.password_hash)
    assert actions(database)[-1] == "identity.issue_password"
    assert founded.issue_password("nobody") == ""
    assert founded.status == 1


def test_departments_are_made_with_their_queues_and_then_only_renamed(
    database: Database, founded: Terminal, file: Path
) -> None:
    rows = (BREAST, "LAB,检验科,医技,,L,", "FINANCE,财务处,行政,,,")
    founded.departments(file, *rows, is_dry_run=True)
    assert founded.status == 0
    assert "would be made: 3 departments, 2 queues" in founded.said
    assert departments_of(database) == {"INFO": "信息中心"}

    founded.departments(file, *rows)
    assert founded.status == 0
    made = queues_of(database)
    assert made == {"Q-BREAST": ("乳腺外科", "A", []), "Q-LAB": ("检验科", "L", [])}
    before = actions(database)
    founded.departments(file, *rows)
    assert "made: 0 departments, 0 queues; renamed: 0" in founded.said
    assert actions(database) == before

    add_room(database, "R1")
    add_room(database, "R2")
    founded.departments(file, "BREAST,乳腺中心,clinical,,A,R1", "FINANCE,财务处,行政,,Y,")
    founded.departments(
        file, "breast,乳腺中心,technical,R1,B,R2、r1", BREAST.replace("BREAST", "X")
    )
    assert founded.status == 1
    assert "line 3: prefix: BREAST 已经用它" in founded.said
    founded.departments(file, "breast,乳腺中心,technical,R1,B,R2、r1")
    assert founded.status == 0
    for words in ("kind stays clinical, not technical", "place stays XL, not R1", "prefix stays A"):
        assert words in founded.said
    assert departments_of(database)["BREAST"] == "乳腺中心"
    assert queues_of(database) == {
        "Q-BREAST": ("乳腺中心", "A", ["R1", "R2"]),
        "Q-LAB": ("检验科", "L", []),
        "Q-FINANCE": ("财务处", "Y", []),
    }


def test_a_queue_with_a_name_of_its_own_keeps_it(
    database: Database, founded: Terminal, file: Path
) -> None:
    founded.departments(file, "LAB,检验科,医技,,L,")
    with database.write(SYSTEM, housekeeping=True) as session:
        session.scalars(select(Queue)).one().name = "抽血"
    founded.departments(file, "LAB,检验中心,医技,,L,")
    assert departments_of(database)["LAB"] == "检验中心"
    assert queues_of(database)["Q-LAB"][0] == "抽血"


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("BREAST,再来,clinical,,C,", "line 3: 编码与第 2 行重复"),
        ("B?,胸外科,clinical,,B,", "line 3: code: "),
        ("B,,clinical,,B,", "line 3: name: 必填"),
        ("B,胸外科,surgical,,B,", "line 3: kind: "),
        ("B,胸外科,clinical,OP-9,B,", "line 3: place: 没有在用的位置 OP-9"),
        ("B,胸外科,clinical,,b1,", "line 3: prefix: "),
        ("B,胸外科,clinical,,A,", "line 3: prefix: BREAST 已经用它"),
        ("B,胸外科,clinical,,,", "line 3: prefix: 临床科室必填"),
        ("B,财务处,行政,,,R1", "line 3: rooms: 没有 prefix 就没有队列"),
        ("B,胸外科,clinical,,B,XL", "line 3: rooms: 没有在用的诊室或窗口 XL"),
    ],
)
def test_one_wrong_line_and_nothing_is_written(
    database: Database, founded: Terminal, file: Path, row: str, words: str
) -> None:
    before = actions(database)
    founded.departments(file, BREAST, row)
    assert founded.status == 1
    assert words in founded.said
    assert "nothing was written" in founded.said
    assert actions(database) == before


def test_files_and_hospitals_that_are_none_are_refused(founded: Terminal, file: Path) -> None:
    founded.departments(file, BREAST, code="YX")
    assert (founded.status, "no hospital YX" in founded.said) == (1, True)
    founded.departments(file)
    assert (founded.status, "line 2: 没有数据行" in founded.said) == (1, True)


def test_the_demos_clinics_follow_the_same_rule() -> None:
    data = dataset.load()
    departments = {row.code: row for row in data.departments}
    clinics = [row for row in data.queues if row.kind == "clinic"]
    halls = {row.code: row.location_code for row in data.halls}
    assert clinics
    for queue in clinics:
        department = departments[queue.department_code]
        assert queue.code == queue_code(department.code)
        assert (queue.name, halls[queue.hall_code]) == (department.name, department.location_code)


def test_in_production_the_commands_begin_with_nothing_but_the_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: Path
) -> None:
    key = base64.b64encode(bytes(32)).decode()
    merchant = tmp_path / "merchant.json"
    merchant.write_text("{}")  # opened when money is asked for
    settings = {
        "ENV": "production",
        "DATA_DIR": str(tmp_path / "data"),
        "SECRET_KEY": "secret-key-" * 4,
        "KEY_RING": f'{{"k1": "{key}"}}',
        "BLIND_INDEX_KEY": key,
        "PUBLIC_URL": "https://front-door.example",
        "WECHATPAY_FILE": str(merchant),
    }
    for name, value in settings.items():
        monkeypatch.setenv(f"XINGLIN_{name}", value)
    file.write_bytes(f"{HEADINGS}\n{BREAST}\n".encode("gb18030"))
    commands = [
        "db migrate",
        "hospital create --code XL --name 杏林 --admin boss",
        f"hospital departments {file} --hospital xl --dry-run",
        "hospital password boss",
    ]
    outcomes = [CliRunner().invoke(main, words.split()) for words in commands]
    assert [one.exit_code for one in outcomes] == [0, 0, 0, 0], [one.exception for one in outcomes]
    refused = CliRunner().invoke(main, commands[1].split())
    assert refused.exit_code == 1
