"""Files of bills on their way to whoever fetches them, and what may go wrong with them on that way."""

from __future__ import annotations

import socket
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

from backend.sandbox.faults import get_fault, take_fault

PIECE = 64 * 1024
#: Faults that make the file itself wrong, and those that spoil its download.
WRONG_ROWS = ("drop_row", "extra_row", "wrong_amount")
SPOILED = ("corrupt", "cut")


def take_bill_fault(db: sqlite3.Connection, modes: Sequence[str], operation: str) -> str:
    """Use up the bill's fault if it is one of these."""
    if get_fault(db, "bill").mode not in modes:
        return "normal"
    return take_fault(db, "bill", out_trade_no=None, operation=operation).mode


def read_bill(path: Path, spoiled: str, connection: socket.socket) -> Iterator[bytes]:
    """The file piece by piece; corrupt: with a wrong first byte, cut: broken off in the middle."""
    left = path.stat().st_size // 2 if spoiled == "cut" else None
    with path.open("rb") as file:
        while piece := file.read(PIECE if left is None else min(PIECE, left)):
            if spoiled == "corrupt":
                piece, spoiled = b"?" + piece[1:], "normal"
            if left is not None:
                left -= len(piece)
            yield piece
    if spoiled == "cut":
        connection.shutdown(socket.SHUT_RDWR)
