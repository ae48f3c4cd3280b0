"""The laser over a picture: codes in an uploaded screenshot or photo."""

from __future__ import annotations

from functools import lru_cache
from io import BytesIO
from typing import IO

from flask_babel import gettext as _

from hardware_drivers.simulators.bench.problems import Problem


def codes_in(picture: IO[bytes]) -> list[str]:
    """Texts of the codes in a picture, top to bottom. Raises Problem."""
    try:
        from PIL import Image
        from pyzbar import pyzbar
    except (ImportError, OSError) as error:
        raise Problem(503, "no_zbar", _("缺少识别程序，请安装 libzbar0。")) from error
    try:
        with Image.open(picture) as image:
            found = pyzbar.decode(image.convert("L"))
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise Problem(422, "unreadable_picture", _("这个文件不是图片。")) from error
    codes = [
        code.data.decode("utf-8", "replace")
        for code in sorted(found, key=lambda code: code.rect.top)
    ]
    if not codes:
        raise Problem(422, "no_code", _("图片里没有找到二维码或条码。"))
    return codes


@lru_cache(maxsize=256)
def links_on(paper: bytes) -> tuple[str, ...]:
    """Addresses that a phone's camera would find on a printed receipt; empty without any."""
    try:
        return tuple(text for text in codes_in(BytesIO(paper)) if text.startswith("http"))
    except Problem:
        return ()
