"""One username and one person's clashing duties asked for by two administrators at the same time."""

from __future__ import annotations

from functools import partial

import pytest

from backend.identity.errors import DutiesClash, UsernameTaken
from backend.identity.rules import Role
from backend.kernel.uow import Database
from tests.concurrency.kernel.together import at_once
from tests.factories.clinic import Clinic, make_clinic
from tests.factories.staff import hashed, make_account


@pytest.fixture
def clinic(database: Database) -> Clinic:
    hashed()  # once, before anybody competes
    return make_clinic(database)


def test_the_second_of_one_name_is_told_so(database: Database, clinic: Clinic) -> None:
    answers = at_once(
        partial(make_account, database, clinic, "nurse", Role.TRIAGE_NURSE, person=person)
        for person in (0, 1)
    )
    assert [type(each) for each in answers if isinstance(each, Exception)] == [UsernameTaken]


def test_two_accounts_of_one_person_do_not_split_what_is_kept_apart(
    database: Database, clinic: Clinic
) -> None:
    answers = at_once(
        partial(make_account, database, clinic, name, role)
        for name, role in (("cashier", Role.CASHIER), ("prices", Role.PRICE_CLERK))
    )
    assert [type(each) for each in answers if isinstance(each, Exception)] == [DutiesClash]
