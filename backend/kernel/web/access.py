"""Access: every view names the permission it needs or says why it is public; everything else is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from flask import Flask, current_app, request

from backend.kernel.errors import Forbidden, Unauthenticated
from backend.kernel.ids import Id
from backend.kernel.permissions import Actor, ActorKind, Permission, has
from backend.kernel.web.context import load_actor

View = TypeVar("View", bound=Callable[..., Any])
MARK = "xinglin_access"


@dataclass(frozen=True, slots=True)
class Access:
    """How a view may be reached: by a permission, or by anyone for a stated reason."""

    permission: Permission | None
    reason: str = ""


def requires(permission: Permission) -> Callable[[View], View]:
    """Only actors with ``permission`` reach the view; scope in hospital and department is checked by the service."""

    def mark(view: View) -> View:
        setattr(view, MARK, Access(permission))
        return view

    return mark


def public(reason: str) -> Callable[[View], View]:
    """Anyone may reach the view; ``reason`` says what else protects it, or why nothing need."""

    def mark(view: View) -> View:
        setattr(view, MARK, Access(None, reason))
        return view

    return mark


def access_of(view: Callable[..., Any]) -> Access | None:
    """What a view was marked with."""
    found: Access | None = getattr(view, MARK, None)
    return found


def current_actor() -> Actor:
    """Who makes this request."""
    return load_actor()


def own_hospital_id() -> Id:
    """The hospital of who makes this request; Forbidden for actors of none."""
    hospital_id = load_actor().hospital_id
    if hospital_id is None:
        raise Forbidden
    return hospital_id


def install(app: Flask) -> None:
    """Check every request before its view runs. Flask's own static files are public."""

    @app.before_request
    def check() -> None:
        if request.endpoint is None:
            return
        access = access_of(current_app.view_functions[request.endpoint])
        if access is None:
            if request.endpoint.rpartition(".")[2] == "static":
                return
            raise Forbidden(code="route_without_permission")
        if access.permission is None:
            return
        actor = load_actor()
        if not has(actor, access.permission):
            if actor.kind is ActorKind.ANONYMOUS:
                raise Unauthenticated
            raise Forbidden(permission=access.permission.value)
