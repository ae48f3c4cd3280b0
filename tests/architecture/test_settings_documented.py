"""The README's configuration table says every XINGLIN_* variable, its default and its meaning, and no other."""

from __future__ import annotations

import re
from pathlib import Path

from pydantic import SecretStr

from backend.settings import Settings

README = Path(__file__).parents[2] / "README.md"


def documented() -> dict[str, tuple[str, str]]:
    """Variable → (default, meaning) from the table rows that begin with a XINGLIN_ name."""
    rows = re.findall(r"^\| `(XINGLIN_[A-Z_]+)` \| (.*?) \| (.*?) \|$", README.read_text(), re.M)
    return {name: (default.strip("` "), meaning) for name, default, meaning in rows}


def shown(default: object) -> str:
    if default is None or default == "" or isinstance(default, SecretStr):
        return ""
    return str(getattr(default, "value", default))


def test_the_table_is_the_settings() -> None:
    expected = {
        f"XINGLIN_{name.upper()}": (shown(field.default), field.description)
        for name, field in Settings.model_fields.items()
    }
    found = {
        name: row for name, row in documented().items() if not name.startswith("XINGLIN_KIOSK_")
    }
    assert found == expected
