"""A hospital with kiosks at its door: the real application, spoken to as the kiosk program does."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event
from werkzeug.test import TestResponse

from backend.app import create_app
from backend.billing import handlers as billing_handlers
from backend.billing import queries as bills
from backend.billing import service as billing
from backend.billing.rules import PriceCategory, Tender
from backend.devices import service as devices
from backend.journeys import booking, settlement
from backend.kernel.dispatcher import Dispatcher
from backend.kernel.ids import Id, parse_id
from backend.kernel.outbox import Subscriptions
from backend.kernel.uow import Database
from backend.queueing import service as queueing
from backend.scheduling import handlers as scheduling_handlers
from backend.web_parts import collect_parts
from tests.factories.billing import ScriptedGateway
from tests.factories.clinic import FEE_FEN, Clinic, make_clinic, open_schedules
from tests.factories.databases import SYSTEM
from tests.factories.people import id_number, make_patient
from tests.factories.webapp import make_program

API = "/api/kiosk/v1"
CARD_NUMBER = "60010001"
CARD: dict[str, Any] = {
    "name": "张小三",
    "sex": 1,
    "ethnic_group": "01",
    "birth_date": "1960-05-04",
    "address": "北京市朝阳区某路 1 号",
    "number": id_number(21),
    "authority": "北京市公安局朝阳分局",
    "valid_from": "2016-01-01",
    "valid_until": "2036-01-01",
}


def error_of(answer: TestResponse) -> tuple[int, str]:
    """Status and code of a refusal, which must be a whole problem."""
    assert answer.mimetype == "application/problem+json", answer.get_data(as_text=True)
    body = answer.get_json()
    assert body["status"] == answer.status_code
    assert body["title"]
    assert body["next_step"]
    assert body["request_id"] == answer.headers["X-Request-Id"]
    return answer.status_code, body["code"]


@dataclass
class Kiosk:
    """One kiosk and the patient before it."""

    http: FlaskClient
    credential: str
    id: Id
    session: str = ""

    def send(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        key: str = "",
        session: str | None = None,
    ) -> TestResponse:
        """One request as the kiosk program sends it."""
        headers = {"Authorization": f"Bearer {self.credential}"}
        token = self.session if session is None else session
        if token:
            headers["X-Patient-Session"] = token
        if key:
            headers["Idempotency-Key"] = key
        return self.http.open(API + path, method=method, json=body, headers=headers)

    def ok(self, method: str, path: str, body: object = None, *, key: str = "") -> Any:
        """The JSON of a request that must be accepted."""
        answer = self.send(method, path, body, key=key)
        assert answer.status_code < 300, answer.get_data(as_text=True)
        return answer.get_json() if answer.status_code != 204 else None

    def identify(self, body: dict[str, Any]) -> dict[str, Any]:
        """Somebody steps before the kiosk."""
        found: dict[str, Any] = self.ok("POST", "/identify", body)
        self.session = found["session"]
        return found

    def hospital_card(self, number: str = CARD_NUMBER) -> dict[str, Any]:
        """Somebody with a hospital card."""
        return self.identify({"kind": "hospital_card", "number": number})

    def book(self, schedule_id: Id, key: str = "book-1") -> dict[str, Any]:
        """A place and its bill."""
        found: dict[str, Any] = self.ok(
            "POST", "/appointments", {"schedule_id": str(schedule_id)}, key=key
        )
        return found

    def start_payment(self, invoice: dict[str, Any], key: str = "pay-1") -> dict[str, Any]:
        """A QR payment of a bill."""
        body = {"invoice_id": invoice["invoice_id"], "amount_fen": invoice["total_fen"]}
        found: dict[str, Any] = self.ok("POST", "/payments", body, key=key)
        return found


@dataclass
class Door:
    """The application, its clinic and the platform behind it."""

    database: Database
    app: Flask
    clinic: Clinic
    schedule_ids: list[Id]
    gateway: ScriptedGateway
    patient_id: Id
    other_id: Id

    def kiosk(self, code: str = "K01") -> Kiosk:
        """One more enrolled kiosk."""
        with self.database.write(SYSTEM) as session:
            _row, secret = devices.add_kiosk(
                session,
                hospital_id=self.clinic.hospital_id,
                code=code,
                name=f"自助机 {code}",
                location_id=self.clinic.room_id,
            )
        http = self.app.test_client()
        answer = http.post(f"{API}/enrol", json={"code": secret}).get_json()
        kiosk_id = parse_id(answer["kiosk_id"])
        assert kiosk_id is not None
        return Kiosk(http, answer["credential"], kiosk_id)

    def drain(self) -> None:
        """Everything that is due happens."""
        Dispatcher(self.database).drain()

    def pay_at_platform(self, payment_id: str) -> None:
        """The payer scans and pays; the platform tells us."""
        with self.database.read(SYSTEM) as session:
            number = bills.get_payment(session, Id(payment_id)).out_trade_no or ""
        status = self.gateway.pay(number)
        with self.database.write(SYSTEM) as session:
            settlement.record_trade_status(session, status)

    def paid_visit(self, kiosk: Kiosk, schedule: int = 0, key: str = "1") -> dict[str, Any]:
        """A booked and paid visit of the person before the kiosk."""
        visit = kiosk.book(self.schedule_ids[schedule], key=f"book-{key}")
        payment = kiosk.start_payment(visit["invoice"], key=f"pay-{key}")
        self.drain()
        self.pay_at_platform(payment["payment_id"])
        return visit

    def book_for(self, patient_id: Id, schedule: int = 0) -> booking.BookedVisit:
        """A place held for somebody elsewhere."""
        with self.database.write(SYSTEM) as session:
            return booking.book_visit(
                session,
                patient_id=patient_id,
                schedule_id=self.schedule_ids[schedule],
                channel="counter",
            )

    @contextmanager
    def counted(self) -> Iterator[list[str]]:
        """The SQL statements that run inside the block, without transaction control."""
        found: list[str] = []

        def note(_c: object, _k: object, statement: str, *_rest: object) -> None:
            if not statement.startswith(("BEGIN", "PRAGMA", "SAVEPOINT", "RELEASE")):
                found.append(statement)

        event.listen(self.database.engine, "before_cursor_execute", note)
        try:
            yield found
        finally:
            event.remove(self.database.engine, "before_cursor_execute", note)


def subscribe_all(subscriptions: Subscriptions, gateway: ScriptedGateway) -> Subscriptions:
    """The subscribers of the running program, with a scripted platform."""
    billing_handlers.subscribe(
        subscriptions, {Tender.WECHAT_NATIVE: gateway}, settlement.record_trade_status
    )
    scheduling_handlers.subscribe(subscriptions)
    booking.subscribe(subscriptions)
    settlement.subscribe(subscriptions)
    return subscriptions


def make_door(database: Database, gateway: ScriptedGateway, data_dir: Path) -> Door:
    """A clinic with prices, a queue, two schedules of today and two patients with cards."""
    clinic = make_clinic(database, practitioners=2, patients=0, capacity=6)
    schedule_ids = open_schedules(database, clinic)
    with database.write(SYSTEM) as session:
        billing.set_price(
            session,
            hospital_id=clinic.hospital_id,
            code="REG-CHIEF",
            name="主任医师诊查费",
            unit="次",
            category=PriceCategory.REGISTRATION,
            price_fen=FEE_FEN,
            effective_from=dt.date(2026, 1, 1),
        )
        queueing.add_queue(
            session,
            hospital_id=clinic.hospital_id,
            code="Q1",
            name="乳腺外科",
            prefix="A",
            department_id=clinic.department_id,
            hall_location_id=clinic.room_id,
            room_ids=[clinic.room_id],
        )
        one = make_patient(session, clinic.hospital_id, card_number=CARD_NUMBER)
        two = make_patient(
            session, clinic.hospital_id, sequence=2, name="李桂英", card_number="60010002"
        )
        ids = one.id, two.id
    program = make_program(database, data_dir)
    app = create_app(program, collect_parts(program))
    app.config.update(TESTING=True, PROPAGATE_EXCEPTIONS=False)
    return Door(database, app, clinic, schedule_ids, gateway, *ids)
