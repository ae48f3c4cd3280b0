"""A small HTTP server that follows the kiosk API's contract, for tests of the kiosk alone.

It keeps one patient's day in memory and can be told what goes wrong next: absent, slow to pay,
refusing one path with a problem. Every request is kept for the tests to look at.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Flask, Response, jsonify, request

from tests.factories.serving import listening

CREDENTIAL = "kiosk-credential"
CODE = "ENROL-1"
BASE = "/api/kiosk/v1"


def iso(**ahead: float) -> str:
    """A moment from now, with its zone."""
    return (datetime.now(UTC) + timedelta(**ahead)).isoformat()


@dataclass
class Asked:
    """One request as it arrived."""

    method: str
    path: str
    body: Any
    key: str
    session: str
    bearer: str


@dataclass
class KioskBackend:
    """The patient's day and what is to go wrong."""

    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    is_away: bool = False
    accepting: bool = True
    refusals: dict[str, tuple[int, dict[str, Any]]] = field(default_factory=dict)
    code_delay_polls: int = 0
    due_amount: int = 2500
    fee_shown: int = 2500
    payment_state: str = "pending"
    cancel_leads_to: str = "closed"
    due: list[dict[str, Any]] = field(default_factory=list)
    appointments: list[dict[str, Any]] = field(default_factory=list)
    tickets: list[dict[str, Any]] = field(default_factory=list)
    created: bool = False
    results: dict[str, dict[str, Any]] = field(default_factory=dict)
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)
    beats: list[dict[str, Any]] = field(default_factory=list)
    beat: threading.Event = field(default_factory=threading.Event)
    changed: threading.Condition = field(default_factory=threading.Condition)
    departments: int = 3
    counter: int = 0

    def home(self) -> dict[str, Any]:
        """What the person can do."""
        return {"due": self.due, "appointments": self.appointments, "tickets": self.tickets}

    def paths(self, method: str = "POST") -> list[str]:
        """Paths asked by `method`, heartbeats left out."""
        return [
            item.path.removeprefix(BASE)
            for item in self.asked
            if item.method == method and not item.path.endswith("/heartbeat")
        ]

    def pay(self) -> None:
        """The person's phone pays."""
        self.payment_state = "succeeded"

    def wait_for(self, path: str, seconds: float = 10.0) -> None:
        """Wait until `path` was POSTed; AssertionError after the deadline."""
        with self.changed:
            assert self.changed.wait_for(lambda: path in self.paths(), seconds), self.paths()

    def number(self) -> int:
        """The next of a count."""
        self.counter += 1
        return self.counter


