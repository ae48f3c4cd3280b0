"""Following streams: who may, what was missed, and beats for those who still listen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from backend.app import create_app
from backend.kernel import live
from backend.kernel.uow import Database
from backend.web_parts import Parts
from tests.factories.databases import SYSTEM
from tests.factories.webapp import make_program


@pytest.fixture
def app(database: Database, tmp_path: Path) -> Flask:
    parts = Parts(stream_guards={"hall": lambda stream, token: token == f"may {stream}"})
    return create_app(make_program(database, tmp_path), parts)


class Page:
    """One connected page."""

    def __init__(self, app: Flask) -> None:
        self.io: Any = app.extensions["xinglin_socketio"].test_client(app, namespace="/live")

    def follow(self, stream: object, token: object, **more: object) -> dict[str, Any]:
        ask = {"stream": stream, "token": token, **more}
        answer: dict[str, Any] = self.io.emit("follow", ask, namespace="/live", callback=True)
        return answer

    def heard(self, name: str) -> list[dict[str, Any]]:
        return [m["args"][0] for m in self.io.get_received("/live") if m["name"] == name]


def say(database: Database, stream: str, *words: str) -> None:
    for word in words:
        with database.write(SYSTEM) as session:
            live.append(session, stream, {"words": word})


def test_a_follower_hears_what_is_committed(app: Flask, database: Database) -> None:
    page, other = Page(app), Page(app)
    assert page.follow("hall:1", "may hall:1") == {"no": 0, "missed": []}
    assert other.follow("hall:2", "may hall:2") == {"no": 0, "missed": []}
    say(database, "hall:1", "a", "b")
    assert [m["no"] for m in page.heard("live")] == [1, 2]
    assert other.heard("live") == []


@pytest.mark.parametrize(
    ("stream", "token"),
    [("hall:1", "may hall:2"), ("hall:1", None), ("nobody:1", "x"), (None, None), (["hall:1"], {})],
)
def test_others_are_refused_and_hear_nothing(
    app: Flask, database: Database, stream: object, token: object
) -> None:
    page = Page(app)
    assert page.follow(stream, token) == {"refused": True}
    say(database, "hall:1", "a")
    assert page.heard("live") == []


def test_who_asks_with_the_last_number_gets_what_was_missed(app: Flask, database: Database) -> None:
    say(database, "hall:1", "a", "b", "c")
    page = Page(app)
    answer = page.follow("hall:1", "may hall:1", last_no=1)
    assert answer["no"] == 3
    assert [(m["no"], m["payload"]["words"]) for m in answer["missed"]] == [(2, "b"), (3, "c")]
    for odd in (None, "1", 1.5, [1]):
        assert page.follow("hall:1", "may hall:1", last_no=odd)["missed"] == []


def test_a_long_absence_gets_the_newest(
    app: Flask, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "MOST_MISSED", 2)
    say(database, "hall:1", "a", "b", "c")
    answer = Page(app).follow("hall:1", "may hall:1", last_no=0)
    assert [m["no"] for m in answer["missed"]] == [2, 3]


def test_beats_carry_the_latest_numbers_to_those_who_follow(app: Flask, database: Database) -> None:
    gateway = app.extensions["xinglin"].live
    page = Page(app)
    gateway.beat()
    assert page.heard("beat") == []
    page.follow("hall:1", "may hall:1")
    page.follow("hall:2", "may hall:2")
    say(database, "hall:1", "a")
    page.heard("live")
    gateway.beat()
    assert page.heard("beat") == [{"stream": "hall:1", "no": 1}, {"stream": "hall:2", "no": 0}]


def test_streams_everybody_left_are_forgotten(app: Flask) -> None:
    gateway = app.extensions["xinglin"].live
    stays, leaves = Page(app), Page(app)
    stays.follow("hall:1", "may hall:1")
    leaves.follow("hall:1", "may hall:1")
    leaves.follow("hall:2", "may hall:2")
    leaves.io.disconnect("/live")
    gateway.beat()
    assert stays.heard("beat") == [{"stream": "hall:1", "no": 0}]
    assert gateway._followed == {"hall:1"}
