"""A slot of the virtual reader driver `vpcd`: putting a card in is a TCP connection, taking it out
closes it.

Both ways a message is a 2-byte big-endian length and the bytes; a single byte is a control: 0 off,
1 on, 2 reset, 4 send the ATR.
"""

from __future__ import annotations

import socket
import threading
import time

from hardware_drivers.simulators.cards import VirtualCard

_OFF, _ON, _RESET, _ATR = 0, 1, 2, 4

# pcscd looks every 0.4 s whether a card is there: a hand is slower than that, so we must be too.
_SWAP_SECONDS = 0.7


class VirtualSlot:
    """The slot that vpcd listens for on `port`; thread-safe."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._lock = threading.RLock()
        self._card: VirtualCard | None = None
        self._link: socket.socket | None = None
        self._thread: threading.Thread | None = None
        self._pull_after: int | None = None
        self._emptied_at = time.monotonic() - _SWAP_SECONDS

    @property
    def card(self) -> VirtualCard | None:
        """The card in the slot."""
        with self._lock:
            return self._card

    def insert(self, card: VirtualCard, *, pull_after: int | None = None) -> None:
        """Put a card in (taking out the one there); with `pull_after` it is pulled out at that
        APDU, counted from 0.

        Raises OSError when vpcd does not listen.
        """
        self.remove()
        with self._lock:
            pause = self._emptied_at + _SWAP_SECONDS - time.monotonic()
        if pause > 0:
            time.sleep(pause)
        link = socket.create_connection(("127.0.0.1", self.port), 3)
        link.settimeout(None)
        with self._lock:
            card.reset()
            self._card, self._link, self._pull_after = card, link, pull_after
            self._thread = threading.Thread(
                target=self._serve, args=(card, link), name=f"card-{self.port}", daemon=True
            )
            self._thread.start()

    def remove(self) -> None:
        """Take the card out; harmless when the slot is empty."""
        with self._lock:
            link, thread = self._link, self._thread
            self._card = self._link = self._thread = None
            if link is not None:
                self._emptied_at = time.monotonic()
        if link is not None:
            try:
                link.shutdown(socket.SHUT_RDWR)
            except OSError:
                link.close()  # the reader's side hung up first
        if thread is not None and thread is not threading.current_thread():
            thread.join()

    def _serve(self, card: VirtualCard, link: socket.socket) -> None:
        with link:
            try:
                while (message := _receive(link)) is not None:
                    answer = self._answer(card, message)
                    if answer is not None:
                        link.sendall(len(answer).to_bytes(2, "big") + answer)
            except OSError:
                pass  # the reader went away: the same as an empty slot, handled below
        with self._lock:
            if self._link is link:
                self._card = self._link = self._thread = None
                self._emptied_at = time.monotonic()

    def _answer(self, card: VirtualCard, message: bytes) -> bytes | None:
        if len(message) == 1:
            if message[0] in (_OFF, _ON, _RESET):
                card.reset()
                return None
            return card.atr if message[0] == _ATR else b""
        with self._lock:
            if self._pull_after == 0:
                raise ConnectionAbortedError("pulled out")
            if self._pull_after is not None:
                self._pull_after -= 1
        return card.answer(message)


def _receive(link: socket.socket) -> bytes | None:
    head = _receive_exactly(link, 2)
    return None if head is None else _receive_exactly(link, int.from_bytes(head, "big"))


def _receive_exactly(link: socket.socket, size: int) -> bytes | None:
    data = b""
    while len(data) < size:
        part = link.recv(size - len(data))
        if not part:
            return None
        data += part
    return data
