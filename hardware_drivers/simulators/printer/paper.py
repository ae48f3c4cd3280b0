"""80 mm paper (576 dots at 203 dpi) as a picture a person can read and zbar can decode."""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path

import segno
from PIL import Image, ImageDraw, ImageFont

DOTS = 576
MARGIN = 24
CELL = 12  # a half-width character is 12 x 24 dots, a Chinese one 24 x 24
LINE = 24
SPACING = 6
_FONTS = Path("/usr/share/fonts/opentype/noto")
_MONO_SC = "Noto Sans Mono CJK SC"


class MissingFontError(Exception):
    """The font package is not installed; the message names it."""


@cache
def font(size: int, *, is_bold: bool) -> ImageFont.FreeTypeFont:
    """The monospaced Chinese font at a size in dots. Raises MissingFontError."""
    path = _FONTS / f"NotoSansCJK-{'Bold' if is_bold else 'Regular'}.ttc"
    try:
        for index in range(16):
            candidate = ImageFont.truetype(path, size, index=index)
            if candidate.getname()[0] == _MONO_SC:
                return candidate
    except OSError as error:
        raise MissingFontError(f"{path}: apt-get install fonts-noto-cjk") from error
    raise MissingFontError(f"{_MONO_SC}: apt-get install fonts-noto-cjk")


class Paper:
    """What comes out of the printer: strips one below the other."""

    def __init__(self) -> None:
        self._strips: list[Image.Image] = []
        self.lines: list[str] = []

    @property
    def is_blank(self) -> bool:
        """Whether nothing was printed since the last cut."""
        return not self.lines

    def text_line(self, text: str, *, align: int, width: int, height: int, is_bold: bool) -> None:
        """One line, broken at the paper's edge; `width` and `height` are the enlargement (1..8)."""
        columns = DOTS // (CELL * width)
        line, used = "", 0
        for char in text:
            cells = 1 if char.isascii() else 2
            if used + cells > columns:
                self._draw_line(line, align, width, height, is_bold=is_bold)
                line, used = "", 0
            line += char
            used += cells
        self._draw_line(line, align, width, height, is_bold=is_bold)

    def qr(self, payload: bytes, *, module: int, level: str, align: int) -> None:
        """A QR code of square modules of `module` dots."""
        code = segno.make_qr(payload.decode("utf-8", "replace"), error=level, boost_error=False)
        picture = io.BytesIO()
        code.save(picture, kind="png", scale=module, border=4)
        picture.seek(0)
        self._picture(Image.open(picture).convert("L"), align)
        self.lines.append("[QR]")

    def raster(self, data: bytes, bytes_wide: int, align: int) -> None:
        """A picture of 8 dots a byte, black where the bit is set."""
        if not bytes_wide or not data:
            return
        size = (bytes_wide * 8, len(data) // bytes_wide)
        dots = Image.frombytes("1", size, bytes(byte ^ 0xFF for byte in data)).convert("L")
        self._picture(dots, align)
        self.lines.append("[picture]")

    def feed(self, lines: int) -> None:
        """Empty lines."""
        self._strips.append(Image.new("L", (DOTS, max(1, lines) * (LINE + SPACING)), 255))

    def to_png(self) -> bytes:
        """Everything so far as one picture, with the paper's margins."""
        height = sum(strip.height for strip in self._strips)
        page = Image.new("L", (DOTS + 2 * MARGIN, height + 2 * MARGIN), 255)
        top = MARGIN
        for strip in self._strips:
            page.paste(strip, (MARGIN, top))
            top += strip.height
        data = io.BytesIO()
        page.save(data, "PNG", optimize=True)
        return data.getvalue()

    def _draw_line(self, line: str, align: int, width: int, height: int, *, is_bold: bool) -> None:
        cells = [1 if char.isascii() else 2 for char in line]
        tall = LINE * height + SPACING  # descenders reach into the space between lines
        natural = Image.new("L", (max(1, sum(cells)) * CELL * height, tall), 255)
        draw = ImageDraw.Draw(natural)
        glyphs = font(LINE * height - 2 * height, is_bold=is_bold)
        left = 0
        for char, wide in zip(line, cells, strict=True):
            box = wide * CELL * height
            draw.text(
                (left + box / 2, LINE * height / 2),
                char,
                fill=0,
                font=glyphs,
                anchor="mm",
            )
            left += box
        if width != height:
            natural = natural.resize((max(1, sum(cells)) * CELL * width, tall))
        strip = Image.new("L", (DOTS, tall), 255)
        strip.paste(natural, (_left_edge(sum(cells) * CELL * width, align), 0))
        self._strips.append(strip)
        self.lines.append(line.strip())

    def _picture(self, picture: Image.Image, align: int) -> None:
        strip = Image.new("L", (DOTS, picture.height + SPACING), 255)
        strip.paste(picture, (_left_edge(picture.width, align), 0))
        self._strips.append(strip)


def _left_edge(width: int, align: int) -> int:
    free = max(0, DOTS - width)
    return {1: free // 2, 2: free}.get(align, 0)
