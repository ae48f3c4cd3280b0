"""A refund while an electronic bill is being sent: who comes second sees what the first has done."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from backend.billing import queries, service
from backend.billing.models import ElectronicInvoice
from backend.billing.rules import Channel
from backend.billing.rules.einvoice import EInvoiceState
from backend.billing.services import einvoice
from backend.kernel.uow import Database
from tests.concurrency.kernel.together import wait_until_somebody_waits
from tests.factories.billing import make_world
from tests.factories.databases import SYSTEM

DEADLINE = 60.0


def states_after(database: Database) -> list[EInvoiceState]:
    """A worker begins to send; a refund comes before that is committed; the platform has issued it."""
    world = make_world(database)
    bill = world.bill("REG-ASSOC")
    with database.write(SYSTEM) as session:
        service.pay_cash(session, invoice_id=bill, received_fen=2500)
        line = queries.get_invoice(session, bill).lines[0]
        einvoice.bring_up_to_date(session, bill)
        row_id = session.scalars(select(ElectronicInvoice.id)).one()
    with database.write(SYSTEM) as session:
        service.refund_charges(
            session,
            invoice_id=bill,
            parts={line.charge_id: 2500},
            reason="退号",
            channel=Channel.COUNTER,
        )

    def follow() -> None:
        with database.write(SYSTEM) as session:
            einvoice.bring_up_to_date(session, bill)

    with ThreadPoolExecutor(1) as pool:
        with database.write(SYSTEM) as session:
            einvoice.begin_issue(session, row_id)
            session.flush()
            following = pool.submit(follow)
            wait_until_somebody_waits(database)
        following.result(DEADLINE)
    with database.read(SYSTEM) as session:
        return list(session.scalars(select(ElectronicInvoice.state)))


def test_what_is_being_sent_is_not_taken_for_unsent(postgres_database: Database) -> None:
    assert states_after(postgres_database) == [EInvoiceState.UNKNOWN]


def test_without_the_lock_it_is_taken_for_gone_while_it_arrives_there(
    postgres_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        einvoice,
        "lock_rows",
        lambda session, model, ids: list(
            session.scalars(select(model).where(model.id.in_(list(ids))))
        ),
    )
    assert states_after(postgres_database) == [EInvoiceState.RED_LETTERED]