def create_app(state: KioskBackend) -> Flask:
    """The routes of the contract over `state`."""
    app = Flask("kiosk_backend")

    @app.before_request
    def _keep() -> tuple[Response, int] | None:
        body = request.get_json(silent=True)
        asked = Asked(
            request.method,
            request.path,
            body,
            request.headers.get("Idempotency-Key", ""),
            request.headers.get("X-Patient-Session", ""),
            request.headers.get("Authorization", ""),
        )
        with state.changed:
            state.asked.append(asked)
            state.changed.notify_all()
        if state.is_away:
            return jsonify({}), 503
        path = request.path.removeprefix(BASE)
        if path in state.refusals:
            status, problem = state.refusals[path]
            return jsonify({"status": status, **problem}), status
        if path != "/enrol" and asked.bearer != f"Bearer {CREDENTIAL}":
            return jsonify({"status": 401, "code": "unauthenticated"}), 401
        if asked.key and asked.key in state.answers:
            return jsonify(state.answers[asked.key]), 201
        return None

    def remember(answer: dict[str, Any]) -> dict[str, Any]:
        key = request.headers.get("Idempotency-Key", "")
        if key:
            state.answers[key] = answer
        return answer

    @app.post(f"{BASE}/enrol")
    def enrol() -> tuple[dict[str, Any], int]:
        if (request.get_json() or {}).get("code") != CODE:
            return {"status": 422, "code": "enrolment_code_unknown"}, 422
        return {
            "kiosk_id": "kiosk-1",
            "name": "1 号自助机",
            "hospital_name": "杏林肿瘤医院",
            "location_name": "门诊楼一层大厅",
            "credential": CREDENTIAL,
        }, 201

    @app.post(f"{BASE}/heartbeat")
    def heartbeat() -> dict[str, Any]:
        state.beats.append(request.get_json())
        state.beat.set()
        return {"server_time": iso(), "name": "1 号自助机", "accepting": state.accepting}

    @app.post(f"{BASE}/identify")
    def identify() -> dict[str, Any]:
        return {
            "session": "session-1",
            "expires_at": iso(minutes=3),
            "created": state.created,
            "patient": {
                "name": "张小三",
                "name_masked": "张*三",
                "sex": "male",
                "age": 46,
                "phone_masked": "138****1234",
                "card_masked": None,
            },
            "home": state.home(),
        }

    @app.get(f"{BASE}/home")
    def home() -> dict[str, Any]:
        return state.home()

    @app.post(f"{BASE}/session/end")
    def end() -> tuple[str, int]:
        return "", 204

    @app.get(f"{BASE}/departments")
    def departments() -> Response:
        names = ("乳腺肿瘤科", "胸部肿瘤科", "消化肿瘤科", "放射治疗科", "淋巴瘤科", "中医肿瘤科")
        return jsonify(
            [
                {
                    "department_id": f"department-{index}",
                    "name": names[index % len(names)],
                    "floor": f"门诊楼 {index % 4 + 1} 层",
                    "free_count": 0 if index == 2 else 12 + index,
                    "doctors_count": 3,
                }
                for index in range(state.departments)
            ]
        )

    @app.get(f"{BASE}/departments/<department_id>/schedules")
    def schedules(department_id: str) -> Response:
        doctors = (("李建国", "主任医师", "乳腺癌综合治疗"), ("王秀英", "副主任医师", "甲状腺肿瘤"))
        return jsonify(
            [
                {
                    "schedule_id": f"schedule-{index}",
                    "practitioner_name": name,
                    "title": title,
                    "specialty": specialty,
                    "room": f"{index + 1} 诊室",
                    "half_day": "am",
                    "visit_type": "expert",
                    "visit_type_words": "专家号",
                    "fee_fen": state.fee_shown + index * 1000,
                    "free_count": 5,
                    "starts_at": iso(hours=1),
                    "ends_at": iso(hours=1, minutes=30),
                }
                for index, (name, title, specialty) in enumerate(doctors)
            ]
        )

    @app.post(f"{BASE}/appointments")
    def book() -> tuple[dict[str, Any], int]:
        answer = {
            "appointment_id": "appointment-1",
            "starts_at": iso(hours=1),
            "ends_at": iso(hours=1, minutes=30),
            "practitioner_name": "李建国",
            "department_name": "乳腺肿瘤科",
            "room": "1 诊室",
            "hold_until": iso(minutes=15),
            "invoice": {
                "invoice_id": "invoice-1",
                "total_fen": state.due_amount,
                "lines": [{"name": "挂号费", "amount_fen": state.due_amount}],
            },
        }
        return remember(answer), 201

    @app.post(f"{BASE}/appointments/<appointment_id>/cancel")
    def cancel_booking(appointment_id: str) -> tuple[str, int]:
        return "", 204

    def payment(payment_id: str) -> dict[str, Any]:
        has_code = state.code_delay_polls <= 0
        state.code_delay_polls -= 1
        return {
            "payment_id": payment_id,
            "state": state.payment_state,
            "amount_fen": state.due_amount,
            "code_url": f"weixin://wxpay/bizpayurl?pr={payment_id}" if has_code else None,
            "expires_at": iso(minutes=5),
            "outcome_words": "",
        }

    @app.post(f"{BASE}/payments")
    def pay() -> tuple[dict[str, Any], int]:
        if (request.get_json() or {})["amount_fen"] != state.due_amount:
            problem = {"status": 409, "code": "amount_differs", "due_fen": state.due_amount}
            return problem, 409
        return remember(payment(f"payment-{state.number()}")), 202

    @app.get(f"{BASE}/payments/<payment_id>")
    def get_payment(payment_id: str) -> dict[str, Any]:
        return payment(payment_id)

    @app.post(f"{BASE}/payments/<payment_id>/cancel")
    def cancel_payment(payment_id: str) -> tuple[dict[str, Any], int]:
        if state.payment_state == "pending":
            state.payment_state = state.cancel_leads_to
        return {"state": state.payment_state}, 202

    @app.post(f"{BASE}/check-ins")
    def check_in() -> tuple[dict[str, Any], int]:
        return {
            "ticket": {
                "ticket_id": "ticket-1",
                "number": "A012",
                "ahead": 3,
                "expected_words": "约 20–35 分钟",
                "room": "1 诊室",
                "queue_name": "乳腺肿瘤科",
                "url": f"{state.url}/t/signed-token",
            }
        }, 201

    @app.post(f"{BASE}/prints")
    def order_print() -> tuple[dict[str, Any], int]:
        number = state.number()
        kind = (request.get_json() or {})["kind"]
        elements: list[dict[str, Any]] = [
            {"type": "text", "text": "杏林肿瘤医院", "size": 2, "align": "center", "bold": True},
            {"type": "rule"},
            {"type": "text", "text": "A012", "size": 4, "align": "center", "bold": True},
            {"type": "row", "left": "科室", "right": "乳腺肿瘤科"},
            {"type": "row", "left": "单据", "right": kind},
            {"type": "qr", "payload": f"{state.url}/t/signed-token", "caption": "扫码看排队进度"},
            {"type": "feed", "lines": 1},
            {"type": "cut"},
        ]
        answer = {
            "print_id": f"print-{number}",
            "job_no": number,
            "document": {"elements": elements},
        }
        return remember(answer), 201

    @app.post(f"{BASE}/prints/<print_id>/result")
    def print_result(print_id: str) -> dict[str, Any]:
        state.results[print_id] = request.get_json()
        return {}

    return app


@contextmanager
def running_backend() -> Iterator[KioskBackend]:
    """Serve the contract on a free port for the length of the block."""
    state = KioskBackend()
    with listening(create_app(state)) as state.url:
        yield state
