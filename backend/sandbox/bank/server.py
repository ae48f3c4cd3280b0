"""The bank's TCP port: frames of two length bytes, one thread a terminal's line, faults on the way."""

from __future__ import annotations

import logging
import socketserver
import threading
from dataclasses import replace

from backend.sandbox.bank import host, iso8583
from backend.sandbox.bank.cards import Card
from backend.sandbox.bank.keys import BankKeys
from backend.sandbox.faults import Fault, take_fault
from backend.sandbox.platform import Platform

log = logging.getLogger("sandbox.bank")
OPERATIONS = {
    "0800": "sign_on",
    "0200": "sale",
    "0400": "reversal",
    "0401": "reversal",
    "0220": "card_refund",
    "0221": "card_refund",
    "0500": "settlement",
}


class BankServer(socketserver.ThreadingTCPServer):
    """Serves until it is shut down; `server_address` is known at once."""

    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False

    def __init__(self, address: tuple[str, int]) -> None:
        super().__init__(address, _Line)
        self.platform: Platform | None = None
        self.keys: BankKeys | None = None

    def start(self, platform: Platform, keys: BankKeys) -> threading.Thread:
        """Serve from a thread of its own."""
        self.platform, self.keys = platform, keys
        thread = threading.Thread(target=self.serve_forever, args=(0.1,), daemon=True)
        thread.start()
        return thread


class _Line(socketserver.StreamRequestHandler):
    server: BankServer
    timeout = 120.0

    def handle(self) -> None:
        platform, keys = self.server.platform, self.server.keys
        if platform is None or keys is None:
            return
        try:
            while (message := self._read()) is not None:
                frame = _serve(platform, keys, message)
                if frame is None:
                    return  # the line breaks instead of an answer
                self.wfile.write(len(frame).to_bytes(2, "big") + frame)
        except (OSError, iso8583.Malformed) as error:
            log.info("line ended: %s", error)

    def _read(self) -> bytes | None:
        head = self.rfile.read(2)
        if len(head) < 2:
            return None
        size = int.from_bytes(head, "big")
        if not 20 <= size <= iso8583.LONGEST:
            raise iso8583.Malformed("length")
        message = self.rfile.read(size)
        return message if len(message) == size else None


def _serve(platform: Platform, keys: BankKeys, message: bytes) -> bytes | None:
    """The answer as it goes over the wire, or None when none goes."""
    operation = OPERATIONS.get(message[:4].decode("ascii", "replace"))
    fault = Fault()
    with platform.store.write() as db:
        if operation is not None:
            fault = take_fault(db, "bank", out_trade_no=None, operation=operation)
        now, is_lost = platform.business_time(db), fault.mode == "swallow"
        reply = None if is_lost else host.answer(db, keys, message, now)
    card = (reply.card if reply is not None else None) or Card("")
    if reply is None or fault.mode == "silent" or card.answer == "none":
        platform.stopping.wait(fault.seconds)
        return None
    if fault.mode == "slow" or card.answer == "slow":
        platform.stopping.wait(fault.seconds)
    if fault.mode == "wrong_amount" and 4 in reply.fields:
        reply.fields[4] = f"{int(reply.fields[4]) + 1:012d}"
    if fault.mode == "bad_mac" and reply.mac_key is not None:
        reply = replace(reply, mac_key=bytes(16))
    return iso8583.pack(reply.mti, reply.fields, reply.mac_key)
