"""The shape of the booking policy file (`XINGLIN_BOOKING_POLICY_FILE`), and how it becomes policies.

The file is TOML; `docs/booking-policy.md` explains every key. It is read once, at the start, and a mistake in it
stops the start with the place and the reason.
"""

from __future__ import annotations

import datetime as dt
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from backend.scheduling.rules import (
    BookingPolicies,
    BookingPolicy,
    Channel,
    PolicyFor,
    Reserve,
    VisitType,
)

SETTING = "XINGLIN_BOOKING_POLICY_FILE"


class PolicyFileInvalid(ValueError):
    """The policy file cannot be used; the message names the file, the place and the reason."""


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class ReserveTable(_Table):
    """One ``[[reserve]]``."""

    channel: Annotated[Channel, Field(strict=False)]
    percent: int = Field(ge=1, le=100)
    release_days: int = Field(1, ge=0, le=60)
    release_time: dt.time = dt.time(18, 0)


class RulesTable(_Table):
    """The rules that may be set for everything or for some sessions; what is absent stays as it is."""

    hold_minutes: int | None = Field(None, ge=1, le=120)
    booking_days: int | None = Field(None, ge=0, le=180)
    booking_opens: dt.time | None = None
    same_day_channels: list[Annotated[Channel, Field(strict=False)]] | None = None
    visits_a_day: int | None = Field(None, ge=1, le=50)
    visits_a_week: int | None = Field(None, ge=1, le=100)
    no_shows: int | None = Field(None, ge=1, le=20)
    no_show_days: int | None = Field(None, ge=1, le=366)
    suspension_days: int | None = Field(None, ge=1, le=366)
    cancel_days: int | None = Field(None, ge=0, le=30)
    cancel_until: dt.time | None = None
    same_day_cancel: bool | None = None
    offer_minutes: int | None = Field(None, ge=1, le=1440)
    offer_chances: int | None = Field(None, ge=1, le=10)
    reserve: list[ReserveTable] | None = None

    @model_validator(mode="after")
    def _reserves_fit(self) -> Self:
        reserves = self.reserve or []
        if sum(one.percent for one in reserves) > 100:
            raise ValueError("reserves are more than 100 percent of a session")
        if len({one.channel for one in reserves}) < len(reserves):
            raise ValueError("a channel has two reserves")
        return self

    def over(self, base: BookingPolicy) -> BookingPolicy:
        """``base`` with what this table sets."""
        found = {
            name: getattr(self, name)
            for name in type(self).model_fields
            if name in BookingPolicy.__dataclass_fields__ and getattr(self, name) is not None
        }
        if self.hold_minutes is not None:
            found["hold"] = dt.timedelta(minutes=self.hold_minutes)
        if self.offer_minutes is not None:
            found["offer"] = dt.timedelta(minutes=self.offer_minutes)
        if self.same_day_channels is not None:
            found["same_day_channels"] = frozenset(self.same_day_channels)
        if self.reserve is not None:
            found["reserves"] = tuple(
                Reserve(one.channel, one.percent, one.release_days, one.release_time)
                for one in self.reserve
            )
        return replace(base, **found)


class ExceptionTable(RulesTable):
    """One ``[[exception]]``: the sessions it is for, and what is different there."""

    visit_type: Annotated[VisitType | None, Field(strict=False)] = None
    hospital: str | None = Field(None, min_length=1)
    department: str | None = Field(None, min_length=1)

    @model_validator(mode="after")
    def _is_for_something(self) -> Self:
        if self.visit_type is None and self.hospital is None and self.department is None:
            raise ValueError("names no visit_type, hospital or department")
        return self


class PolicyFile(RulesTable):
    """The whole file."""

    exception: list[ExceptionTable] = Field(default_factory=list)


def read_policies(path: Path | None, *, hold: dt.timedelta) -> BookingPolicies:
    """The policies in ``path``; without a file the usual ones with ``hold``. Raises PolicyFileInvalid."""
    base = BookingPolicy(hold=hold)
    if path is None:
        return BookingPolicies(base)
    try:
        file = PolicyFile.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise PolicyFileInvalid(f"{SETTING} ({path}): {error}") from error
    except ValidationError as error:
        places = "; ".join(
            f"{'.'.join(map(str, one['loc'])) or 'file'}: {one['msg']}" for one in error.errors()
        )
        raise PolicyFileInvalid(f"{SETTING} ({path}): {places}") from error
    usual = file.over(base)
    exceptions = tuple(
        PolicyFor(one.over(usual), one.visit_type, one.hospital, one.department)
        for one in file.exception
    )
    return BookingPolicies(usual, exceptions)
