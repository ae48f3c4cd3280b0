"""Money for tests: a hospital with a price list, a patient, bills, and a platform that is scripted."""

from __future__ import annotations

import datetime as dt
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import cast

from sqlalchemy.orm import Session

from backend.billing import service
from backend.billing.models import Charge, Invoice
from backend.billing.ports import (
    GatewayRefused,
    RefundState,
    RefundStatus,
    TradeState,
    TradeStatus,
)
from backend.billing.rules import PriceCategory, Tender
from backend.billing.services.payments import start_payment
from backend.kernel.ids import Id, new_id
from backend.kernel.uow import Database, now, today
from backend.organization.service import add_hospital
from backend.patients.models import Patient
from tests.factories.databases import SYSTEM

#: code → (name, category, price in fen)
PRICES = {
    "REG-ASSOC": ("副主任医师门诊诊查费", PriceCategory.REGISTRATION, 2500),
    "LAB-CBC": ("血常规（五分类）", PriceCategory.LABORATORY, 2000),
    "CT-CHEST": ("胸部CT平扫", PriceCategory.IMAGING, 18000),
    "DRUG-1": ("昂丹司琼片", PriceCategory.DRUG, 3333),
    "FREE": ("义诊", PriceCategory.REGISTRATION, 0),
}


@dataclass(frozen=True, slots=True)
class MoneyWorld:
    """A database with one hospital, its prices and one patient."""

    database: Database
    hospital_id: Id
    patient_id: Id

    def bill(self, *codes: str, expires_in: dt.timedelta | None = None) -> Id:
        """A fresh open bill over one charge a code."""
        with self.database.write(SYSTEM) as session:
            return self.bill_in(session, *codes, expires_in=expires_in).id

    def bill_in(
        self, session: Session, *codes: str, expires_in: dt.timedelta | None = None
    ) -> Invoice:
        """The same inside a unit of work of the caller's."""
        charges = [self.charge_in(session, code) for code in codes]
        return service.open_invoice(
            session,
            patient_id=self.patient_id,
            charge_ids=[charge.id for charge in charges],
            expires_at=now(session) + expires_in if expires_in is not None else None,
        )

    def charge_in(self, session: Session, code: str, quantity: int = 1) -> Charge:
        """A fresh charge."""
        return service.raise_charge(
            session,
            hospital_id=self.hospital_id,
            patient_id=self.patient_id,
            price_item_code=code,
            quantity=quantity,
            source_kind="order",
            source_id=new_id(),
        )

    def start_qr(
        self, invoice_id: Id, amount_fen: int, tender: Tender = Tender.WECHAT_NATIVE
    ) -> tuple[Id, str]:
        """Begin a payment at a platform: its id and its number there."""
        with self.database.write(SYSTEM) as session:
            payment = start_payment(
                session, invoice_id=invoice_id, amount_fen=amount_fen, tender=tender
            )
            return payment.id, payment.out_trade_no or ""

    def report(self, status: TradeStatus) -> None:
        """The platform says so."""
        with self.database.write(SYSTEM) as session:
            service.apply_trade_status(session, status)

    def report_refund(self, status: RefundStatus) -> None:
        """The platform says so about a refund."""
        with self.database.write(SYSTEM) as session:
            service.apply_refund_status(session, status)


def make_patient(session: Session, hospital_id: Id, name: str = "张小三") -> Id:
    """A patient row, enough to owe money; the caller's unit of work must be audited."""
    patient_id = new_id()
    session.add(
        Patient(
            id=patient_id,
            hospital_id=hospital_id,
            name=name,
            pinyin="zhangxiaosan",
            pinyin_initials="zxs",
            sex=1,
            birth_date=dt.date(1990, 3, 7),
            id_kind="01",
            id_number_sealed=b"sealed",
            id_number_index=patient_id.bytes * 2,
            id_number_masked="1101**********8888",
            registered_at=now(session),
        )
    )
    session.flush()
    return patient_id


def swipe_card(session: Session, hospital_id: Id, patient_id: Id, card: str) -> Id:
    """A bill of 25 yuan that a card is swiped for, before any bank has heard of it; the payment."""
    charge_world = MoneyWorld(cast(Database, None), hospital_id, patient_id)
    name, category, price_fen = PRICES["REG-ASSOC"]
    service.set_price(
        session,
        hospital_id=hospital_id,
        code="CARD-TEST",
        name=name,
        unit="次",
        category=category,
        price_fen=price_fen,
        effective_from=today(session),
    )
    session.flush()
    invoice = charge_world.bill_in(session, "CARD-TEST")
    return service.start_card_payment(
        session, invoice_id=invoice.id, amount_fen=price_fen, swiped=card
    ).id


