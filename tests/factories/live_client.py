"""A Socket.IO client of live streams that keeps the rules of ``backend/static/live.js``, for real servers."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import socketio

NAMESPACE = "/live"


class LiveClient:
    """Follows one stream from ``connect`` on; applies each message once, in order, and asks for what it missed."""

    def __init__(self, stream: str, token: str) -> None:
        self.stream = stream
        self.token = token
        self.last_no: int | None = None
        self.messages: list[tuple[int, dict[str, Any]]] = []
        self.is_refused = False
        #: How often each way brought something new: told directly, or asked for after a gap.
        self.told = 0
        self.asked = 0
        self._is_asking = False
        self._changed = threading.Condition()
        self._io = socketio.Client(reconnection_delay=0.2, reconnection_delay_max=0.5)
        for name, handler in (
            ("connect", self._follow),
            ("disconnect", self._lost),
            ("live", self._take),
            ("beat", self._heard),
        ):
            self._io.on(name, handler, namespace=NAMESPACE)

    def connect(self, url: str) -> None:
        """Connect and wait until the stream is followed (or refused)."""
        self._io.connect(url, namespaces=[NAMESPACE], transports=["websocket"], wait_timeout=20)
        self.wait(lambda: self.last_no is not None or self.is_refused, 20)

    def close(self) -> None:
        """Disconnect for good."""
        self._io.disconnect()

    @property
    def numbers(self) -> list[int]:
        """The numbers received so far, in the order they were applied."""
        return [number for number, _ in self.messages]

    @property
    def payloads(self) -> list[dict[str, Any]]:
        """What was received so far."""
        return [payload for _, payload in self.messages]

    def wait(self, is_so: Callable[[], bool], seconds: float) -> float:
        """Wait until ``is_so`` after some message or answer; how long it took. AssertionError at the deadline."""
        began = time.monotonic()
        with self._changed:
            assert self._changed.wait_for(is_so, seconds), (
                f"still at {self.messages} after {seconds} s"
            )
        return time.monotonic() - began

    def wait_for_number(self, number: int, seconds: float) -> float:
        """Wait for the message of that number."""
        return self.wait(lambda: (self.last_no or 0) >= number, seconds)

    def _follow(self) -> None:
        with self._changed:
            if self._is_asking:
                return
            self._is_asking = True
            ask = {"stream": self.stream, "token": self.token, "last_no": self.last_no}
        self._io.emit("follow", ask, namespace=NAMESPACE, callback=self._answered)

    def _answered(self, answer: dict[str, Any]) -> None:
        with self._changed:
            self._is_asking = False
            if answer.get("refused"):
                self.is_refused = True
            else:
                for message in answer["missed"]:
                    self.asked += self._apply(message)
                if self.last_no is None:
                    self.last_no = answer["no"]
            self._changed.notify_all()

    def _lost(self, *_reason: object) -> None:
        with self._changed:
            self._is_asking = False

    def _take(self, message: dict[str, Any]) -> None:
        with self._changed:
            is_next = self.last_no is not None and message["no"] <= self.last_no + 1
            if is_next:
                self.told += self._apply(message)
                self._changed.notify_all()
        if not is_next:
            self._follow()

    def _heard(self, beat: dict[str, Any]) -> None:
        if self.last_no is not None and beat["no"] > self.last_no:
            self._follow()

    def _apply(self, message: dict[str, Any]) -> bool:
        if self.last_no is not None and message["no"] <= self.last_no:
            return False
        self.last_no = message["no"]
        self.messages.append((message["no"], message["payload"]))
        return True
