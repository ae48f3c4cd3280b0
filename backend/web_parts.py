"""Collects what the domains show to the web: blueprints, navigation, actor loaders, stream guards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from flask import Blueprint

from backend.billing import backoffice as prices
from backend.bootstrap import Program
from backend.journeys.settlement import record_trade_status
from backend.kernel.live import Guard
from backend.kernel.web.context import ActorLoader, NavItem
from backend.scheduling import backoffice as schedules
from backend.wechat.notify import create_blueprint as create_notify_blueprint


@dataclass(slots=True)
class Parts:
    """The domains' contributions. ``without_forms`` are blueprints of programs, which send no form token."""

    blueprints: list[Blueprint] = field(default_factory=list)
    without_forms: list[Blueprint] = field(default_factory=list)
    nav: tuple[NavItem, ...] = ()
    actor_loaders: list[tuple[str, ActorLoader]] = field(default_factory=list)
    stream_guards: dict[str, Guard] = field(default_factory=dict)
    login_endpoint: str = ""
    shell: Callable[[], dict[str, Any]] | None = None
    extras: dict[str, Any] = field(default_factory=dict)


def collect_parts(program: Program) -> Parts:
    """Everything the running application shows."""
    parts = Parts()
    for domain in (schedules, prices):
        parts.blueprints.append(domain.blueprint)
        parts.nav += domain.NAV
    if program.gateway is not None:
        parts.without_forms.append(create_notify_blueprint(program.gateway, record_trade_status))
    return parts
