"""Collects what the domains show to the web: blueprints, navigation, actor loaders, stream guards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from flask import Blueprint, current_app, url_for

from backend.billing.backoffice import days, money_cases, prices, reconciliation, shifts
from backend.billing.rules import Tender
from backend.bootstrap import Program
from backend.channels.notify import create_blueprint as create_alipay_blueprint
from backend.clinical import backoffice as workstation
from backend.devices import api as kiosk_api
from backend.devices import backoffice as fleet
from backend.identity import backoffice as accounts
from backend.identity import login
from backend.indicators import backoffice as indicators
from backend.journeys import backoffice as front_desk
from backend.journeys import today
from backend.journeys.backoffice import examinations, stops
from backend.journeys.backoffice import sessions as session_acts
from backend.journeys.backoffice import waiting as waiting_lists
from backend.journeys.fees import registration_fees
from backend.journeys.settlement import record_trade_status
from backend.kernel import links
from backend.kernel.live import Guard
from backend.kernel.permissions import Permission, has
from backend.kernel.web import current_actor, deliveries
from backend.kernel.web.context import ActorLoader, NavItem
from backend.organization import backoffice as places
from backend.queueing import backoffice as queues
from backend.scheduling import backoffice as schedules
from backend.scheduling.backoffice.entry_form import FEES
from backend.wechat.notify import create_blueprint as create_notify_blueprint
from miniprogram_api import rush as rush_pages
from miniprogram_api import ticket as phone
from miniprogram_api.rush_room import WaitingRoom
from queue_display import pages as screens

#: Where the search box of the shell looks patients up.
FRONT_DESK = "front_desk.desk"


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
    parts = Parts(login_endpoint="login.login", shell=_shell)
    parts.actor_loaders += [
        (prefix, login.load_staff_actor) for prefix in ("/backoffice", "/login", "/logout")
    ]
    parts.actor_loaders.append((kiosk_api.PREFIX, kiosk_api.load_device_actor))
    parts.without_forms.append(kiosk_api.blueprint)
    parts.blueprints += [login.blueprint, accounts.home_blueprint, accounts.factor_blueprint]
    for domain in (
        front_desk,
        waiting_lists,
        examinations,
        workstation,
        accounts,
        places,
        schedules,
        stops,
        session_acts,
        prices,
        money_cases,
        shifts,
        days,
        reconciliation,
        indicators,
        fleet,
        queues,
        deliveries,
    ):
        parts.blueprints.append(domain.blueprint)
        parts.nav += domain.NAV
    wechat_pay = program.gateways.get(Tender.WECHAT_NATIVE)
    if wechat_pay is not None:
        parts.without_forms.append(create_notify_blueprint(wechat_pay, record_trade_status))
    alipay = program.gateways.get(Tender.ALIPAY_QR)
    if alipay is not None:
        parts.without_forms.append(create_alipay_blueprint(alipay, record_trade_status))
    parts.without_forms.append(rush_pages.blueprint)
    parts.extras["rush_room"] = WaitingRoom(
        program.database, most_inside=program.settings.rush_inside
    )
    others = {Tender.BANK_CARD: program.bank, Tender.INSURANCE: program.insurance}
    parts.extras["tenders"] = frozenset(program.gateways) | {
        tender for tender, party in others.items() if party is not None
    }
    parts.extras[FEES] = registration_fees
    parts.extras["home_facts"] = list(today.FACTS)
    parts.blueprints += [screens.blueprint, phone.blueprint]
    for stream in ("hall", "queue"):
        parts.stream_guards[stream] = partial(links.may_follow, program.secrets.secret_key)
    parts.nav = _in_sections(parts.nav)
    return parts


def _shell() -> dict[str, Any]:
    """Who works, and the front desk's search where there is one."""
    can_search = FRONT_DESK in current_app.view_functions and has(
        current_actor(), Permission.PATIENTS_PATIENT_READ
    )
    return {**login.staff_shell(), "search_url": url_for(FRONT_DESK) if can_search else None}


def _in_sections(items: tuple[NavItem, ...]) -> tuple[NavItem, ...]:
    """Each section together, at the place of its first entry."""
    first: dict[str, int] = {}
    for item in items:
        section = str(item.section)
        first[section] = min(item.order, first.get(section, item.order))
    return tuple(sorted(items, key=lambda i: (first[str(i.section)], str(i.section), i.order)))
