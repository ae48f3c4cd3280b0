"""What registrations cost, for the template editor: scheduling asks, billing knows."""

from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from backend.billing import queries as bills
from backend.billing.rules import PriceCategory
from backend.kernel.ids import Id
from backend.scheduling.ports import Fee

MOST = 200


def registration_fees(session: Session, hospital_id: Id, on: dt.date) -> list[Fee]:
    """The registration fees in force on a day, by code; one query."""
    found = bills.search_prices(
        session, hospital_id, on=on, category=PriceCategory.REGISTRATION, limit=MOST
    )
    return [Fee(price.code, price.name, price.price_fen) for price in found]
