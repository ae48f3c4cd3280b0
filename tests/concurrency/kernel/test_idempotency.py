"""The same command sent many times at once acts once; the control shows that without its row it acts many times."""

from __future__ import annotations

import threading
from functools import partial
from typing import Any

import pytest
from sqlalchemy.orm import Session

from backend.kernel import idempotency
from backend.kernel.errors import Conflict, InvalidInput
from backend.kernel.uow import Database
from tests.concurrency.kernel.together import DEADLINE, at_once
from tests.factories.databases import SYSTEM

TIMES = 8


class Counter:
    """Counts how often the act itself ran."""

    def __init__(self) -> None:
        self.acts = 0
        self._lock = threading.Lock()

    def act(self) -> dict[str, Any]:
        with self._lock:
            self.acts += 1
            return {"n": self.acts}


def send(database: Database, counter: Counter, key: str = "key", **request: int) -> Any:
    with database.write(SYSTEM) as session:
        return idempotency.once(session, "test", key, request or {"a": 1}, counter.act)


def test_eight_at_once_act_once_and_all_get_its_answer(database: Database) -> None:
    counter = Counter()
    answers = at_once([lambda: send(database, counter)] * TIMES)
    assert answers == [{"n": 1}] * TIMES
    assert counter.acts == 1


def test_other_keys_and_other_scopes_do_not_wait_for_each_other(database: Database) -> None:
    counter = Counter()
    answers = at_once(partial(send, database, counter, f"key-{n}") for n in range(TIMES))
    assert sorted(answer["n"] for answer in answers) == list(range(1, TIMES + 1))


def test_at_once_with_another_request_one_acts_and_the_others_are_refused(
    database: Database,
) -> None:
    counter = Counter()
    answers = at_once(partial(send, database, counter, a=n) for n in range(TIMES))
    assert counter.acts == 1
    refused = [answer for answer in answers if isinstance(answer, Conflict)]
    assert {error.error_code for error in refused} == {"idempotency_key_reused"}
    assert len(refused) == TIMES - 1


def test_when_the_first_fails_the_next_acts(database: Database) -> None:
    counter, failed = Counter(), threading.Event()

    def fail_once() -> dict[str, Any]:
        if not failed.is_set():
            failed.set()
            raise RuntimeError("the first one breaks")
        return counter.act()

    def send_one() -> Any:
        with database.write(SYSTEM) as session:
            return idempotency.once(session, "test", "key", {"a": 1}, fail_once)

    answers = at_once([send_one] * TIMES)
    assert [type(answer) for answer in answers].count(RuntimeError) == 1
    assert [answer for answer in answers if not isinstance(answer, Exception)] == [{"n": 1}] * (
        TIMES - 1
    )


def test_a_key_is_needed(database: Database) -> None:
    for key in ("", "k" * 201):
        with pytest.raises(InvalidInput) as refused:
            send(database, Counter(), key)
        assert refused.value.error_code == "idempotency_key_missing"


def test_control_a_look_before_the_act_is_not_enough(
    postgres_database: Database,
) -> None:
    """Two that look first, find nothing and then act both act: what the claimed row prevents."""
    counter, meeting = Counter(), threading.Barrier(2)

    def look_then_act() -> Any:
        with postgres_database.write(SYSTEM) as session:
            if _stored(session) is None:
                meeting.wait(DEADLINE)
                return counter.act()
        return None

    at_once([look_then_act] * 2)
    assert counter.acts == 2


def _stored(session: Session) -> object:
    return session.get(idempotency.IdempotencyAnswer, ("test", b"0" * 32))
