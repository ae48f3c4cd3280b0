"""Answers are closed whatever becomes of them: sent whole, dropped, or their browser gone."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from kiosk_agent.web.closing import closing_answers
from tests.factories.serving import listening

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

WAIT_SECONDS = 5.0
PICTURE = b"<svg/>"
RESET = struct.pack("ii", 1, 0)  # SO_LINGER without time: closing breaks the connection


class FileAnswer:
    """The answer that holds an open file; after its last byte it waits until the browser has gone."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        self.gone = Event()
        self.closed = Event()
        self.closes = 0

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> FileAnswer:
        start_response("200 OK", [("Content-Length", str(len(PICTURE)))])
        return self

    def __iter__(self) -> Iterator[bytes]:
        yield self._file.read()
        self.gone.wait(WAIT_SECONDS)

    def close(self) -> None:
        self._file.close()
        self.closes += 1
        self.closed.set()


@pytest.fixture
def answer(tmp_path: Path) -> Iterator[FileAnswer]:
    path = tmp_path / "logo.svg"
    path.write_bytes(PICTURE)
    answer = FileAnswer(path)
    yield answer
    answer._file.close()


def test_an_answer_is_closed_when_the_browser_breaks_the_connection(answer: FileAnswer) -> None:
    with listening(answer) as url:
        there = urlsplit(url)
        with socket.create_connection((there.hostname, there.port), WAIT_SECONDS) as browser:
            browser.sendall(b"GET /logo.svg HTTP/1.0\r\n\r\n")
            received = b""
            while PICTURE not in received:
                received += browser.recv(4096)
            browser.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        answer.gone.set()
        assert answer.closed.wait(WAIT_SECONDS)


def _send_whole(parts: Iterator[bytes]) -> None:
    assert b"".join(parts) == PICTURE


def _send_some(parts: Iterator[bytes]) -> None:
    next(parts)


def _send_nothing(_parts: Iterator[bytes]) -> None:
    pass


@pytest.mark.parametrize("send", [_send_whole, _send_some, _send_nothing])
def test_an_answer_is_closed_once(
    answer: FileAnswer, send: Callable[[Iterator[bytes]], None]
) -> None:
    answer.gone.set()
    parts = closing_answers(answer)({}, lambda *_words: lambda _data: None)
    send(iter(parts))
    del parts
    assert answer.closes == 1