def make_world(database: Database) -> MoneyWorld:
    """A hospital with the prices above and one patient."""
    with database.write(SYSTEM) as session:
        hospital_id = add_hospital(session, code="H1", name="杏林肿瘤医院").id
        patient_id = make_patient(session, hospital_id)
        for code, (name, category, price_fen) in PRICES.items():
            service.set_price(
                session,
                hospital_id=hospital_id,
                code=code,
                name=name,
                unit="次",
                category=category,
                price_fen=price_fen,
                effective_from=today(session),
            )
    return MoneyWorld(database, hospital_id, patient_id)


def paid(number: str, amount_fen: int | None, at: dt.datetime | None = None) -> TradeStatus:
    """The platform says: paid."""
    return TradeStatus(number, TradeState.SUCCESS, amount_fen, f"tx-{number[:8]}", at)


@dataclass
class ScriptedGateway:
    """A platform with orders of its own; ``fail_next`` queues what the next calls raise instead.

    ``lost`` calls act and then raise: the answer is lost on the way.
    """

    channel: str = "wechat_native"
    orders: dict[str, TradeStatus] = field(default_factory=dict)
    refunds: dict[str, RefundStatus] = field(default_factory=dict)
    fail_next: deque[Exception | None] = field(default_factory=deque)
    lose_next: deque[Exception] = field(default_factory=deque)
    calls: list[str] = field(default_factory=list)
    refund_state: RefundState = RefundState.SUCCESS
    #: Happens while the platform opens an order: somebody is quicker than its answer.
    meanwhile: Callable[[], None] = lambda: None

    def create_native(
        self, *, out_trade_no: str, amount_fen: int, description: str, expires_at: dt.datetime
    ) -> str:
        self._begin("create")
        known = self.orders.setdefault(
            out_trade_no, TradeStatus(out_trade_no, TradeState.NOT_PAID, amount_fen)
        )
        if known.state is not TradeState.NOT_PAID:
            raise GatewayRefused("ORDERPAID", "paid or closed")
        self.meanwhile()
        self._end()
        return f"weixin://wxpay/bizpayurl?pr={out_trade_no}"

    def query(self, out_trade_no: str) -> TradeStatus:
        self._begin("query")
        self._end()
        absent = TradeStatus(out_trade_no, TradeState.NOT_FOUND)
        return self.orders.get(out_trade_no, absent)

    def close(self, out_trade_no: str) -> None:
        self._begin("close")
        known = self.orders.get(out_trade_no)
        if known is None:
            raise GatewayRefused("ORDER_NOT_EXIST", "no such order")
        if known.state.is_paid:
            raise GatewayRefused("ORDERPAID", "paid")
        self.orders[out_trade_no] = TradeStatus(out_trade_no, TradeState.CLOSED, known.amount_fen)
        self._end()

    def refund(
        self,
        *,
        out_refund_no: str,
        out_trade_no: str,
        amount_fen: int,
        total_fen: int,
        reason: str,
    ) -> RefundStatus:
        self._begin("refund")
        status = self.refunds.setdefault(
            out_refund_no,
            RefundStatus(out_refund_no, out_trade_no, self.refund_state, amount_fen, "r-1"),
        )
        self._end()
        return status

    def query_refund(self, out_refund_no: str, out_trade_no: str) -> RefundStatus:
        self._begin("query_refund")
        self._end()
        absent = RefundStatus(out_refund_no, None, RefundState.NOT_FOUND)
        return self.refunds.get(out_refund_no, absent)

    def parse_notification(
        self, headers: Mapping[str, str], body: bytes
    ) -> TradeStatus | RefundStatus:
        raise NotImplementedError

    def pay(self, out_trade_no: str, amount_fen: int | None = None) -> TradeStatus:
        """The payer pays at the platform."""
        order = self.orders[out_trade_no]
        status = paid(out_trade_no, amount_fen or order.amount_fen)
        self.orders[out_trade_no] = status
        return status

    def _begin(self, call: str) -> None:
        self.calls.append(call)
        error = self.fail_next.popleft() if self.fail_next else None
        if error is not None:
            raise error

    def _end(self) -> None:
        if self.lose_next:
            raise self.lose_next.popleft()
