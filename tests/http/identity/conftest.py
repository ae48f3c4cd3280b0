"""The running program's own pages with real logins, over SQLite."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from backend.app import create_app
from backend.identity.rules import Role
from backend.kernel.ids import Id
from backend.kernel.uow import Database
from tests.factories.clinic import Clinic, make_clinic
from tests.factories.staff import PASSWORD, code_at, give_factor, make_account
from tests.factories.webapp import make_program

LogIn = Callable[..., TestResponse]


@pytest.fixture
def clinic(sqlite_database: Database) -> Clinic:
    """Three people: duties are kept apart by person, and nobody gives roles to themselves."""
    return make_clinic(sqlite_database, practitioners=3)


@pytest.fixture
def app(sqlite_database: Database, clinic: Clinic, tmp_path: Path) -> Flask:
    return create_app(make_program(sqlite_database, tmp_path))


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def form_token(page: TestResponse) -> str:
    """The token against forgery that a page's forms carry."""
    found = re.search(r'name="csrf-token" content="([^"]+)"', page.text)
    assert found is not None
    return found[1]


@pytest.fixture
def log_in(client: FlaskClient) -> LogIn:
    """Log in as a browser does: open the form, send it with its token."""

    def send(username: str, password: str = PASSWORD, **fields: str) -> TestResponse:
        token = form_token(client.get("/login"))
        form = {"username": username, "password": password, "csrf_token": token, **fields}
        return client.post("/login", data=form)

    return send


@pytest.fixture
def administrator(
    sqlite_database: Database, clinic: Clinic, client: FlaskClient, log_in: LogIn
) -> Id:
    """An administrator, logged in with password and code; the account's id."""
    account_id = make_account(sqlite_database, clinic, "admin", Role.ADMINISTRATOR, person=2)
    give_factor(sqlite_database, account_id)
    log_in("admin")
    code = code_at(sqlite_database.clock.now())
    send_form(client, "/login/code", code=code)
    return account_id


def send_form(client: FlaskClient, path: str, on: str = "/login", **fields: str) -> TestResponse:
    """Send a form with the token of the page ``on``, or of the page that one leads to."""
    token = form_token(client.get(on, follow_redirects=True))
    return client.post(path, data={"csrf_token": token, **fields})
