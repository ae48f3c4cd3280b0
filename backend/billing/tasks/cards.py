"""The card terminals' settlement on the clock: each night the batches of the day that is over."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import structlog

from backend.billing.ports import GatewayError
from backend.kernel.jobs import PeriodicJob
from backend.kernel.uow import Database

log = structlog.get_logger(__name__)

EVERY_MINUTES = 5


def jobs(settle_due: Callable[[Database], Mapping[str, bool | None]]) -> list[PeriodicJob]:
    """Close what is due by ``settle_due``; a bank that is away and a terminal in doubt are asked again by the next
    run, until nothing is due. A batch that differs has a money case.
    """

    def run(database: Database) -> None:
        try:
            outcomes = settle_due(database)
        except GatewayError as error:
            log.warning("card_batches_not_settled", why=str(error))
            return
        for terminal_id, is_balanced in outcomes.items():
            if is_balanced is None:
                log.warning("card_batch_not_settled", terminal=terminal_id)
            elif not is_balanced:
                log.error("card_batch_differs", terminal=terminal_id)

    return [PeriodicJob("billing.settle_cards", run, minutes=EVERY_MINUTES)]
