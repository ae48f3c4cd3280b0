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
from backend.kernel.uow import Database
from tests.factories.clinic import Clinic, make_clinic
from tests.factories.staff import PASSWORD
from tests.factories.webapp import make_program

LogIn = Callable[..., TestResponse]


@pytest.fixture
def clinic(sqlite_database: Database) -> Clinic:
    return make_clinic(sqlite_database)


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
