"""The real application with a small blueprint that fails in every way, over SQLite."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Blueprint, Flask, abort
from flask.testing import FlaskClient
from pydantic import BaseModel

from backend.kernel import audit
from backend.kernel.errors import (
    Conflict,
    Forbidden,
    Gone,
    InvalidInput,
    NotFound,
    RateLimited,
    StaleVersion,
    Unavailable,
    XinglinError,
)
from backend.kernel.ids import Id, new_id
from backend.kernel.permissions import Permission
from backend.kernel.uow import Database
from backend.kernel.web import idempotency_key, public, requires, write_uow
from backend.kernel.web.bodies import read_json
from tests.factories.webapp import ActorSwitch, make_app, staff_actor

ERRORS: dict[str, type[XinglinError]] = {
    kind.code: kind
    for kind in (InvalidInput, NotFound, Conflict, StaleVersion, Gone, RateLimited, Unavailable)
}
HOSPITAL = new_id()


class Order(BaseModel):
    """A JSON body."""

    amount_fen: int
    name: str


def make_blueprint() -> Blueprint:
    """Routes that answer, refuse and break."""
    blueprint = Blueprint("probe", __name__)

    @blueprint.get("/probe/raise/<code>")
    @blueprint.get("/api/probe/raise/<code>", endpoint="raise_api")
    @public("a test")
    def fail(code: str) -> str:
        raise ERRORS[code](fields={"phone": "写法有误"}, due_fen=100, secret=object())

    @blueprint.get("/probe/break")
    @blueprint.get("/api/probe/break", endpoint="break_api")
    @public("a test")
    def breaks() -> str:
        raise RuntimeError("王建国 110105196005040015")

    @blueprint.get("/probe/abort/<int:status>")
    @public("a test")
    def aborts(status: int) -> str:
        abort(status)

    @blueprint.get("/probe/guarded")
    @requires(Permission.BILLING_PRICE_READ)
    def guarded() -> str:
        return "prices"

    @blueprint.get("/probe/department")
    @requires(Permission.QUEUEING_TICKET_CALL)
    def department() -> str:
        raise Forbidden(permission="queueing:ticket:call")

    @blueprint.get("/probe/unmarked")
    def unmarked() -> str:
        return "secret"

    @blueprint.post("/probe/form")
    @public("a test")
    def form() -> str:
        return idempotency_key() or "none"

    @blueprint.post("/api/probe/order")
    @public("a test")
    def order() -> dict[str, object]:
        found = read_json(Order)
        with write_uow() as session:
            audit.record(session, "test.order", entity="order", entity_id=Id(int=1))
        return {"amount_fen": found.amount_fen}

    return blueprint


@pytest.fixture
def switch() -> ActorSwitch:
    """Nobody, until a test sets ``switch.actor``."""
    return ActorSwitch()


@pytest.fixture
def app(sqlite_database: Database, tmp_path: Path, switch: ActorSwitch) -> Flask:
    return make_app(sqlite_database, tmp_path, switch, make_blueprint())


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def cashier(switch: ActorSwitch) -> None:
    """Somebody who may read prices and no more."""
    switch.actor = staff_actor(HOSPITAL, Permission.BILLING_PRICE_READ)
