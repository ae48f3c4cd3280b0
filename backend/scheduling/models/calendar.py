"""The hospital's calendar: the days that do not simply run their own weekday's template."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import CheckConstraint, SmallInteger, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from backend.kernel.db import Base, HospitalOwned, Versioned, enum_column, id_pk
from backend.kernel.ids import Id
from backend.scheduling.rules import DayKind


class CalendarDay(Base, Versioned, HospitalOwned):
    """One public holiday or worked weekend day; a day that is taken off the calendar is deleted (audited)."""

    __tablename__ = "scheduling_calendar_day"
    __table_args__ = (
        UniqueConstraint("hospital_id", "day"),
        CheckConstraint("template_weekday BETWEEN 1 AND 7", name="template_weekday"),
    )

    id: Mapped[Id] = id_pk()
    day: Mapped[dt.date]
    kind: Mapped[DayKind] = enum_column(DayKind)
    name: Mapped[str] = mapped_column(String(40))
    #: Whose template the day runs, 1 (Monday) to 7; None = no clinic.
    template_weekday: Mapped[int | None] = mapped_column(SmallInteger)
    #: Where it came from, in words: the library's notice, a file's name, a person.
    source: Mapped[str] = mapped_column(String(60))
