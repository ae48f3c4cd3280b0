"""Virtual cards: what a MIFARE hospital card and a contact health card answer to APDUs."""

from __future__ import annotations

from typing import Protocol

OK = b"\x90\x00"


class VirtualCard(Protocol):
    """A card as a slot sees it."""

    atr: bytes

    def reset(self) -> None:
        """Power on: forget what was authenticated or selected."""

    def answer(self, apdu: bytes) -> bytes:
        """Data and two status bytes."""


class MifareCard:
    """A contactless storage card behind a PC/SC part 3 reader: UID, sector key, one block with the
    card number.
    """

    # TS T0 TD1 TD2, RID of the PC/SC workgroup, "MIFARE Classic 1K", checksum (PC/SC part 3,
    # 3.1.3.2.3.2)
    atr = bytes.fromhex("3B8F8001804F0CA000000306030001000000006A")

    def __init__(
        self, uid: bytes, number: str, *, block: int = 4, key: bytes = b"\xff" * 6
    ) -> None:
        """Raises ValueError when the UID is not 4, 7 or 10 bytes or the number not 1..16 ASCII
        letters and digits.
        """
        if len(uid) not in (4, 7, 10):
            raise ValueError("uid")
        if not (1 <= len(number) <= 16 and number.isascii() and number.isalnum()):
            raise ValueError("number")
        self.uid = uid
        self.number = number
        self._key = key
        self._blocks = {block: number.encode().ljust(16, b"\x00")}
        self._loaded = b""
        self._open_sector: int | None = None

    def reset(self) -> None:
        """Forget the authentication."""
        self._loaded, self._open_sector = b"", None

    def answer(self, apdu: bytes) -> bytes:
        """Answer the pseudo-APDUs of PC/SC part 3."""
        if len(apdu) < 4 or apdu[0] != 0xFF:
            return b"\x6e\x00"
        match apdu[1]:
            case 0xCA if apdu[2:4] == b"\x00\x00":
                return self.uid + OK
            case 0x82 if len(apdu) == 11 and apdu[4] == 6:
                self._loaded = apdu[5:]
                return OK
            case 0x86 if len(apdu) == 10:
                is_right = self._loaded == self._key and apdu[8] == 0x60
                self._open_sector = apdu[7] // 4 if is_right else None
                return OK if is_right else b"\x63\x00"
            case 0xB0 if len(apdu) == 5:
                if self._open_sector != apdu[3] // 4:
                    return b"\x69\x82"
                return self._blocks.get(apdu[3], bytes(16))[: apdu[4]] + OK
        return b"\x6d\x00"


class HealthCard:
    """A contact card (T=0) with one application and one elementary file holding the card number."""

    atr = bytes.fromhex("3B68000000574354484541" + "4C")

    def __init__(
        self,
        number: str,
        *,
        application: bytes = bytes.fromhex("D1560000025774"),
        file_id: bytes = bytes.fromhex("EF05"),
        file_bytes: int = 32,
    ) -> None:
        self.number = number
        self._application = application
        self._file_id = file_id
        self._file = number.encode("ascii").ljust(file_bytes, b"\x00")
        self.reset()

    def reset(self) -> None:
        """Forget what was selected."""
        self._is_application = self._is_file = False
        self._waiting = b""

    def answer(self, apdu: bytes) -> bytes:
        """Answer SELECT, GET RESPONSE and READ BINARY."""
        if len(apdu) < 5 or apdu[0] != 0x00:
            return b"\x6e\x00"
        match apdu[1]:
            case 0xA4:
                return self._select(apdu[2], apdu[5:])
            case 0xC0:
                data, self._waiting = self._waiting, b""
                return data + OK if data else b"\x69\x85"
            case 0xB0:
                return self._read(apdu[2] << 8 | apdu[3], apdu[4] or 256)
        return b"\x6d\x00"

    def _select(self, how: int, name: bytes) -> bytes:
        if how == 0x04 and name == self._application:
            self._is_application, self._is_file = True, False
            self._waiting = b"\x6f" + bytes([len(name) + 2]) + b"\x84" + bytes([len(name)]) + name
        elif how == 0x00 and self._is_application and name == self._file_id:
            self._is_file = True
            self._waiting = b"\x6f\x04\x83\x02" + name
        else:
            return b"\x6a\x82"
        return b"\x61" + bytes([len(self._waiting)])

    def _read(self, offset: int, length: int) -> bytes:
        if not self._is_file:
            return b"\x69\x86"
        if offset >= len(self._file):
            return b"\x6b\x00"
        left = len(self._file) - offset
        if length > left:
            return b"\x6c" + bytes([left])
        return self._file[offset : offset + length] + OK
