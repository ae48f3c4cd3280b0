"""Codes in still pictures (an uploaded photo, a screenshot), through zbar."""

from __future__ import annotations

from pathlib import Path
from typing import IO

from hardware_drivers.errors import PermanentError


def decode_picture(picture: Path | IO[bytes]) -> list[str]:
    """Texts of all QR and bar codes in a picture, top to bottom; an empty list when there is none.

    Raises PermanentError `no_zbar` (libzbar0 missing) or `unreadable_picture`.
    """
    try:
        from PIL import Image
        from pyzbar import pyzbar
    except (ImportError, OSError) as error:
        raise PermanentError("no_zbar", "install libzbar0") from error
    try:
        with Image.open(picture) as image:
            found = pyzbar.decode(image.convert("L"))
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise PermanentError("unreadable_picture", type(error).__name__) from error
    return [
        code.data.decode("utf-8", "replace")
        for code in sorted(found, key=lambda code: code.rect.top)
    ]
