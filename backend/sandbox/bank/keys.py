"""The terminals' keys: `bank.json` is what the hospital receives, `bank-host.json` stays with the bank."""

from __future__ import annotations

import fcntl
import json
import secrets
from dataclasses import dataclass
from pathlib import Path

from backend.sandbox.keys import digits, write_whole

MERCHANT_FILE = "bank.json"
HOST_FILE = "bank-host.json"
TERMINALS = 2


@dataclass(frozen=True)
class BankKeys:
    """The merchant's number and the master key of each of its terminals."""

    merchant_id: str
    terminals: dict[str, bytes]


def ensure_keys(directory: Path, *, host: str, port: int) -> BankKeys:
    """Make both files when one is missing, else only bring the bank's address up to date."""
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    merchant, bank = directory / MERCHANT_FILE, directory / HOST_FILE
    with (directory / "bank-keys.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (merchant.exists() and bank.exists()):
            shared = {
                "merchant_id": "898" + digits(12),
                "terminals": [
                    {
                        "terminal_id": f"XL{number:06d}",
                        "master_key": secrets.token_hex(16).upper(),
                    }
                    for number in range(1, TERMINALS + 1)
                ],
            }
            write_whole(bank, shared)
            write_whole(merchant, {**shared, "host": host, "port": port})
        else:
            known = json.loads(merchant.read_text("utf-8"))
            if (known["host"], known["port"]) != (host, port):
                write_whole(merchant, {**known, "host": host, "port": port})
        data = json.loads(bank.read_text("utf-8"))
    terminals = {t["terminal_id"]: bytes.fromhex(t["master_key"]) for t in data["terminals"]}
    return BankKeys(data["merchant_id"], terminals)
