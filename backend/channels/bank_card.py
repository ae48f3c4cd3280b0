"""The bank's card front end: billing's `CardGateway` in ISO 8583 messages over TCP.

One connection a message: a POS line is dialled, used and hung up, and a late answer to an earlier
message can never be taken for this one's. An answer counts only when its type, trace number, terminal
and amount are the request's and its field 64 is right; everything else is *unknown*. Only a connection
that never came about is a refusal. Nothing here logs a message, and no method retries.
"""

from __future__ import annotations

import datetime as dt
import json
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap

from backend.billing.ports import (
    BatchTotals,
    CardAnswer,
    CardOrder,
    GatewayRefused,
    GatewayUnknown,
    Line,
    OriginalSale,
    SignedOn,
    SignOnNeeded,
)
from backend.channels import iso8583_spec as wire
from backend.kernel.clock import local

SALE, REFUND = "000000", "200000"
CURRENCY = "156"
#: Codes by which the bank says that it does not know our working key.
SIGN_ON_CODES = ("77", "A0", "A7")
#: 012 is a number that was typed, or read as text by a keyboard wedge, without a PIN.
TYPED_WITHOUT_PIN = "012"
UNREACHABLE = "BANK_UNREACHABLE"


@dataclass(frozen=True)
class BankConfig:
    """The merchant's contract with the bank. Master keys are never shown."""

    host: str
    port: int
    merchant_id: str
    master_keys: dict[str, bytes] = field(repr=False)
    #: Where the daily file of transactions lies (see `bank_bill`), and the token for it; empty: not contracted.
    bill_url: str = ""
    bill_token: str = field(default="", repr=False)
    connect_seconds: float = 3.0
    answer_seconds: float = 15.0


def load_bank_file(path: Path) -> BankConfig:
    """Read the JSON file a bank hands over: host, port, merchant_id, terminals [terminal_id, master_key],
    and where the contract has a daily file, bill_url and bill_token.

    OSError when it cannot be read, KeyError or ValueError when it is incomplete.
    """
    data = json.loads(path.read_text("utf-8"))
    return BankConfig(
        host=data["host"],
        port=int(data["port"]),
        merchant_id=data["merchant_id"],
        master_keys={
            terminal["terminal_id"]: bytes.fromhex(terminal["master_key"])
            for terminal in data["terminals"]
        },
        bill_url=data.get("bill_url", "").rstrip("/"),
        bill_token=data.get("bill_token", ""),
    )


