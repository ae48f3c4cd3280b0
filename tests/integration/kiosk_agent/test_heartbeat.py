"""Enrolment, the pulse, and what a kiosk does about a revoked credential or a wrong clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kiosk_agent.client import BackendClient
from kiosk_agent.clock import HospitalClock
from kiosk_agent.credentials import Credential, CredentialStore
from kiosk_agent.flows.events import Event, ServiceChanged
from kiosk_agent.flows.state import Service
from kiosk_agent.heartbeat import Heartbeat
from kiosk_agent.journal import Journal
from kiosk_agent.print_desk import PrintDesk
from kiosk_agent.resolver import Resolver
from tests.factories.kiosk_backend import CODE, CREDENTIAL, KioskBackend
from tests.integration.kiosk_agent.test_journal import PaperPrinter

WRONG = datetime(2020, 1, 1, tzinfo=UTC)


class Pulse:
    """A heartbeat with everything it needs, beaten by hand."""

    def __init__(self, backend: KioskBackend, journal: Journal, state_dir: Path) -> None:
        self.events: list[Event] = []
        self.store = CredentialStore(state_dir)
        self.clock = HospitalClock(wall=lambda: WRONG)
        self.client = BackendClient(backend.url, sleep=lambda _seconds: None)
        self.journal = journal

    def heart(self, code: str = CODE) -> Heartbeat:
        """A heartbeat as after a start of the program."""
        desk = PrintDesk(self.client, self.journal, PaperPrinter())
        return Heartbeat(
            self.client,
            self.clock,
            self.store,
            self.journal,
            desk,
            Resolver(self.client, self.journal),
            enrolment_code=code,
            devices=lambda: {"printer": {"state": "ok", "paper": "ok"}},
            post=self.events.append,
            every=0.05,
        )


@pytest.fixture
def pulse(backend: KioskBackend, journal: Journal, tmp_path: Path) -> Pulse:
    """A kiosk that has never enrolled."""
    return Pulse(backend, journal, tmp_path)


def test_enrols_once_and_keeps_its_credential_to_itself(
    pulse: Pulse, backend: KioskBackend, tmp_path: Path
) -> None:
    assert pulse.heart().beat() is Service.OK
    assert pulse.heart(code="").beat() is Service.OK
    assert backend.paths().count("/enrol") == 1
    path = tmp_path / "credential.json"
    assert path.stat().st_mode & 0o077 == 0
    stored = pulse.store.load()
    assert stored is not None
    assert stored.secret == CREDENTIAL
    assert CREDENTIAL not in repr(stored)


def test_reports_devices_and_journal(pulse: Pulse, backend: KioskBackend) -> None:
    pulse.heart().beat()
    beat = backend.beats[0]
    assert beat["devices"]["printer"] == {"state": "ok", "paper": "ok"}
    assert (beat["journal"], beat["clock"]) == ({"open": 0}, WRONG.isoformat())


def test_a_wrong_clock_is_put_right_by_the_backends(pulse: Pulse) -> None:
    assert pulse.clock.now() == WRONG
    pulse.heart().beat()
    now = datetime.now(UTC)
    assert abs(pulse.clock.now() - now) < timedelta(seconds=10)
    assert pulse.clock.seconds_until(now + timedelta(minutes=5)) == pytest.approx(300, abs=10)
    assert pulse.clock.offset_seconds() > 0


def test_no_code_or_a_wrong_one_is_not_enrolled(pulse: Pulse) -> None:
    assert pulse.heart(code="").beat() is Service.NOT_ENROLLED
    assert pulse.heart(code="WRONG").beat() is Service.NOT_ENROLLED
    assert pulse.store.load() is None


def test_away_and_back(pulse: Pulse, backend: KioskBackend) -> None:
    heart = pulse.heart()
    heart.beat()
    backend.is_away = True
    assert heart.beat() is Service.AWAY
    backend.is_away = False
    assert heart.beat() is Service.OK
    states = [event.service for event in pulse.events if isinstance(event, ServiceChanged)]
    assert states == [Service.OK, Service.AWAY, Service.OK]


def test_revoked_or_not_accepting_is_stopped(pulse: Pulse, backend: KioskBackend) -> None:
    heart = pulse.heart()
    heart.beat()
    backend.accepting = False
    assert heart.beat() is Service.STOPPED
    backend.accepting = True
    pulse.client.credential = "revoked"
    assert heart.beat() is Service.STOPPED


def test_the_journals_debts_are_paid_with_the_next_beat(
    pulse: Pulse, backend: KioskBackend, journal: Journal
) -> None:
    journal.order_print("print-7", 7)
    journal.recover_prints()
    journal.open_payment("payment-7", "session-1")
    journal.recover_payments()
    pulse.heart().beat()
    assert backend.results["print-7"]["outcome"] == "failed"
    assert "/payments/payment-7/cancel" in backend.paths()
    assert journal.count_open() == 0


def test_the_thread_beats_and_ends(pulse: Pulse, backend: KioskBackend) -> None:
    heart = pulse.heart()
    heart.start()
    assert backend.beat.wait(10)
    heart.stop()


def test_a_damaged_credential_asks_for_a_person(tmp_path: Path) -> None:
    store = CredentialStore(tmp_path)
    store.save(Credential("k", "n", "h", "l", "s"))
    (tmp_path / "credential.json").write_text("{", encoding="utf-8")
    with pytest.raises(ValueError, match="damaged"):
        store.load()


def test_a_kiosk_with_a_damaged_credential_says_so_and_does_not_enrol_again(
    pulse: Pulse, backend: KioskBackend, tmp_path: Path
) -> None:
    (tmp_path / "credential.json").write_text("{", encoding="utf-8")
    assert pulse.heart().beat() is Service.NOT_ENROLLED
    assert backend.paths() == []
