"""The hospital's account at the bill platform: `einvoice.json`, kept with mode 0600."""

from __future__ import annotations

import fcntl
import json
import secrets
from pathlib import Path
from typing import Any

from backend.sandbox.keys import digits, write_whole

FILE = "einvoice.json"
PATH = "/einvoice"


def ensure_keys(directory: Path, *, base_url: str) -> dict[str, Any]:
    """Make the file when it is missing, else only bring the platform's address up to date."""
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    path, url = directory / FILE, base_url + PATH
    with (directory / "einvoice-keys.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            known: dict[str, Any] = {
                "base_url": url,
                "app_id": "XL" + digits(8),
                "key": secrets.token_hex(16),
                "place_code": "001",
                "agency_name": "杏林肿瘤医院",
            }
            write_whole(path, known)
        else:
            known = json.loads(path.read_text("utf-8"))
            if known["base_url"] != url:
                known["base_url"] = url
                write_whole(path, known)
    return known
