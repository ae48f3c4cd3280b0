"""Puts one kiosk together: clock, journal, devices, engine, heartbeat, web server; starts and ends it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from werkzeug.serving import make_server

from kiosk_agent.client import BackendClient
from kiosk_agent.clock import HospitalClock
from kiosk_agent.credentials import CredentialStore
from kiosk_agent.devices.addresses import Addresses
from kiosk_agent.devices.manager import DeviceManager
from kiosk_agent.engine import Engine
from kiosk_agent.flows.state import Limits, Service, State
from kiosk_agent.heartbeat import Heartbeat
from kiosk_agent.journal import Journal
from kiosk_agent.print_desk import PrintDesk
from kiosk_agent.resolver import Resolver
from kiosk_agent.runner import Runner
from kiosk_agent.settings import Settings
from kiosk_agent.voice import Voice
from kiosk_agent.web.app import create_app
from kiosk_agent.web.closing import closing_answers


class Agent:
    """A whole kiosk. `start` returns once the touch screen answers; `stop` leaves nothing."""

    def __init__(self, settings: Settings) -> None:
        settings.state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.clock = HospitalClock()
        self.journal = Journal(Path(settings.state_dir) / "journal.sqlite3")
        self.client = BackendClient(
            settings.backend,
            connect_timeout=settings.connect_timeout,
            read_timeout=settings.read_timeout,
        )
        limits = Limits(
            idle=settings.idle_seconds,
            warning=settings.warning_seconds,
            done=settings.done_seconds,
            payment=settings.payment_seconds,
            closing=settings.closing_seconds,
        )
        self.engine = Engine(self.clock, time.monotonic, State(limits=limits))
        self.devices = DeviceManager(Addresses(settings.devices, settings.index), self.engine.post)
        self.print_desk = PrintDesk(self.client, self.journal, self.devices.printer)
        self.resolver = Resolver(self.client, self.journal)
        self.runner = Runner(
            self.client,
            self.journal,
            self.print_desk,
            self.resolver,
            post=self.engine.post,
            ticks=time.monotonic,
        )
        self.engine.connect(self.runner)
        self.heartbeat = Heartbeat(
            self.client,
            self.clock,
            CredentialStore(settings.state_dir),
            self.journal,
            self.print_desk,
            self.resolver,
            enrolment_code=settings.enrolment_code,
            devices=self.devices.report,
            post=self.engine.post,
            every=settings.heartbeat_seconds,
        )
        app = create_app(
            self.engine, self.clock, place=self._place, health=self._health, voice=Voice()
        )
        # One browser on loopback is all it serves: Werkzeug's own server, whose threads are daemons, so
        # that a long poll never holds up the end.
        self._server = make_server("127.0.0.1", settings.port, closing_answers(app), threaded=True)
        self.port = self._server.server_port

    def start(self) -> None:
        """Settle what an earlier run left open, then begin everything but the web server."""
        self.print_desk.recover()
        self.resolver.recover()
        self.engine.start()
        self.devices.start()
        self.heartbeat.start()

    def serve(self) -> None:
        """Serve the touch screen until `stop`."""
        self._server.serve_forever(poll_interval=0.2)

    def stop_serving(self) -> None:
        """Make `serve` return; may be called from another thread."""
        self._server.shutdown()

    def stop(self) -> None:
        """End all threads and close the journal, after `serve` has returned."""
        self._server.server_close()
        self.engine.stop()
        self.heartbeat.stop()
        self.devices.stop()
        self.runner.stop()
        self.journal.close()

    def _place(self) -> dict[str, str]:
        identity = self.heartbeat.identity
        if identity is None:
            return {"name": "", "hospital_name": "", "location_name": ""}
        return {
            "name": identity.name,
            "hospital_name": identity.hospital_name,
            "location_name": identity.location_name,
        }

    def _health(self) -> dict[str, Any]:
        identity = self.heartbeat.identity
        service = self.heartbeat.service
        return {
            "status": "ok" if service is Service.OK else "degraded",
            "service": service.value,
            "is_enrolled": identity is not None,
            "is_backend_reachable": service in (Service.OK, Service.STOPPED),
            "kiosk_id": identity.kiosk_id if identity else None,
            "devices": self.devices.report(),
            "journal_open": self.journal.count_open(),
            "clock_offset_seconds": round(self.clock.offset_seconds(), 1),
        }
