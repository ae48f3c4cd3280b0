"""Key files: made once, private, complete, and apart."""

from __future__ import annotations

import json
import re
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from backend.sandbox.__main__ import main
from backend.sandbox.keys import ensure_keys


def test_both_files_are_made_and_only_the_owner_reads_them(tmp_path: Path) -> None:
    directory = tmp_path / "new"
    keys = ensure_keys(directory, base_url="http://127.0.0.1:8020")
    merchant = json.loads((directory / "merchant.json").read_text("utf-8"))
    platform = json.loads((directory / "platform.json").read_text("utf-8"))
    assert directory.stat().st_mode & 0o777 == 0o700
    for name in ("merchant.json", "platform.json"):
        assert (directory / name).stat().st_mode & 0o777 == 0o600
    assert re.fullmatch(r"\d{10}", merchant["mchid"])
    assert re.fullmatch(r"wx[0-9a-f]{16}", merchant["appid"])
    assert re.fullmatch(r"[0-9A-F]{40}", merchant["serial_no"])
    assert merchant["public_key_id"].startswith("PUB_KEY_ID_")
    assert len(merchant["apiv3_key"]) == 32
    assert merchant["base_url"] == "http://127.0.0.1:8020"
    assert merchant["private_key"] not in platform.values()
    assert platform["private_key"] not in merchant.values()
    pem = keys.private_key.public_key().public_bytes(
        Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
    )
    assert merchant["public_key"] == pem.decode()


def test_a_second_start_keeps_the_keys_and_only_moves_the_address(tmp_path: Path) -> None:
    first = ensure_keys(tmp_path, base_url="http://127.0.0.1:8020")
    again = ensure_keys(tmp_path, base_url="http://127.0.0.1:9020")
    merchant = json.loads((tmp_path / "merchant.json").read_text("utf-8"))
    assert (first.mchid, first.apiv3_key) == (again.mchid, again.apiv3_key)
    assert merchant["base_url"] == "http://127.0.0.1:9020"
    assert (tmp_path / "merchant.json").stat().st_mode & 0o777 == 0o600


def test_a_missing_half_makes_both_anew(tmp_path: Path) -> None:
    first = ensure_keys(tmp_path, base_url="http://127.0.0.1:8020")
    (tmp_path / "merchant.json").unlink()
    again = ensure_keys(tmp_path, base_url="http://127.0.0.1:8020")
    merchant = json.loads((tmp_path / "merchant.json").read_text("utf-8"))
    assert again.apiv3_key != first.apiv3_key
    assert merchant["apiv3_key"] == again.apiv3_key


def test_the_command_makes_keys(tmp_path: Path) -> None:
    assert main(["keys", str(tmp_path), "--port", "8120"]) == 0
    merchant = json.loads((tmp_path / "merchant.json").read_text("utf-8"))
    assert merchant["base_url"] == "http://127.0.0.1:8120"
