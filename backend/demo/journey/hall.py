"""Hall screens as a program: follows the halls' streams over Socket.IO as the pages do."""

from __future__ import annotations

import re
import threading
import time
from typing import Any

import socketio

from backend.demo.journey.wires import StepFailed, must, session

NAMESPACE = "/live"


class HallScreens:
    """Opens hall screens' pages, follows their streams on one connection, and remembers every call."""

    def __init__(self, origin: str) -> None:
        self._origin = origin
        self._asks: dict[str, dict[str, Any]] = {}
        self._heard: dict[str, tuple[float, dict[str, Any]]] = {}
        self._changed = threading.Condition()
        self._client = socketio.Client(reconnection_delay=0.5, reconnection_delay_max=2)
        self._client.on("connect", self._follow_all, namespace=NAMESPACE)
        self._client.on("live", self._take, namespace=NAMESPACE)
        self._client.on("beat", self._beat, namespace=NAMESPACE)

    def watch(self, page_path: str) -> None:
        """Open a hall's page and follow its stream from what the page shows; once a hall."""
        page = must(session().get(self._origin + page_path, timeout=15), 200).text
        stream = _attribute(page, "data-stream")
        if stream in self._asks:
            return
        ask: dict[str, Any] = {
            "stream": stream,
            "token": _attribute(page, "data-token"),
            "last_no": int(_attribute(page, "data-last-no")),
        }
        self._asks[stream] = ask
        if self._client.connected:
            self._client.emit("follow", ask, namespace=NAMESPACE, callback=self._answered)
        else:
            self._client.connect(
                self._origin, namespaces=[NAMESPACE], transports=["websocket"], retry=True
            )

    def close(self) -> None:
        """End the connection."""
        self._client.disconnect()

    def wait_for_call(self, number: str, seconds: float = 12, fresh: float = 60) -> dict[str, Any]:
        """The call of ``number``, at most ``fresh`` seconds old; StepFailed when no screen got it in time."""
        ends = time.monotonic() + seconds
        with self._changed:
            while True:
                at, call = self._heard.get(number, (0.0, {}))
                if call and time.monotonic() - at < fresh:
                    return call
                left = ends - time.monotonic()
                if left <= 0:
                    raise StepFailed(f"no hall screen showed {number} within {seconds:.0f} s")
                self._changed.wait(left)

    def _follow_all(self) -> None:
        for ask in list(self._asks.values()):
            self._client.emit("follow", ask, namespace=NAMESPACE, callback=self._answered)

    def _answered(self, answer: dict[str, Any]) -> None:
        for message in answer.get("missed", []):
            self._take(message)

    def _beat(self, beat: dict[str, Any]) -> None:
        ask = self._asks.get(beat["stream"])
        if ask is not None and beat["no"] > ask["last_no"]:
            self._client.emit("follow", ask, namespace=NAMESPACE, callback=self._answered)

    def _take(self, message: dict[str, Any]) -> None:
        ask = self._asks.get(message["stream"])
        if ask is None:
            return
        with self._changed:
            ask["last_no"] = max(ask["last_no"], message["no"])
            payload = message["payload"]
            if payload.get("kind") == "call":
                self._heard[payload["number"]] = (time.monotonic(), payload)
                self._changed.notify_all()


def _attribute(page: str, name: str) -> str:
    found = re.search(rf'{name}="([^"]*)"', page)
    if found is None:
        raise StepFailed(f"the screen's page has no {name}")
    return found.group(1)
