"""ESC/POS as a printer reads it: bytes in any pieces become commands. Pure.

Unknown commands of known length are passed over as a real printer does; unknown control bytes are
ignored.
"""

from __future__ import annotations

from dataclasses import dataclass

_DLE, _ESC, _FS, _GS = 0x10, 0x1B, 0x1C, 0x1D
# Parameter bytes after the two command bytes, for commands that change nothing we draw.
_PASSED_OVER: dict[int, dict[str, int]] = {
    _ESC: dict.fromkeys("3MRt- V{GJ", 1) | dict.fromkeys("$c\\", 2) | {"2": 0, "p": 3},
    _FS: dict.fromkeys("-C!W", 1) | {"S": 2},
    _GS: dict.fromkeys("BaIrhwHf", 1) | dict.fromkeys("LWP", 2),
}


@dataclass(frozen=True)
class Command:
    """One command; `name` says which, `number` and `data` are its parameters."""

    name: str
    number: int = 0
    data: bytes = b""


class CommandStream:
    """Cuts a byte stream into commands."""

    def __init__(self) -> None:
        self._pending = b""

    def feed(self, data: bytes) -> list[Command]:
        """Take bytes; returns the commands that are complete with them."""
        self._pending += data
        found = []
        while self._pending:
            command, used = _take(self._pending)
            if used == 0:
                break
            self._pending = self._pending[used:]
            if command is not None:
                found.append(command)
        return found

    def reset(self) -> None:
        """Forget an unfinished command, as at power-on."""
        self._pending = b""


def _take(data: bytes) -> tuple[Command | None, int]:
    """The first command and the bytes it takes; 0 bytes when it is not complete yet."""
    first = data[0]
    if first == 0x0A:
        return Command("line_feed"), 1
    if first == _DLE:
        if len(data) < 3:
            return None, 0
        return (Command("status", data[2]), 3) if data[1] == 0x04 else (None, 1)
    if first in (_ESC, _FS, _GS):
        return _take_escape(data) if len(data) >= 2 else (None, 0)
    if first < 0x20:
        return None, 1
    return _take_text(data)


def _take_text(data: bytes) -> tuple[Command | None, int]:
    """Text up to the next control byte: before it comes, a character may still be incomplete."""
    for end, byte in enumerate(data):
        if byte < 0x20:
            return Command("text", data=data[:end]), end
    return None, 0


def _take_escape(data: bytes) -> tuple[Command | None, int]:
    lead, letter = data[0], chr(data[1])
    if lead == _ESC and letter == "@":
        return Command("initialize"), 2
    if lead == _FS and letter in "&.":
        return Command("chinese", 1 if letter == "&" else 0), 2
    if lead == _GS and letter == "(":
        return _take_function(data)
    if lead == _GS and letter == "v":
        return _take_raster(data)
    if lead == _GS and letter == "V":
        return _take_cut(data)
    names = {
        (_ESC, "a"): "align",
        (_ESC, "E"): "bold",
        (_ESC, "d"): "feed",
        (_GS, "!"): "size",
        (_ESC, "!"): "mode",
    }
    name = names.get((lead, letter))
    if name is not None:
        return (Command(name, data[2]), 3) if len(data) >= 3 else (None, 0)
    length = 2 + _PASSED_OVER[lead].get(letter, 0)
    return (None, length) if len(data) >= length else (None, 0)


def _take_cut(data: bytes) -> tuple[Command | None, int]:
    if len(data) < 3:
        return None, 0
    length = 4 if data[2] in (65, 66) else 3
    return (Command("cut"), length) if len(data) >= length else (None, 0)


def _take_function(data: bytes) -> tuple[Command | None, int]:
    """`GS ( x pL pH ...`: the length is in the command, so unknown ones are passed over whole."""
    if len(data) < 5:
        return None, 0
    length = 5 + (data[3] | data[4] << 8)
    if len(data) < length:
        return None, 0
    body = data[5:length]
    match chr(data[2]):
        case "k" if len(body) >= 2 and body[0] == 49:
            return Command("qr", body[1], body[2:]), length
        case "H" if len(body) == 6 and body[:2] in (b"00", b"\x30\x30"):
            return Command("confirm", data=body[2:]), length
    return None, length


def _take_raster(data: bytes) -> tuple[Command | None, int]:
    """`GS v 0 m xL xH yL yH d...`: a picture, 8 dots a byte."""
    if len(data) < 8:
        return None, 0
    width, height = data[4] | data[5] << 8, data[6] | data[7] << 8
    length = 8 + width * height
    return (Command("raster", width, data[8:length]), length) if len(data) >= length else (None, 0)
