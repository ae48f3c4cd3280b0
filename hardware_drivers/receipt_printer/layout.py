"""Fitting text into columns: a Chinese character is two columns wide, the rest one. Pure."""

from __future__ import annotations

import unicodedata


def char_width(char: str) -> int:
    """Columns of one character on the paper (2 for wide, full-width and ambiguous ones, 0 for
    combining marks).
    """
    if unicodedata.combining(char):
        return 0
    # GB18030 printers draw every character outside ASCII in a full cell.
    return 1 if char.isascii() else 2


def text_width(text: str) -> int:
    """Columns of a string."""
    return sum(char_width(char) for char in text)


def printable(text: str) -> str:
    """The text without control characters: a name from outside must never reach the printer as a
    command.
    """
    # The half-width yen sign takes four bytes in GB18030, which printers' fonts lack; the wide one
    # is there.
    cleaned = (" " if char in "\t\r\n" else char for char in text.replace("¥", "￥"))
    return "".join(
        char for char in cleaned if unicodedata.category(char) not in {"Cc", "Cs", "Cn", "Co"}
    )


def wrap(text: str, columns: int) -> list[str]:
    """Break into lines of at most `columns` columns: at blanks, or anywhere in Chinese."""
    lines: list[str] = []
    line = ""
    for char in printable(text):
        if text_width(line) + char_width(char) > columns:
            break_at = line.rfind(" ")
            is_word_broken = char.isascii() and char != " " and line[-1:].isascii() and break_at > 0
            if is_word_broken:
                lines.append(line[:break_at])
                line = line[break_at + 1 :]
            else:
                lines.append(line.rstrip(" "))
                line = ""
            if char == " " and not line:
                continue
        line += char
    lines.append(line.rstrip(" ") if lines else line)
    return lines


def row_lines(left: str, right: str, columns: int) -> list[str]:
    """A row as one line when both fit with a blank between, else the value right-aligned below the
    label.
    """
    left, right = printable(left), printable(right)
    gap = columns - text_width(left) - text_width(right)
    if gap >= 1:
        return [left + " " * gap + right]
    return wrap(left, columns) + [
        " " * (columns - text_width(line)) + line for line in wrap(right, columns)
    ]
