"""A hall screen as a program: follows the hall's stream over Socket.IO as the page does."""

from __future__ import annotations

import re
import threading
import time
from typing import Any

import socketio

from backend.demo.journey.wires import StepFailed, must, session

NAMESPACE = "/live"


class HallScreen:
    """Opens a hall screen's page, follows its stream, and remembers every call it heard."""

    def __init__(self, page_url: str) -> None:
        page = must(session().get(page_url, timeout=15)).text
        self._ask = {
            "stream": _attribute(page, "data-stream"),
            "token": _attribute(page, "data-token"),
            "last_no": int(_attribute(page, "data-last-no")),
        }
        self._heard: dict[str, dict[str, Any]] = {}
        self._changed = threading.Condition()
        self._client = socketio.Client(reconnection_delay=0.5, reconnection_delay_max=2)
        self._client.on("connect", self._follow, namespace=NAMESPACE)
        self._client.on("live", self._take, namespace=NAMESPACE)
        self._client.on("beat", self._beat, namespace=NAMESPACE)
        self._base = re.match(r"https?://[^/]+", page_url)

    def open(self) -> None:
        """Connect and follow."""
        if self._base is None:
            raise StepFailed("a screen needs an absolute address")
        self._client.connect(
            self._base.group(0), namespaces=[NAMESPACE], transports=["websocket"], retry=True
        )

    def close(self) -> None:
        """End the connection."""
        self._client.disconnect()

    def wait_for_call(self, number: str, room: str, seconds: float = 12) -> dict[str, Any]:
        """The call of ``number`` to ``room`` as the screen got it."""
        ends = time.monotonic() + seconds
        with self._changed:
            while True:
                call = self._heard.get(number)
                if call is not None and call["room"] == room:
                    return call
                left = ends - time.monotonic()
                if left <= 0:
                    raise StepFailed(f"the hall screen did not show {number} within {seconds:.0f} s")
                self._changed.wait(left)

    def _follow(self) -> None:
        self._client.emit("follow", self._ask, namespace=NAMESPACE, callback=self._answered)

    def _answered(self, answer: dict[str, Any]) -> None:
        for message in answer.get("missed", []):
            self._take(message)

    def _beat(self, beat: dict[str, Any]) -> None:
        if beat["stream"] == self._ask["stream"] and beat["no"] > self._ask["last_no"]:
            self._follow()

    def _take(self, message: dict[str, Any]) -> None:
        if message["stream"] != self._ask["stream"]:
            return
        with self._changed:
            self._ask["last_no"] = max(self._ask["last_no"], message["no"])
            payload = message["payload"]
            if payload.get("kind") == "call":
                self._heard[payload["number"]] = payload
                self._changed.notify_all()


def _attribute(page: str, name: str) -> str:
    found = re.search(rf'{name}="([^"]*)"', page)
    if found is None:
        raise StepFailed(f"the screen's page has no {name}")
    return found.group(1)
