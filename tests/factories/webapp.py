"""Web applications for tests: the real ``create_app`` over a test database, with the blueprints asked for."""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint, Flask, Request

from backend.app import create_app
from backend.bootstrap import Program
from backend.kernel.ids import Id
from backend.kernel.permissions import Actor, ActorKind, Permission
from backend.kernel.uow import Database
from backend.settings import Environment, Secrets, Settings
from backend.web_parts import Parts


def make_settings(data_dir: Path, **values: object) -> Settings:
    """Settings for a test, from nothing but the arguments."""
    return Settings(env=Environment.TEST, data_dir=data_dir, **values)  # type: ignore[arg-type]


def make_program(database: Database, data_dir: Path, **values: object) -> Program:
    """A program over a test database; ``values`` are settings."""
    secrets = Secrets("test-secret-" * 4, {"t1": bytes(range(32))}, bytes(range(32, 64)))
    return Program(make_settings(data_dir, **values), secrets, database)


def staff_actor(
    hospital_id: Id,
    *permissions: Permission,
    practitioner_id: Id | None = None,
    account_id: Id | None = None,
) -> Actor:
    """A member of staff with these permissions in the whole hospital."""
    return Actor(
        ActorKind.STAFF,
        id=account_id,
        hospital_id=hospital_id,
        label="T001",
        grants=dict.fromkeys(permissions),
        practitioner_id=practitioner_id,
    )


class ActorSwitch:
    """An actor loader whose actor a test sets: ``switch.actor = staff_actor(…)``."""

    def __init__(self) -> None:
        self.actor: Actor | None = None

    def __call__(self, _request: Request) -> Actor | None:
        return self.actor


def make_app(
    database: Database,
    data_dir: Path,
    switch: ActorSwitch,
    *blueprints: Blueprint,
    parts: Parts | None = None,
) -> Flask:
    """The application with ``blueprints``, its actor chosen by ``switch``; form tokens are not asked for."""
    parts = parts or Parts()
    parts.blueprints.extend(blueprints)
    parts.actor_loaders.append(("", switch))
    app = create_app(make_program(database, data_dir), parts)
    app.config.update(TESTING=True, WTF_CSRF_ENABLED=False, PROPAGATE_EXCEPTIONS=False)
    return app
