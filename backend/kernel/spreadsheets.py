"""Text of files that people save from their spreadsheet program."""

from __future__ import annotations


def decode_csv(data: bytes) -> str | None:
    """The text of a CSV file: UTF-8 with or without its mark, else what Chinese Excel saves; None for neither."""
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None
