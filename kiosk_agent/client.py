"""The backend client: the kiosk API over HTTP, one method an endpoint.

Every call has a connect and a read timeout. Only requests that may arrive twice are repeated:
reads, and commands with an idempotency key, always with the same key. Answers: typed messages,
`BackendRefused` (it arrived and was refused) or `BackendAway` (nobody knows).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import requests
from pydantic import TypeAdapter, ValidationError

from kiosk_agent.errors import BackendAway, BackendRefused
from kiosk_agent.messages import (
    Booking,
    Department,
    Enrolment,
    Home,
    Identified,
    Payment,
    PrintOrder,
    Pulse,
    Schedule,
    Ticket,
)

API = "/api/kiosk/v1"
REPEAT_PAUSES = (0.3, 1.0)
T = TypeVar("T")


class BackendClient:
    """Speaks to one backend as one kiosk; safe to use from several threads."""

    def __init__(
        self,
        backend: str,
        *,
        credential: str = "",
        connect_timeout: float = 3.0,
        read_timeout: float = 10.0,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._base = backend.rstrip("/") + API
        self.credential = credential
        self._timeout = (connect_timeout, read_timeout)
        self._sleep = sleep
        self._local = threading.local()

    # -- the kiosk itself -------------------------------------------------------------------
    def enrol(self, code: str) -> Enrolment:
        """Trade a one-time code for a credential. Never repeated: the code is spent at once."""
        body = self._send("POST", "/enrol", json={"code": code}, bearer=False)
        return _read(Enrolment, body)

    def heartbeat(self, report: Mapping[str, object]) -> Pulse:
        """Report the kiosk's state. Not repeated: the next beat comes soon enough."""
        return _read(Pulse, self._send("POST", "/heartbeat", json=report))

    # -- the person in front of it ----------------------------------------------------------
    def identify(self, payload: Mapping[str, object], *, language: str = "zh") -> Identified:
        """Who is this? `payload` is one of the three kinds in the contract.

        Repeated when the backend is away: the same card is always the same patient.
        """
        body = self._send("POST", "/identify", json=payload, repeat=True, language=language)
        return _read(Identified, body)

    def home(self, session: str) -> Home:
        """What the person can do now."""
        return _read(Home, self._send("GET", "/home", session=session))

    def end_session(self, session: str) -> None:
        """Forget the person. Ending an ended session is not an error."""
        try:
            self._send("POST", "/session/end", session=session, repeat=True)
        except BackendRefused as refusal:
            if refusal.status not in (401, 404, 410):
                raise

    # -- booking ----------------------------------------------------------------------------
    def departments(self, session: str) -> tuple[Department, ...]:
        """Departments with clinics today."""
        body = self._send("GET", "/departments", session=session, params={"day": "today"})
        return _read(tuple[Department, ...], body)

    def schedules(self, session: str, department_id: str) -> tuple[Schedule, ...]:
        """Today's bookable half-days of one department."""
        path = f"/departments/{department_id}/schedules"
        body = self._send("GET", path, session=session, params={"day": "today"})
        return _read(tuple[Schedule, ...], body)

    def book(self, session: str, schedule_id: str, key: str) -> Booking:
        """Hold a slot; `slot_gone` and `already_booked` come as BackendRefused."""
        body = self._send(
            "POST", "/appointments", session=session, json={"schedule_id": schedule_id}, key=key
        )
        return _read(Booking, body)

    def cancel_booking(self, session: str, appointment_id: str) -> None:
        """Give an unpaid slot back."""
        self._send("POST", f"/appointments/{appointment_id}/cancel", session=session, repeat=True)

    # -- paying -----------------------------------------------------------------------------
    def start_payment(self, session: str, invoice_id: str, amount_fen: int, key: str) -> Payment:
        """Begin a QR payment of exactly `amount_fen` fen."""
        body = self._send(
            "POST",
            "/payments",
            session=session,
            json={"invoice_id": invoice_id, "amount_fen": amount_fen},
            key=key,
        )
        return _read(Payment, body)

    def payment(self, session: str, payment_id: str) -> Payment:
        """How the payment stands."""
        return _read(Payment, self._send("GET", f"/payments/{payment_id}", session=session))

    def cancel_payment(self, session: str, payment_id: str) -> None:
        """Ask for the payment to be closed; how it ended is learned by `payment`."""
        self._send("POST", f"/payments/{payment_id}/cancel", session=session, repeat=True)

    # -- check-in and paper -----------------------------------------------------------------
    def check_in(self, session: str, appointment_id: str) -> Ticket:
        """Take a queue ticket; the backend gives the same ticket for the same appointment."""
        payload = {"appointment_id": appointment_id}
        body = self._send("POST", "/check-ins", session=session, json=payload, repeat=True)
        return _read(Ticket, body.get("ticket") if isinstance(body, dict) else body)

    def order_print(
        self, session: str, kind: str, subject_id: str, *, reprint: bool, key: str
    ) -> PrintOrder:
        """Ask what to print; `kind` is "ticket" or "receipt"."""
        subject = "ticket_id" if kind == "ticket" else "invoice_id"
        payload = {"kind": kind, subject: subject_id, "reprint": reprint}
        return _read(
            PrintOrder, self._send("POST", "/prints", session=session, json=payload, key=key)
        )

    def report_print(self, print_id: str, outcome: str, code: str, detail: str) -> None:
        """Say how a print ended; may be said late and twice, without a patient session."""
        payload = {"outcome": outcome, "code": code, "detail": detail}
        self._send("POST", f"/prints/{print_id}/result", json=payload, repeat=True)

    # -- the wire ---------------------------------------------------------------------------
    def _send(
        self,
        method: str,
        path: str,
        *,
        json: Mapping[str, object] | None = None,
        params: Mapping[str, str] | None = None,
        session: str = "",
        key: str = "",
        repeat: bool = False,
        bearer: bool = True,
        language: str = "",
    ) -> Any:
        headers = {"Accept": "application/json, application/problem+json"}
        if bearer:
            headers["Authorization"] = f"Bearer {self.credential}"
        if session:
            headers["X-Patient-Session"] = session
        if key:
            headers["Idempotency-Key"] = key
        if language:
            headers["Accept-Language"] = "zh-CN" if language == "zh" else language
        pauses = REPEAT_PAUSES if (repeat or key or method == "GET") else ()
        for pause in (*pauses, None):
            try:
                return self._once(method, path, headers, json, params)
            except BackendAway:
                if pause is None:
                    raise
                self._sleep(pause)
        raise AssertionError("unreachable: the last round returns or raises")

    def _once(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        json: Mapping[str, object] | None,
        params: Mapping[str, str] | None,
    ) -> Any:
        try:
            answer = self._http().request(
                method,
                self._base + path,
                headers=dict(headers),
                json=json,
                params=params,
                timeout=self._timeout,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            raise BackendAway(type(error).__name__) from error
        if answer.status_code >= 500:
            raise BackendAway(f"status {answer.status_code}")
        if answer.status_code == 204:
            return {}
        try:
            body = answer.json()
        except requests.JSONDecodeError as error:
            raise BackendAway("unreadable answer") from error
        if answer.status_code >= 300:
            raise _refusal(answer.status_code, body)
        return body

    def _http(self) -> requests.Session:
        http: requests.Session | None = getattr(self._local, "http", None)
        if http is None:
            http = requests.Session()
            http.trust_env = False  # a kiosk reaches its backend directly or not at all
            self._local.http = http
        return http


def _refusal(status: int, body: object) -> BackendRefused:
    facts: dict[str, Any] = body if isinstance(body, dict) else {}
    known = {"type", "title", "status", "code", "detail", "next_step", "request_id", "fields"}
    extra = {name: value for name, value in facts.items() if name not in known}
    fields = facts.get("fields")
    return BackendRefused(
        status,
        str(facts.get("code") or f"http_{status}"),
        title=str(facts.get("title") or ""),
        detail=str(facts.get("detail") or ""),
        next_step=str(facts.get("next_step") or ""),
        fields={**extra, **(fields if isinstance(fields, dict) else {})},
        request_id=str(facts.get("request_id") or ""),
    )


def _read(shape: type[T], body: object) -> T:
    try:
        return TypeAdapter(shape).validate_python(body, strict=False)
    except ValidationError as error:
        raise BackendAway(f"unreadable answer: {error.error_count()} fields") from error
