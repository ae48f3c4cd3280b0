"""`xinglin worker` with one more subscriber: it says on a live stream what the event ``Said`` carries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar
from unittest.mock import patch

from sqlalchemy.orm import Session

from backend import worker
from backend.bootstrap import Program, build_program
from backend.kernel import live
from backend.kernel.outbox import Subscriptions
from backend.settings import Settings


@dataclass(frozen=True, slots=True)
class Said:
    """Something to be said on a stream."""

    NAME: ClassVar[str] = "test.said"
    VERSION: ClassVar[int] = 1
    stream: str
    words: str


def say(session: Session, event: Said) -> None:
    """Put the words on the stream."""
    live.append(session, event.stream, {"kind": "said", "words": event.words})


def subscriptions_with_talk(subscriptions: Subscriptions | None = None) -> Subscriptions:
    """These subscriptions (or none) and the one of this module."""
    found = subscriptions or Subscriptions()
    found.on(Said, "test.say", say)
    return found


def build(settings: Settings) -> Program:
    """The worker's own program, with our subscriber."""
    program = build_program(settings)
    subscriptions_with_talk(program.database.subscriptions)
    return program


if __name__ == "__main__":
    with patch.object(worker, "build_program", build):
        worker.run(Settings())
