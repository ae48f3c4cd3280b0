"""What a kiosk remembers over a power cut: nothing printed twice, no payment forgotten."""

from __future__ import annotations

from pathlib import Path

import pytest

from hardware_drivers.receipt_printer import PrintOutcome, PrintState, Receipt
from kiosk_agent.client import BackendClient
from kiosk_agent.errors import BackendAway
from kiosk_agent.journal import Journal
from kiosk_agent.print_desk import PrintDesk
from kiosk_agent.resolver import MAX_ROUNDS, Resolver
from tests.factories.kiosk_backend import CREDENTIAL, KioskBackend


class PaperPrinter:
    """A printer that answers as told and counts what reached it."""

    def __init__(self, state: PrintState = PrintState.PRINTED, code: str | None = None) -> None:
        self.jobs: list[str] = []
        self.state = state
        self.code = code

    def print(self, receipt: Receipt, job_id: str) -> PrintOutcome:
        """Take a receipt."""
        self.jobs.append(job_id)
        return PrintOutcome(job_id, self.state, self.code)


class PowerCutError(BaseException):
    """The plug is pulled: nothing of the program runs any more."""


class CutPrinter:
    """A printer during whose work the power fails."""

    def print(self, receipt: Receipt, job_id: str) -> PrintOutcome:
        """Never returns."""
        raise PowerCutError


def reopen(path: Path, journal: Journal) -> Journal:
    """The journal as the next start of the program finds it."""
    journal.close()
    return Journal(path)


def test_a_print_is_journalled_printed_and_reported(
    backend: KioskBackend, client: BackendClient, journal: Journal
) -> None:
    desk = PrintDesk(client, journal, PaperPrinter())
    job = desk.print("session-1", "ticket", "ticket-1", reprint=False, key="key-1")
    assert (job.outcome, journal.count_open()) == ("printed", 0)
    assert backend.results == {"print-1": {"outcome": "printed", "code": "", "detail": ""}}


@pytest.mark.parametrize(
    ("state", "code"), [(PrintState.FAILED, "paper_out"), (PrintState.AMBIGUOUS, "no_confirmation")]
)
def test_a_print_that_went_wrong_is_reported_as_it_was(
    backend: KioskBackend, client: BackendClient, journal: Journal, state: PrintState, code: str
) -> None:
    desk = PrintDesk(client, journal, PaperPrinter(state, code))
    job = desk.print("session-1", "ticket", "ticket-1", reprint=False, key="key-1")
    assert (job.outcome, job.code) == (state.value, code)
    assert backend.results["print-1"] == {"outcome": state.value, "code": code, "detail": ""}


def test_power_cut_during_a_print_is_never_printed_again(
    tmp_path: Path, backend: KioskBackend, client: BackendClient
) -> None:
    path = tmp_path / "journal.sqlite3"
    journal = Journal(path)
    with pytest.raises(PowerCutError):
        PrintDesk(client, journal, CutPrinter()).print(
            "session-1", "ticket", "ticket-1", reprint=False, key="key-1"
        )
    journal = reopen(path, journal)
    printer = PaperPrinter()
    desk = PrintDesk(client, journal, printer)
    desk.recover()
    desk.report_ended()
    assert printer.jobs == []
    assert backend.results["print-1"]["outcome"] == "ambiguous"
    assert backend.results["print-1"]["code"] == "restarted_during_print"
    assert journal.count_open() == 0
    journal.close()


def test_power_cut_before_the_first_byte_is_safe_to_order_anew(
    tmp_path: Path, backend: KioskBackend, client: BackendClient
) -> None:
    path = tmp_path / "journal.sqlite3"
    journal = Journal(path)
    journal.order_print("print-7", 7)
    journal = reopen(path, journal)
    desk = PrintDesk(client, journal, PaperPrinter())
    desk.recover()
    desk.report_ended()
    assert backend.results["print-7"]["outcome"] == "failed"
    journal.close()


def test_power_cut_after_the_confirmation_is_reported_as_printed(
    tmp_path: Path, backend: KioskBackend, client: BackendClient
) -> None:
    path = tmp_path / "journal.sqlite3"
    journal = Journal(path)
    journal.order_print("print-7", 7)
    assert journal.claim_print("print-7")
    journal.end_print("print-7", "printed", "", "")
    journal = reopen(path, journal)
    desk = PrintDesk(client, journal, PaperPrinter())
    desk.recover()
    desk.report_ended()
    assert backend.results["print-7"]["outcome"] == "printed"
    journal.close()


def test_an_order_the_backend_repeats_is_not_sent_twice(
    client: BackendClient, journal: Journal
) -> None:
    printer = PaperPrinter()
    desk = PrintDesk(client, journal, printer)
    for _time in range(2):
        job = desk.print("session-1", "ticket", "ticket-1", reprint=False, key="the same key")
    assert (job.outcome, len(printer.jobs)) == ("ambiguous", 1)


def test_an_outcome_the_backend_did_not_hear_is_told_when_it_returns(
    backend: KioskBackend, client: BackendClient, journal: Journal
) -> None:
    printer = PaperPrinter()
    desk = PrintDesk(client, journal, printer)
    backend.refusals["/prints/print-1/result"] = (503, {})
    assert desk.print("session-1", "ticket", "t", reprint=False, key="k").outcome == "printed"
    assert journal.count_open() == 1
    backend.refusals.clear()
    desk.report_ended()
    assert (backend.results["print-1"]["outcome"], len(printer.jobs)) == ("printed", 1)
    assert journal.count_open() == 0