class BankCardGateway:
    """`CardGateway` over one bank's front end; thread-safe, keeps no state between calls."""

    def __init__(self, load: Callable[[], BankConfig]) -> None:
        self._load = load
        self._lock = Lock()
        self._opened: BankConfig | None = None

    @property
    def config(self) -> BankConfig:
        """The contract; GatewayRefused while its file is missing (nothing can have been sent)."""
        with self._lock:
            if self._opened is None:
                try:
                    self._opened = self._load()
                except FileNotFoundError as error:
                    raise GatewayRefused(UNREACHABLE, "no contract yet") from error
            return self._opened

    @property
    def terminal_ids(self) -> tuple[str, ...]:
        """See the port."""
        return tuple(self.config.master_keys)

    def sign_on(self, terminal_id: str, *, stan: str, at: dt.datetime) -> SignedOn:
        """0800: a working key under the terminal's master key (RFC 3394), and the open batch."""
        request = self._message("0800", terminal_id, stan, at) | {"60": "00000000003"}
        answer = self._ask(request, None)
        if answer.get("39") != "00":
            raise GatewayRefused(f"SIGN_ON_{answer.get('39')}", "the bank refuses the terminal")
        try:
            wrapped = bytes.fromhex(answer.get("62", ""))
            key = aes_key_unwrap(self.config.master_keys[terminal_id], wrapped)
            return SignedOn(int(answer.get("60", "")[2:8]), key)
        except (InvalidUnwrap, ValueError) as error:
            raise GatewayUnknown("the working key does not open") from error

    def sale(self, line: Line, order: CardOrder) -> CardAnswer:
        """0200; see the port."""
        request = self._about_money("0200", line, order) | {
            "3": SALE,
            "22": TYPED_WITHOUT_PIN,
            "25": "00",
            "60": f"22{line.batch:06d}",
        }
        return self._answer(request, line)

    def reverse(self, line: Line, order: CardOrder, original: OriginalSale) -> CardAnswer:
        """0400, under the sale's own trace number; see the port."""
        request = self._about_money("0400", line, order) | {
            "3": SALE,
            "39": "98",  # why: no answer came
            "60": f"22{line.batch:06d}",
            "61": _reference(original),
        }
        return self._answer(request, line)

    def refund(
        self, line: Line, order: CardOrder, original: OriginalSale, *, is_repeat: bool
    ) -> CardAnswer:
        """0220, repeated as 0221, by the sale's reference number and without its card; see the port."""
        request = self._about_money("0221" if is_repeat else "0220", line, order) | {
            "3": REFUND,
            "25": "00",
            "37": original.rrn,
            "60": f"25{line.batch:06d}",
            "61": _reference(original),
        }
        return self._answer(request, line)

    def settle(self, line: Line, *, stan: str, totals: BatchTotals) -> bool:
        """0500: the batch's totals in field 48, answered by flag 1 (agree) or 2; see the port."""
        ours = (
            f"{totals.sales_fen:012d}{totals.sales:03d}"
            f"{totals.refunds_fen:012d}{totals.refunds:03d}"
        )
        request = {
            "t": "0500",
            "11": stan,
            "41": line.terminal_id,
            "42": self.config.merchant_id,
            "48": f"{ours}0" + "0" * 31,
            "49": CURRENCY,
            "60": f"00{line.batch:06d}201",
        }
        answer = self._ask(request, line.mac_key)
        flag = answer.get("48", "")[30:31]
        if answer.get("39") != "00" or flag not in ("1", "2"):
            raise GatewayUnknown(f"settlement answered {answer.get('39')}")
        return flag == "1"

    # --- the wire ------------------------------------------------------------------------

    def _message(self, kind: str, terminal_id: str, stan: str, at: dt.datetime) -> dict[str, str]:
        moment = local(at)
        return {
            "t": kind,
            "11": stan,
            "12": f"{moment:%H%M%S}",
            "13": f"{moment:%m%d}",
            "41": terminal_id,
            "42": self.config.merchant_id,
        }

    def _about_money(self, kind: str, line: Line, order: CardOrder) -> dict[str, str]:
        message = self._message(kind, line.terminal_id, order.stan, order.at)
        message |= {"4": f"{order.amount_fen:012d}", "49": CURRENCY}
        return message | ({"2": order.card_number} if order.card_number is not None else {})

    def _answer(self, request: dict[str, str], line: Line) -> CardAnswer:
        answer = self._ask(request, line.mac_key)
        return CardAnswer(answer["39"], answer.get("37", ""), answer.get("38", ""))

    def _ask(self, request: dict[str, str], mac_key: bytes | None) -> dict[str, str]:
        """One message and its believable answer; GatewayRefused, GatewayUnknown or SignOnNeeded."""
        raw = self._exchange(wire.encode(request, mac_key))
        try:
            answer = wire.decode(raw, mac_key)
        except wire.Unreadable as error:
            raise GatewayUnknown(f"answer not believed: {error}") from error
        kind = request["t"]
        expected = {**request, "t": f"{kind[:2]}{int(kind[2]) + 1}0"}
        for name in ("t", "4", "11", "41", "42"):
            if answer.get(name) != expected.get(name):
                raise GatewayUnknown(f"the answer is about something else (field {name})")
        if mac_key is not None and wire.MAC not in answer:
            if answer.get("39") in SIGN_ON_CODES:
                raise SignOnNeeded(f"code {answer.get('39')}")
            raise GatewayUnknown("the answer is not sealed")
        if "39" not in answer:
            raise GatewayUnknown("the answer has no code")
        return answer

    def _exchange(self, message: bytes) -> bytes:
        config = self.config
        try:
            line = socket.create_connection((config.host, config.port), config.connect_seconds)
        except OSError as error:
            raise GatewayRefused(UNREACHABLE, type(error).__name__) from error
        with line:
            try:
                line.settimeout(config.answer_seconds)
                line.sendall(len(message).to_bytes(2, "big") + message)
                size = int.from_bytes(_receive(line, 2), "big")
                if not 20 <= size <= wire.LONGEST:
                    raise GatewayUnknown("an answer of no length")
                return _receive(line, size)
            except OSError as error:
                raise GatewayUnknown(f"no answer: {type(error).__name__}") from error


def _receive(line: socket.socket, size: int) -> bytes:
    """Exactly `size` bytes; GatewayUnknown when the line ends before."""
    parts: list[bytes] = []
    while size:
        part = line.recv(size)
        if not part:
            raise GatewayUnknown("the line ended before the answer")
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def _reference(original: OriginalSale) -> str:
    """Field 61."""
    return f"{original.batch:06d}{original.stan}{original.on:%m%d}"
