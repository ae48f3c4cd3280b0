"""The hospital's contract with the insurance: `insurance.json` for both sides, kept with mode 0600."""

from __future__ import annotations

import fcntl
import json
import secrets
from pathlib import Path
from typing import Any

from backend.sandbox.keys import digits, write_whole

FILE = "insurance.json"
PATH = "/insurance/fsi"


def ensure_keys(directory: Path, *, base_url: str) -> dict[str, Any]:
    """Make the file when it is missing, else only bring the centre's address up to date."""
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    path, url = directory / FILE, base_url + PATH
    with (directory / "insurance-keys.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            known: dict[str, Any] = {
                "base_url": url,
                "fixmedins_code": "H110101" + digits(5),
                "fixmedins_name": "杏林肿瘤医院",
                "mdtrtarea_admvs": "110101",
                "paas_id": "xl" + digits(6),
                "secret_key": secrets.token_hex(16),
                "item_codes": {},
            }
            write_whole(path, known)
        else:
            known = json.loads(path.read_text("utf-8"))
            if known["base_url"] != url:
                known["base_url"] = url
                write_whole(path, known)
    return known
