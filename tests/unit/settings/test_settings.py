"""Settings refuse what is unsafe or cannot work, and secrets are made once and kept to their owner."""

from __future__ import annotations

import base64
import json
import os
import stat
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from backend.serving import gunicorn_command
from backend.settings import Environment, Secrets, Settings, load_secrets

POSTGRES = "postgresql+psycopg://u@127.0.0.1/x"
REDIS = "redis://127.0.0.1:6379/0"
KEY = base64.b64encode(bytes(range(32))).decode()
RING = json.dumps({"k1": KEY})
SAFE: dict[str, Any] = {
    "env": Environment.PRODUCTION,
    "secret_key": SecretStr("s" * 40),
    "key_ring": SecretStr(RING),
    "blind_index_key": SecretStr(KEY),
    "wechatpay_file": Path("merchant.json"),
    "public_url": "https://hospital.example",
}


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("XINGLIN_")]:
        monkeypatch.delenv(name)


def test_sound_production_values_are_taken() -> None:
    settings = Settings(**SAFE)
    assert settings.is_production
    assert load_secrets(settings).keys == {"k1": bytes(range(32))}


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"secret_key": SecretStr("")}, "XINGLIN_SECRET_KEY"),
        ({"key_ring": SecretStr("")}, "XINGLIN_KEY_RING"),
        ({"blind_index_key": SecretStr("")}, "XINGLIN_BLIND_INDEX_KEY"),
        ({"wechatpay_file": None}, "XINGLIN_WECHATPAY_FILE"),
        ({"public_url": ""}, "XINGLIN_PUBLIC_URL"),
        ({"public_url": "http://hospital.example"}, "XINGLIN_PUBLIC_URL"),
    ],
)
def test_unsafe_production_values_are_refused(change: dict[str, Any], named: str) -> None:
    with pytest.raises(ValidationError, match=named):
        Settings(**{**SAFE, **change})


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"secret_key": SecretStr("short")}, "XINGLIN_SECRET_KEY"),
        ({"key_ring": SecretStr("{}")}, "XINGLIN_KEY_RING"),
        ({"key_ring": SecretStr("not json")}, "XINGLIN_KEY_RING"),
        ({"key_ring": SecretStr('["k1"]')}, "XINGLIN_KEY_RING"),
        ({"key_ring": SecretStr('{"k1": "c2hvcnQ="}')}, "XINGLIN_KEY_RING"),
        ({"key_ring": SecretStr(json.dumps({"": KEY}))}, "an id is 1 to 32 ASCII"),
        ({"key_ring": SecretStr(json.dumps({"k" * 33: KEY}))}, "an id is 1 to 32 ASCII"),
        ({"key_ring": SecretStr(json.dumps({"密钥": KEY}))}, "an id is 1 to 32 ASCII"),
        ({"blind_index_key": SecretStr("c2hvcnQ=")}, "XINGLIN_BLIND_INDEX_KEY"),
        ({"blind_index_key": SecretStr("!")}, "XINGLIN_BLIND_INDEX_KEY"),
    ],
)
def test_weak_secrets_are_refused_without_showing_them(change: dict[str, Any], named: str) -> None:
    settings = Settings(**{**SAFE, **change})
    with pytest.raises(ValueError, match=named) as refused:
        load_secrets(settings)
    (value,) = (secret.get_secret_value() for secret in change.values())
    assert len(value) < 3 or value not in str(refused.value)


def test_secrets_do_not_show_in_the_settings_text() -> None:
    assert "s" * 40 not in repr(Settings(**SAFE))
    assert KEY not in repr(Settings(**SAFE))


def test_several_processes_need_postgresql_and_redis() -> None:
    for values in (
        {"database_url": POSTGRES},
        {"redis_url": REDIS},
        {},
    ):
        with pytest.raises(ValidationError, match="XINGLIN_REDIS_URL"):
            Settings(web_processes=2, **values)  # type: ignore[arg-type]
    assert Settings(web_processes=2, database_url=POSTGRES, redis_url=REDIS).is_distributed


