"""One code sent by two browsers at the same time opens one session; without the account's lock both pass."""

from __future__ import annotations

import threading
from functools import partial
from typing import Any

import pytest
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from backend.identity import queries, service, totp
from backend.identity.rules import Role
from backend.identity.services import second_factor
from backend.kernel.clock import FixedClock
from backend.kernel.ids import Id
from backend.kernel.uow import Database
from tests.concurrency.kernel.together import DEADLINE, at_once
from tests.factories.clinic import make_clinic
from tests.factories.databases import SYSTEM
from tests.factories.staff import code_at, give_factor, make_account


def waiting_tokens(database: Database, number: int) -> list[str]:
    give_factor(database, make_account(database, make_clinic(database), "cashier", Role.CASHIER))
    tokens = []
    for _ in range(number):
        with database.read(SYSTEM) as session:
            credentials = queries.find_credentials(session, "cashier")
        with database.write(SYSTEM) as session:
            login = service.settle_login(
                session, credentials, is_password_right=True, allow_demo=True
            )
        assert login is not None
        tokens.append(login.token)
    return tokens


def send(database: Database, token: str, code: str) -> str | None:
    with database.write(SYSTEM) as session:
        return service.settle_code(session, token, code, allow_demo=True)


def test_a_code_sent_many_times_at_once_opens_one_session(
    database: Database, clock: FixedClock
) -> None:
    # Five: a fifth failure would lock the account, which is another rule.
    tokens = waiting_tokens(database, 5)
    answers = at_once(partial(send, database, token, code_at(clock.now())) for token in tokens)
    assert len([each for each in answers if isinstance(each, str)]) == 1
    assert answers.count(None) == 4


def test_without_the_lock_both_find_the_code_unused(
    postgres_database: Database, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: both look before either has written. Only the account's version stops the second then."""
    tokens = waiting_tokens(postgres_database, 2)
    both_looked = threading.Barrier(2)
    real = totp.matching_step
    accepted: list[int | None] = []

    def look_together(*args: Any, **kwargs: Any) -> int | None:
        accepted.append(real(*args, **kwargs))
        both_looked.wait(DEADLINE)
        return accepted[0]

    def unlocked(session: Session, model: type[Any], row_id: Id) -> Any:
        return session.get(model, row_id)

    monkeypatch.setattr(second_factor, "lock_row", unlocked)
    monkeypatch.setattr(totp, "matching_step", look_together)
    answers = at_once(
        partial(send, postgres_database, token, code_at(clock.now())) for token in tokens
    )
    assert accepted == [totp.step_of(clock.now())] * 2
    assert [type(each) for each in answers if not isinstance(each, str)] == [StaleDataError]
