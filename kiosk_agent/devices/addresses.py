"""Where this kiosk's devices are: its entry in the devices file, read anew at each connection."""

from __future__ import annotations

import json
from pathlib import Path


class Addresses:
    """The file {"kiosks": [{"index": 0, "id_reader": url, "card_reader": url, …}]}.

    The file may appear after the kiosk has started and may change while it runs: an address is
    looked up whenever a device is (re)opened.
    """

    def __init__(self, path: Path, index: int) -> None:
        self._path = path
        self._index = index

    def get(self, device: str) -> str | None:
        """The address of `device` ("id_reader", "card_reader", "printer", "scanner"), or None
        when the file, the entry or the device is not there (yet)."""
        try:
            content = json.loads(self._path.read_text(encoding="utf-8"))
        except (FileNotFoundError, json.JSONDecodeError):
            return None
        kiosks = content.get("kiosks", []) if isinstance(content, dict) else []
        for entry in kiosks:
            if isinstance(entry, dict) and entry.get("index") == self._index:
                address = entry.get(device)
                return address if isinstance(address, str) else None
        return None
