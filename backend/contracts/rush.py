"""What the opening rush tells the rest of the house."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import ClassVar

from backend.kernel.ids import Id


@dataclass(frozen=True, slots=True)
class RushSoldOut:
    """The last free place of a department's day was taken while people were in its line."""

    NAME: ClassVar[str] = "scheduling.rush_sold_out"
    VERSION: ClassVar[int] = 1

    hospital_id: Id
    rush_id: Id
    department_id: Id
    business_date: dt.date
