"""GA 467 frames: `AA AA AA 96 69 LEN(2, BE) CMD PARA DATA CHK`, answers with SW1 SW2 SW3 in place
of CMD PARA.

LEN counts everything after itself, CHK is the XOR of all bytes from LEN on. Pure; source: GA 467
and the SAM_V manual.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce

from hardware_drivers.errors import TransientError

PREAMBLE = bytes.fromhex("AA AA AA 96 69")
FIND = bytes.fromhex("20 01")
SELECT = bytes.fromhex("20 02")
READ_TEXT_AND_PHOTO = bytes.fromhex("30 01")
SAM_STATUS = bytes.fromhex("11 FF")

SW3_FOUND = 0x9F
SW3_OK = 0x90
SW3_BAD_CHECKSUM = 0x10
SW3_NO_CARD = 0x80
SW3_SELECT_FAILED = 0x81
SW3_READ_FAILED = 0x41

# The largest answer is text + photo + fingerprints (1024 B): anything longer is line noise read as
# a length.
MAX_LENGTH = 4 + 6 + 256 + 1024 + 1024


@dataclass(frozen=True)
class Answer:
    """One answer of the reader; `sw` is the three status bytes."""

    sw: bytes
    data: bytes

    @property
    def sw3(self) -> int:
        """The last status byte, the only one that tells outcomes apart."""
        return self.sw[2]


def checksum(content: bytes) -> int:
    """XOR of all bytes."""
    return reduce(lambda a, b: a ^ b, content, 0)


def encode_command(command: bytes, data: bytes = b"") -> bytes:
    """Frame CMD PARA (2 bytes) and optional data."""
    body = command + data
    counted = (len(body) + 1).to_bytes(2, "big") + body
    return PREAMBLE + counted + bytes([checksum(counted)])


def missing_bytes(received: bytes) -> int:
    """How many bytes of the answer are still to come; 0 when it is whole.

    Raises TransientError `torn_frame` as soon as the bytes cannot be the start of an answer.
    """
    head = received[: len(PREAMBLE)]
    if not PREAMBLE.startswith(head):
        raise TransientError("torn_frame", "no preamble")
    if len(received) < 7:
        return 7 - len(received)
    length = int.from_bytes(received[5:7], "big")
    if not 4 <= length <= MAX_LENGTH:
        raise TransientError("torn_frame", f"length {length}")
    return max(0, 7 + length - len(received))


def decode_answer(frame: bytes) -> Answer:
    """Decode a whole answer. Raises TransientError `torn_frame` or `checksum`."""
    if missing_bytes(frame) or len(frame) != 7 + int.from_bytes(frame[5:7], "big"):
        raise TransientError("torn_frame", f"{len(frame)} bytes")
    if checksum(frame[5:-1]) != frame[-1]:
        raise TransientError("checksum", "answer")
    return Answer(frame[7:10], frame[10:-1])
