"""Answers that let go of what they hold, the open file of a static answer above all, however they end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from itertools import chain
from typing import TYPE_CHECKING

from werkzeug.wsgi import ClosingIterator

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


def closing_answers(app: WSGIApplication) -> WSGIApplication:
    """``app`` with answers that are closed at the latest when they are dropped.

    Werkzeug's server never closes the answer to a browser that breaks the connection while the server
    reads what was still under way; its file would stay open until garbage is collected.
    """

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        held = _hold(app(environ, start_response))
        next(held)  # dropped before it has begun, a generator closes nothing
        return held

    return answer


def _hold(answer: Iterable[bytes]) -> Iterator[bytes]:
    with closing(ClosingIterator(answer)) as parts:
        # `yield from parts` itself would close a dropped answer twice.
        yield from chain((b"",), parts)
