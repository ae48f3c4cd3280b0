"""The kiosk's pulse: enrol once, beat every few seconds, learn the time and whether to serve.

After each beat that arrived, what the journal still owes the backend is told.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import structlog

from kiosk_agent.client import BackendClient
from kiosk_agent.clock import HospitalClock
from kiosk_agent.credentials import Credential, CredentialStore
from kiosk_agent.errors import BackendAway, BackendRefused, NotEnrolled
from kiosk_agent.flows.events import Event, ServiceChanged
from kiosk_agent.flows.state import Service
from kiosk_agent.journal import Journal
from kiosk_agent.print_desk import PrintDesk
from kiosk_agent.resolver import Resolver

log = structlog.get_logger("kiosk.heartbeat")

VERSION = "0.1.0"
AWAY_SECONDS = 1.0


class Heartbeat:
    """One thread; `identity` is who this kiosk is, once known."""

    def __init__(
        self,
        client: BackendClient,
        clock: HospitalClock,
        store: CredentialStore,
        journal: Journal,
        print_desk: PrintDesk,
        resolver: Resolver,
        *,
        enrolment_code: str,
        devices: Callable[[], dict[str, Any]],
        post: Callable[[Event], None],
        every: float,
    ) -> None:
        self._client = client
        self._clock = clock
        self._store = store
        self._journal = journal
        self._print_desk = print_desk
        self._resolver = resolver
        self._code = enrolment_code
        self._devices = devices
        self._post = post
        self._every = every
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)
        self.identity: Credential | None = None
        self.service = Service.STARTING

    def start(self) -> None:
        """Begin to beat."""
        self._thread.start()

    def stop(self) -> None:
        """End; a beat under way is finished first."""
        self._stop.set()
        self._thread.join()

    def beat(self) -> Service:
        """One beat: enrol if needed, report, learn, pay the journal's debts."""
        try:
            service = self._beat()
        except BackendAway:
            service = Service.AWAY
        except NotEnrolled:
            service = Service.NOT_ENROLLED
        except BackendRefused as refusal:
            log.warning("heartbeat_refused", code=refusal.code, request_id=refusal.request_id)
            service = Service.STOPPED
        if service is not self.service:
            log.info("service", service=service.value)
        self.service = service
        self._post(ServiceChanged(service))
        return service

    def _beat(self) -> Service:
        if self.identity is None:
            self._take_identity()
        report = {
            "version": VERSION,
            "clock": self._clock.own_time().isoformat(),
            "devices": self._devices(),
            "journal": {"open": self._journal.count_open()},
        }
        pulse = self._client.heartbeat(report)
        self._clock.learn(pulse.server_time)
        self._print_desk.report_ended()
        self._resolver.run_round()
        return Service.OK if pulse.accepting else Service.STOPPED

    def _take_identity(self) -> None:
        try:
            credential = self._store.load()
        except ValueError as error:
            # Enrolling again would leave a second kiosk in the fleet: a person must look.
            log.error("credential_damaged")
            raise NotEnrolled from error
        if credential is None:
            credential = self._enrol()
        self._client.credential = credential.secret
        self.identity = credential

    def _enrol(self) -> Credential:
        if not self._code:
            raise NotEnrolled
        try:
            answer = self._client.enrol(self._code)
        except BackendRefused as refusal:
            log.error("enrolment_refused", code=refusal.code, request_id=refusal.request_id)
            raise NotEnrolled from refusal
        credential = Credential(
            kiosk_id=answer.kiosk_id,
            name=answer.name,
            hospital_name=answer.hospital_name,
            location_name=answer.location_name,
            secret=answer.credential,
        )
        self._store.save(credential)
        log.info("enrolled", kiosk_id=credential.kiosk_id)
        return credential

    def _run(self) -> None:
        while not self._stop.is_set():
            service = self.beat()
            self._stop.wait(AWAY_SECONDS if service is Service.AWAY else self._every)
