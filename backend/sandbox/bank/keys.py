"""The terminals' keys and the daily file's token.

`bank.json` is what the hospital receives, `bank-host.json` stays with the bank.
"""

from __future__ import annotations

import fcntl
import json
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend.sandbox.keys import digits, write_whole

MERCHANT_FILE = "bank.json"
HOST_FILE = "bank-host.json"
TERMINALS = 2
BILL_PATH = "/bank/bills"


@dataclass(frozen=True)
class BankKeys:
    """The merchant's number, the master key of each of its terminals, and who may fetch its daily file."""

    merchant_id: str
    terminals: dict[str, bytes]
    bill_token: str


def ensure_keys(directory: Path, *, host: str, port: int, base_url: str) -> BankKeys:
    """Make both files when one is missing, else only bring the bank's addresses up to date."""
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    merchant, bank = directory / MERCHANT_FILE, directory / HOST_FILE
    with (directory / "bank-keys.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (merchant.exists() and bank.exists()):
            shared: dict[str, Any] = {
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
            known = shared
        else:
            shared, known = (json.loads(path.read_text("utf-8")) for path in (bank, merchant))
        if "bill_token" not in shared:
            # A folder from before the bank had daily files.
            shared["bill_token"] = secrets.token_hex(32)
            write_whole(bank, shared)
        addresses = {"host": host, "port": port, "bill_url": base_url + BILL_PATH}
        wanted = {**known, "bill_token": shared["bill_token"], **addresses}
        if known != wanted:
            write_whole(merchant, wanted)
    terminals = {t["terminal_id"]: bytes.fromhex(t["master_key"]) for t in shared["terminals"]}
    return BankKeys(shared["merchant_id"], terminals, shared["bill_token"])