def test_a_report_that_can_never_be_accepted_is_not_sent_for_ever(
    backend: KioskBackend, client: BackendClient, journal: Journal
) -> None:
    backend.refusals["/prints/print-1/result"] = (409, {"code": "print_ended"})
    PrintDesk(client, journal, PaperPrinter()).print(
        "session-1", "ticket", "t", reprint=False, key="k"
    )
    assert journal.count_open() == 0


def test_a_revoked_kiosk_keeps_its_outcomes(
    backend: KioskBackend, client: BackendClient, journal: Journal
) -> None:
    backend.refusals["/prints/print-1/result"] = (401, {"code": "credential_refused"})
    PrintDesk(client, journal, PaperPrinter()).print(
        "session-1", "ticket", "t", reprint=False, key="k"
    )
    assert journal.count_open() == 1


def test_a_document_no_printer_can_print_fails_before_the_first_byte(
    backend: KioskBackend, client: BackendClient, journal: Journal
) -> None:
    element = {"type": "qr", "payload": "二维码"}
    answer = {"print_id": "print-1", "job_no": 1, "document": {"elements": [element]}}
    backend.refusals["/prints"] = (201, answer)
    printer = PaperPrinter()
    job = PrintDesk(client, journal, printer).print("s", "ticket", "t", reprint=False, key="k")
    assert (job.outcome, job.code, printer.jobs) == ("failed", "unprintable", [])


# -- payments -------------------------------------------------------------------------------
def test_a_left_payment_is_closed_and_slot_and_session_with_it(
    backend: KioskBackend, client: BackendClient, journal: Journal
) -> None:
    journal.open_payment("payment-1", "session-1", "appointment-1")
    Resolver(client, journal).leave("payment-1")
    assert backend.paths() == [
        "/payments/payment-1/cancel",
        "/appointments/appointment-1/cancel",
        "/session/end",
    ]
    row = journal.get_payment("payment-1")
    assert row is not None
    assert (row.outcome, row.session, journal.count_open()) == ("closed", "", 0)


def test_a_left_payment_that_succeeded_keeps_its_slot(
    backend: KioskBackend, client: BackendClient, journal: Journal
) -> None:
    backend.pay()
    journal.open_payment("payment-1", "session-1", "appointment-1")
    Resolver(client, journal).leave("payment-1")
    assert "/appointments/appointment-1/cancel" not in backend.paths()
    row = journal.get_payment("payment-1")
    assert row is not None
    assert row.outcome == "succeeded"


def test_an_absent_backend_is_asked_again_and_closing_is_asked_once(
    backend: KioskBackend, client: BackendClient, journal: Journal
) -> None:
    backend.is_away = True
    resolver = Resolver(client, journal)
    journal.open_payment("payment-1", "session-1")
    resolver.leave("payment-1")
    assert journal.count_open() == 1
    backend.is_away = False
    backend.cancel_leads_to = "unknown"
    backend.asked.clear()
    resolver.run_round()
    resolver.run_round()
    assert backend.paths().count("/payments/payment-1/cancel") == 1
    backend.payment_state = "closed"
    resolver.run_round()
    assert journal.count_open() == 0


def test_what_stays_unknown_is_left_to_the_backend(
    backend: KioskBackend, client: BackendClient, journal: Journal
) -> None:
    backend.cancel_leads_to = "unknown"
    resolver = Resolver(client, journal)
    journal.open_payment("payment-1", "session-1", "appointment-1")
    resolver.leave("payment-1")
    for _round in range(MAX_ROUNDS):
        resolver.run_round()
    row = journal.get_payment("payment-1")
    assert row is not None
    assert row.outcome == "left_to_backend"
    assert "/appointments/appointment-1/cancel" not in backend.paths()


def test_a_payment_open_at_a_power_cut_is_closed_after_the_restart(
    tmp_path: Path, backend: KioskBackend, client: BackendClient
) -> None:
    path = tmp_path / "journal.sqlite3"
    journal = Journal(path)
    journal.open_payment("payment-1", "session-1", "appointment-1")
    journal = reopen(path, journal)
    resolver = Resolver(client, journal)
    resolver.recover()
    resolver.run_round()
    assert "/payments/payment-1/cancel" in backend.paths()
    assert journal.count_open() == 0
    journal.close()


def test_a_session_that_ended_meanwhile_leaves_the_payment_to_the_backend(
    backend: KioskBackend, client: BackendClient, journal: Journal
) -> None:
    problem = (410, {"code": "patient_session_ended"})
    backend.refusals["/payments/payment-1/cancel"] = problem
    backend.refusals["/payments/payment-1"] = problem
    journal.open_payment("payment-1", "session-1")
    Resolver(client, journal).leave("payment-1")
    row = journal.get_payment("payment-1")
    assert row is not None
    assert row.outcome == "left_to_backend"


def test_the_journal_is_the_owners_alone_and_names_nobody(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    journal = Journal(path)
    assert path.stat().st_mode & 0o077 == 0
    journal.close()


def test_an_unreachable_backend_gives_no_document(journal: Journal, backend: KioskBackend) -> None:
    backend.is_away = True
    client = BackendClient(backend.url, credential=CREDENTIAL, sleep=lambda _seconds: None)
    printer = PaperPrinter()
    with pytest.raises(BackendAway):
        PrintDesk(client, journal, printer).print("s", "ticket", "t", reprint=False, key="k")
    assert (printer.jobs, journal.count_open()) == ([], 0)