def test_redis_beside_the_embedded_database_is_refused() -> None:
    """The embedded database is one process's; a worker beside it would write to it too."""
    with pytest.raises(ValidationError, match="XINGLIN_DATABASE_URL"):
        Settings(redis_url=REDIS)


def test_the_embedded_database_is_served_by_one_process_with_threads(tmp_path: Path) -> None:
    command = gunicorn_command(Settings(data_dir=tmp_path, web_threads=8), 8000)
    assert {"--worker-class=gthread", "--workers=1", "--threads=8"} <= set(command)
    assert not [word for word in command if "gevent" in word]


def test_postgresql_is_served_by_gevent_in_as_many_processes_as_asked(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, database_url=POSTGRES, redis_url=REDIS, web_processes=3)
    command = gunicorn_command(settings, 8000)
    assert {"--worker-class=gevent", "--workers=3"} <= set(command)


def test_gevent_over_sqlite_is_refused_however_it_was_started(tmp_path: Path) -> None:
    """Somebody's own gunicorn command: the application itself refuses to load."""
    program = "from gevent import monkey; monkey.patch_all(); import backend.wsgi"
    environment = {**os.environ, "XINGLIN_DATA_DIR": str(tmp_path), "XINGLIN_ENV": "test"}
    ended = subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 1
    assert "SQLite is served by threads, never by gevent" in ended.stderr
    assert list(tmp_path.iterdir()) == []


def test_two_servers_of_one_folder_do_not_share_a_control_socket(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, database_url=POSTGRES, redis_url=REDIS)
    sockets = {
        word
        for port in (8000, 8001)
        for word in gunicorn_command(settings, port)
        if word.startswith("--control-socket=")
    }
    assert len(sockets) == 2


def test_values_come_from_variables_and_cannot_be_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XINGLIN_PORT_BASE", "9000")
    monkeypatch.setenv("XINGLIN_PUBLIC_URL", "https://hospital.example/")
    settings = Settings()
    assert settings.port_base == 9000
    assert settings.external_url == "https://hospital.example"
    with pytest.raises(ValidationError, match="frozen"):
        settings.port_base = 1  # type: ignore[misc]


@pytest.mark.parametrize("value", ["80", "70000", "x", ""])
def test_a_port_that_cannot_be_is_refused(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XINGLIN_PORT_BASE", value)
    with pytest.raises(ValidationError):
        Settings()


def test_made_secrets_are_kept_and_only_their_owner_reads_them(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "var"
    first, again = (load_secrets(Settings(data_dir=folder)) for _ in range(2))
    assert plain(first) == plain(again)
    assert len(first.secret_key) >= 32
    assert len(first.blind_index_key) == 32
    assert stat.S_IMODE((folder / "secrets.json").stat().st_mode) == 0o600
    assert [path.name for path in folder.iterdir()] == ["secrets.json"]


def test_other_folders_get_other_secrets(tmp_path: Path) -> None:
    one, two = (load_secrets(Settings(data_dir=tmp_path / name)) for name in "ab")
    assert plain(one) != plain(two)


def test_processes_that_start_together_get_the_same_secrets(tmp_path: Path) -> None:
    with ProcessPoolExecutor(4, mp_context=get_context("spawn")) as pool:
        found = list(pool.map(load_plain, [tmp_path / "var"] * 12))
    assert all(one == found[0] for one in found)
    assert [path.name for path in (tmp_path / "var").iterdir()] == ["secrets.json"]


def plain(secrets: Secrets) -> tuple[str, dict[str, bytes], bytes]:
    return secrets.secret_key, secrets.keys, secrets.blind_index_key


def load_plain(folder: Path) -> tuple[str, dict[str, bytes], bytes]:
    return plain(load_secrets(Settings(data_dir=folder)))
