"""Billing, the real gateways and their notification routes against the running sandbox platforms.

Every test that takes `shop` runs once a platform: WeChat Pay, then Alipay.
"""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from flask import Blueprint, Response
from sqlalchemy.orm import Session

from backend.billing import handlers, queries, service
from backend.billing.models import Payment
from backend.billing.ports import PaymentGateway, TradeStatus
from backend.billing.rules import Tender
from backend.billing.verify import verify_ledger
from backend.billing.views import InvoiceView, PaymentView
from backend.channels import notify
from backend.channels.alipay import AlipayGateway, load_alipay_file
from backend.kernel.clock import SystemClock
from backend.kernel.dispatcher import Dispatcher
from backend.kernel.ids import Id
from backend.kernel.outbox import Subscriptions
from backend.kernel.uow import after_commit
from backend.web_parts import Parts
from backend.wechat.notify import create_blueprint
from backend.wechat.pay import WeChatPayGateway
from tests.contract.wechat.sandbox_process import DEADLINE, Sandbox, running_sandbox
from tests.factories.billing import MoneyWorld, make_world
from tests.factories.databases import SYSTEM, make_empty_database
from tests.factories.serving import listening
from tests.factories.webapp import ActorSwitch, make_app
from tests.services.ports import free_port


@dataclass
class Shop:
    """A hospital that sells over one platform: its books, its dispatcher, its platform."""

    tender: Tender
    notify_url: str

    world: MoneyWorld
    dispatcher: Dispatcher
    sandbox: Sandbox
    cashier: handlers.PlatformCashier
    #: One item for each payment report that was stored.
    stored: queue.Queue[TradeStatus] = field(default_factory=queue.Queue)
    #: One item for each answer of the notification route: its status code.
    answered: queue.Queue[int] = field(default_factory=queue.Queue)

    def show_code(self, amount_fen: int = 2500) -> tuple[Id, Id, str]:
        """A bill with a QR code on the kiosk: bill, payment, code text."""
        invoice_id = self.world.bill("REG-ASSOC")
        payment_id, _number = self.world.start_qr(invoice_id, amount_fen, self.tender)
        self.dispatcher.drain()
        return invoice_id, payment_id, self.payment(payment_id).code_url or ""

    @property
    def tells_refunds(self) -> bool:
        """WeChat Pay notifies of refunds; Alipay answers them."""
        return self.tender is Tender.WECHAT_NATIVE

    def payment(self, payment_id: Id) -> PaymentView:
        with self.world.database.read(SYSTEM) as session:
            return queries.get_payment(session, payment_id)

    def bill(self, invoice_id: Id) -> InvoiceView:
        with self.world.database.read(SYSTEM) as session:
            return queries.get_invoice(session, invoice_id)

    def wait_answer(self) -> int:
        """The next answer of the notification route."""
        return self.answered.get(timeout=DEADLINE)

    def problems(self) -> list[str]:
        """What the ledger's verifier finds wrong."""
        with self.world.database.read(SYSTEM) as session:
            return verify_ledger(session).problems


@pytest.fixture(scope="session")
def sandbox_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    directory: Path = tmp_path_factory.mktemp("billing-sandbox")
    with running_sandbox(directory) as sandbox:
        yield sandbox


@dataclass(frozen=True)
class Counter:
    """One platform's gateway and the route it is told by."""

    tender: Tender
    path: str
    open: Callable[[Sandbox, str], PaymentGateway]
    route: Callable[[PaymentGateway, service.RecordTradeStatus], Blueprint]


def open_alipay(sandbox: Sandbox, notify_url: str) -> PaymentGateway:
    path = sandbox.directory / "alipay.json"
    return AlipayGateway(lambda: load_alipay_file(path, notify_url=notify_url))


COUNTERS = {
    "wechat": Counter(
        Tender.WECHAT_NATIVE,
        "/wechat/pay/notify",
        lambda sandbox, url: WeChatPayGateway(sandbox.config(url)),
        create_blueprint,
    ),
    "alipay": Counter(Tender.ALIPAY_QR, "/alipay/notify", open_alipay, notify.create_blueprint),
}


@pytest.fixture(params=list(COUNTERS))
def shop(
    request: pytest.FixtureRequest, sandbox_process: Sandbox, tmp_path: Path
) -> Iterator[Shop]:
    counter = COUNTERS[request.param]
    sandbox_process.reset()
    port = free_port()
    notify_url = f"http://127.0.0.1:{port}{counter.path}"
    gateway = counter.open(sandbox_process, notify_url)
    gateways = {counter.tender: gateway}
    stored: queue.Queue[TradeStatus] = queue.Queue()
    answered: queue.Queue[int] = queue.Queue()

    def record(session: Session, status: TradeStatus) -> Payment:
        payment = service.apply_trade_status(session, status)
        after_commit(session, lambda: stored.put(status))
        return payment

    subscriptions = Subscriptions()
    handlers.subscribe(subscriptions, gateways, record)
    url = f"sqlite:///{tmp_path / 'shop.db'}"
    database = make_empty_database(url, SystemClock(), subscriptions)
    parts = Parts(without_forms=[counter.route(gateway, record)])
    app = make_app(database, tmp_path, ActorSwitch(), parts=parts)

    @app.after_request
    def note(answer: Response) -> Response:
        answered.put(answer.status_code)
        return answer

    try:
        with listening(app, port):
            yield Shop(
                counter.tender,
                notify_url,
                make_world(database),
                Dispatcher(database),
                sandbox_process,
                handlers.PlatformCashier(gateways, record),
                stored,
                answered,
            )
    finally:
        database.engine.dispose()
