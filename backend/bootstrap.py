"""Joins what the domains leave open: models to the metadata, ports to adapters, events to subscribers."""

from __future__ import annotations

import datetime as dt
import importlib
import pkgutil
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import backend
from backend.billing import handlers as billing
from backend.billing import tasks as billing_tasks
from backend.billing.handlers import Gateways
from backend.billing.ports import BillSource, CardGateway, PaymentGateway
from backend.billing.ports.insurance import InsuranceGateway
from backend.billing.rules import Tender
from backend.billing.tasks import cards as billing_cards
from backend.billing.tasks import watch as billing_watch
from backend.channels import accounts
from backend.channels.alipay_bill import AlipayBillSource
from backend.channels.bank_bill import BankBillSource
from backend.channels.insurance_bill import InsuranceBillSource
from backend.devices import tasks as device_tasks
from backend.journeys import booking, disruptions, settlement, waiting
from backend.kernel import audit, dispatcher, idempotency, live, outbox
from backend.kernel.clock import Clock
from backend.kernel.crypto import KeyRing
from backend.kernel.jobs import PeriodicJob
from backend.kernel.outbox import Subscriptions
from backend.kernel.uow import Database, now
from backend.scheduling import handlers as scheduling
from backend.scheduling import tasks as scheduling_tasks
from backend.scheduling.rules import BookingPolicies
from backend.scheduling.schemas import read_policies
from backend.settings import Secrets, Settings, load_secrets
from backend.wechat.bills import WeChatBillSource
from backend.wechat.merchant import MerchantGateway

OUTBOX_KEPT = dt.timedelta(days=30)


#: The kernel's modules with tables of their own; importing this module makes them part of the schema.
KERNEL_TABLES = (audit, dispatcher, idempotency, live, outbox)


def import_models() -> None:
    """Import every domain's ``models``, so that the metadata is whole."""
    for package in pkgutil.iter_modules(backend.__path__):
        if not package.ispkg or package.name in {"kernel", "contracts", "sandbox", "migrations"}:
            continue
        path = importlib.import_module(f"backend.{package.name}").__path__
        if any(module.name == "models" for module in pkgutil.iter_modules(path)):
            importlib.import_module(f"backend.{package.name}.models")


@dataclass(frozen=True, slots=True)
class Program:
    """What every process of the backend has: settings, secrets and the database with its subscribers."""

    settings: Settings
    secrets: Secrets
    database: Database
    #: The payment platforms by tender; empty where nothing is sold (some tests).
    gateways: Gateways = field(default_factory=dict)
    #: The channels whose daily bills are held against our books.
    bills: tuple[BillSource, ...] = ()
    #: The bank's card front end; None where cards are not taken.
    bank: CardGateway | None = None
    #: The national insurance; None where it is not contracted.
    insurance: InsuranceGateway | None = None


def audit_heads(settings: Settings) -> Path:
    """The file outside the database that repeats the heads of the audit chain."""
    return settings.data_dir / "audit-heads.log"


def build_program(settings: Settings, clock: Clock | None = None) -> Program:
    """Join everything a process needs before it serves, works or runs a command."""
    import_models()
    secrets = load_secrets(settings)
    gateways = open_gateways(settings)
    subscriptions = Subscriptions()
    billing.subscribe(subscriptions, gateways, settlement.record_trade_status)
    bank = accounts.open_bank(settings)
    if bank is not None:
        billing.subscribe_cards(subscriptions, bank, settlement.record_trade_status)
    centre = accounts.open_insurance(settings)
    if centre is not None:
        billing.subscribe_insurance(subscriptions, centre, settlement.record_trade_status)
    einvoices = accounts.open_einvoices(settings)
    if einvoices is not None:
        billing.subscribe_einvoices(subscriptions, einvoices)
    scheduling.subscribe(subscriptions)
    booking.subscribe(subscriptions)
    waiting.subscribe(subscriptions)
    disruptions.subscribe(subscriptions)
    settlement.subscribe(subscriptions)
    database = Database(
        settings.url,
        keys=KeyRing(secrets.keys, secrets.blind_index_key),
        subscriptions=subscriptions,
        clock=clock,
        configuration=[booking_policies(settings)],
    )
    bills = open_bills(settings, database)
    return Program(settings, secrets, database, gateways, bills, bank, centre)


def open_gateways(settings: Settings) -> Gateways:
    """Every payment platform this installation offers, by tender."""
    gateways: dict[Tender, PaymentGateway] = {Tender.WECHAT_NATIVE: open_gateway(settings)}
    alipay = accounts.open_alipay(settings)
    if alipay is not None:
        gateways[Tender.ALIPAY_QR] = alipay
    return gateways


def open_bills(settings: Settings, database: Database) -> tuple[BillSource, ...]:
    """Every channel whose daily bill this installation fetches; the insurance is asked with what ``database`` has."""
    alipay, bank = accounts.open_alipay(settings), accounts.open_bank(settings)
    centre, read_ours = (
        accounts.open_insurance(settings),
        partial(billing_tasks.list_insured, database),
    )
    return (
        WeChatBillSource(open_gateway(settings)),
        *([AlipayBillSource(alipay)] if alipay is not None else ()),
        *([BankBillSource(bank)] if bank is not None else ()),
        *([InsuranceBillSource(centre, read_ours)] if centre is not None else ()),
    )


def merchant_file(settings: Settings) -> Path:
    """Where the WeChat Pay merchant account lies; outside production the one of the sandbox beside us."""
    return settings.wechatpay_file or settings.data_dir / "sandbox" / "merchant.json"


def booking_policies(settings: Settings) -> BookingPolicies:
    """The rules of booking in force. PolicyFileInvalid (a ValueError) stops the start."""
    hold = dt.timedelta(minutes=settings.hold_minutes)
    return read_policies(settings.booking_policy_file, hold=hold)


def open_gateway(settings: Settings) -> MerchantGateway:
    """The payment platform of the configured merchant account; outside production the one beside us.

    FileNotFoundError in production, where a missing account must stop the start.
    """
    path = merchant_file(settings)
    if settings.is_production and not path.is_file():
        raise FileNotFoundError(f"XINGLIN_WECHATPAY_FILE: no such file: {path}")
    return MerchantGateway(path, external_url=settings.external_url)


def periodic_jobs(program: Program) -> list[PeriodicJob]:
    """All work on the minute clock."""

    def seal(database: Database) -> None:
        audit.seal(database, audit_heads(program.settings))

    def tidy(database: Database) -> None:
        with database.write(housekeeping=True) as session:
            idempotency.forget_old(session)
            live.forget_old(session)
            outbox.forget_old(session, now(session) - OUTBOX_KEPT)

    cards: list[PeriodicJob] = []
    if program.bank is not None:
        cashier = billing.CardCashier(program.bank, settlement.record_trade_status)
        cards = billing_cards.jobs(cashier.settle_due)
    return [
        PeriodicJob("seal-audit", seal),
        PeriodicJob("tidy-kernel", tidy, minutes=30),
        *cards,
        *billing_tasks.jobs(program.bills, settlement.record_trade_status),
        *billing_watch.jobs(dt.timedelta(hours=program.settings.silence_hours)),
        *scheduling_tasks.JOBS,
        *device_tasks.JOBS,
    ]
