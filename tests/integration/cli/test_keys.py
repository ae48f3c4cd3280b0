"""`xinglin keys status` and `xinglin keys rotate` as commands, killed in the middle by SIGKILL and gone on."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import select

from backend import migrations
from backend.bootstrap import import_models
from backend.kernel import key_rotation
from backend.kernel.clock import FixedClock
from backend.kernel.crypto import KeyRing
from backend.kernel.outbox import Subscriptions
from backend.kernel.uow import Database, make_engine
from backend.patients.models import Patient
from tests.factories.databases import MONDAY_MORNING, SYSTEM
from tests.factories.people import make_hospital, make_patient

DEADLINE = 120.0
OLD, NEW, INDEX = bytes(range(32)), bytes(range(1, 33)), bytes(range(2, 34))
PEOPLE = 120


def text(key: bytes) -> str:
    return base64.b64encode(key).decode()


def environment(folder: Path, ring: dict[str, bytes]) -> dict[str, str]:
    return {
        **os.environ,
        "XINGLIN_ENV": "test",
        "XINGLIN_DATA_DIR": str(folder),
        "XINGLIN_DATABASE_URL": f"sqlite:///{folder / 'x.db'}",
        "XINGLIN_KEY_RING": json.dumps({name: text(key) for name, key in ring.items()}),
        "XINGLIN_BLIND_INDEX_KEY": text(INDEX),
        "COLUMNS": "120",
    }


def xinglin(folder: Path, ring: dict[str, bytes], *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "backend.cli", "keys", *words],
        env=environment(folder, ring),
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )


def open_database(folder: Path, ring: dict[str, bytes]) -> Database:
    return Database(
        f"sqlite:///{folder / 'x.db'}",
        keys=KeyRing(ring, INDEX),
        subscriptions=Subscriptions(),
        clock=FixedClock(MONDAY_MORNING),
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A migrated database with patients sealed by the old key."""
    import_models()
    engine = make_engine(f"sqlite:///{tmp_path / 'x.db'}")
    migrations.upgrade(engine)
    engine.dispose()
    database = open_database(tmp_path, {"k1": OLD})
    with database.write(SYSTEM) as session:
        hospital_id = make_hospital(session)
        for number in range(1, PEOPLE + 1):
            make_patient(session, hospital_id, sequence=number, phone=f"13812{number:06d}")
    database.engine.dispose()
    return tmp_path


def test_status_rotate_status(folder: Path) -> None:
    both = {"k1": OLD, "k2": NEW}
    before = xinglin(folder, both, "status")
    assert before.returncode == 0
    assert "k1 is still used" in before.stdout
    done = xinglin(folder, both, "rotate")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{2 * PEOPLE} values re-encrypted" in done.stdout
    assert "no value uses k1" in done.stdout
    again = xinglin(folder, both, "rotate")
    assert "0 values re-encrypted" in again.stdout
    after = xinglin(folder, {"k2": NEW}, "status")
    assert after.returncode == 0


def test_a_key_that_is_missing_from_the_ring_is_told(folder: Path) -> None:
    answer = xinglin(folder, {"k2": NEW}, "status")
    assert answer.returncode == 1
    assert "no key of the ring opens" in answer.stdout
    rotated = xinglin(folder, {"k2": NEW}, "rotate")
    assert rotated.returncode == 1
    assert "no key 'k1' in the ring" in rotated.stdout


def test_a_broken_value_of_a_known_key_is_told(folder: Path) -> None:
    database = open_database(folder, {"k1": OLD})
    with database.write(SYSTEM, housekeeping=True) as session:
        broken = session.scalars(select(Patient)).first()
        assert broken is not None
        broken.phone_sealed = KeyRing.prefix("k1") + bytes(40)
    database.engine.dispose()
    rotated = xinglin(folder, {"k1": OLD, "k2": NEW}, "rotate")
    assert f"{2 * PEOPLE - 1} values re-encrypted" in rotated.stdout
    assert "wrong: patients_patient.phone_sealed" in rotated.stdout
    assert rotated.returncode == 1


def test_killed_in_the_middle_it_goes_on(folder: Path) -> None:
    both = {"k1": OLD, "k2": NEW}
    program = (
        "import os, signal\n"
        "from backend.kernel import key_rotation\n"
        "real, done = key_rotation.audit.record, []\n"
        "def die(*args, **kwargs):\n"
        "    real(*args, **kwargs)\n"
        "    done.append(1)\n"
        "    if len(done) == 3: os.kill(os.getpid(), signal.SIGKILL)\n"
        "key_rotation.audit.record = die\n"
        "from backend.cli import main\n"
        "main(['keys', 'rotate', '--batch', '10'])\n"
    )
    killed = subprocess.run(
        [sys.executable, "-c", program],
        env=environment(folder, both),
        capture_output=True,
        timeout=DEADLINE,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    database = open_database(folder, both)
    with database.read() as session:
        moved = sum(count.by_key["k2"] for count in key_rotation.count_by_key(session))
    database.engine.dispose()
    assert moved == 20  # two batches were committed, the third died inside its transaction
    rest = xinglin(folder, both, "rotate", "--batch", "10")
    assert f"{2 * PEOPLE - 20} values re-encrypted" in rest.stdout
