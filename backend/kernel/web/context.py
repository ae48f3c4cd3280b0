"""What a request can reach: the program's services, its actor, its units of work and its idempotency key."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from flask import Flask, Request, current_app, g, request
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from backend.kernel.errors import InvalidInput
from backend.kernel.live import LiveGateway
from backend.kernel.permissions import ANONYMOUS, Actor, Permission
from backend.kernel.uow import Database
from backend.settings import Secrets, Settings

ActorLoader = Callable[[Request], Actor | None]


@dataclass(frozen=True, slots=True)
class NavItem:
    """One entry of the back office's side navigation, shown to those with ``permission``."""

    label: object
    endpoint: str
    icon: str
    permission: Permission
    section: object
    order: int = 100


@dataclass(slots=True)
class Xinglin:
    """The web process's parts, put together by ``backend.app``; reach them by ``xinglin()``."""

    settings: Settings
    secrets: Secrets
    database: Database
    nav: tuple[NavItem, ...] = ()
    live: LiveGateway | None = None
    #: (path prefix, loader): the first prefix that fits says who the actor is.
    actor_loaders: list[tuple[str, ActorLoader]] = field(default_factory=list)
    #: What domains keep for their own blueprints, by domain name.
    parts: dict[str, Any] = field(default_factory=dict)


def install(app: Flask, services: Xinglin) -> None:
    """Make ``services`` reachable from requests of ``app``."""
    app.extensions["xinglin"] = services


def xinglin() -> Xinglin:
    """The parts of the running program."""
    services: Xinglin = current_app.extensions["xinglin"]
    return services


def load_actor() -> Actor:
    """Who makes this request; loaded once a request."""
    if "actor" not in g:
        g.actor = ANONYMOUS
        for prefix, loader in xinglin().actor_loaders:
            if request.path.startswith(prefix):
                g.actor = loader(request) or ANONYMOUS
                break
    actor: Actor = g.actor
    return actor


def read_uow() -> AbstractContextManager[Session]:
    """A reading unit of work for this request's actor."""
    return xinglin().database.read(load_actor(), request_id=request_id())


def write_uow(
    actor: Actor | None = None, *, housekeeping: bool = False
) -> AbstractContextManager[Session]:
    """A writing unit of work for this request's actor (or ``actor``, where login itself is the act)."""
    return xinglin().database.write(
        actor or load_actor(), request_id=request_id(), housekeeping=housekeeping
    )


def request_id() -> str:
    """The id of this request, as logs, audit rows and error pages show it."""
    value: str = g.get("request_id", "")
    return value


def idempotency_key() -> str:
    """The key of this command: header ``Idempotency-Key`` or form field ``_key``; empty when absent."""
    return request.headers.get("Idempotency-Key", "") or request.form.get("_key", "")


def required_key() -> str:
    """The same for a command that must not be sent without: InvalidInput (422)."""
    key = idempotency_key()
    if not key:
        raise InvalidInput(_("缺少防重复提交的标识"), code="idempotency_key_missing")
    return key
