"""What a hospital may decide about its pool: one frozen object a kind of session, handed to the rules.

The defaults are the hospital's usual rules; a policy file (see `backend.scheduling.schemas`) changes them for
everything, for a visit type, or for a department.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from backend.kernel.clock import at_local
from backend.scheduling.rules.states import Channel, VisitType
from backend.scheduling.rules.waiting import CHANCES, OFFER

#: Channels behind which a member of staff sits and looks at the patient: limits on self-service do not bind them.
STAFF_CHANNELS = frozenset({Channel.COUNTER, Channel.IN_CLINIC})


@dataclass(frozen=True, slots=True)
class Reserve:
    """``percent`` of a session's places are kept for ``channel`` until its release."""

    channel: Channel
    percent: int
    #: Released so many days before the session's day, when the wall clock shows ``release_time``.
    release_days: int = 1
    release_time: dt.time = dt.time(18, 0)

    def released_at(self, day: dt.date) -> dt.datetime:
        """The moment (UTC) from which everybody may take the reserved places of a session of ``day``."""
        return at_local(day - dt.timedelta(days=self.release_days), self.release_time)


@dataclass(frozen=True, slots=True)
class BookingPolicy:
    """Everything configurable about booking one kind of session."""

    #: How long an unpaid place is kept.
    hold: dt.timedelta = dt.timedelta(minutes=15)
    #: How many days ahead places can be booked, and when (on the hospital's clock) each further day opens.
    booking_days: int = 14
    booking_opens: dt.time = dt.time(7, 0)
    #: Channels that may book a session of the same day.
    same_day_channels: frozenset[Channel] = frozenset(Channel)
    #: The most visits a patient may have on one day and in one week (Monday to Sunday), through self-service.
    visits_a_day: int = 3
    visits_a_week: int = 6
    #: So many visits missed within so many days suspend self-service booking for so many days.
    no_shows: int = 3
    no_show_days: int = 90
    suspension_days: int = 90
    #: Patients may give back a booked place until this time, so many days before the visit.
    cancel_days: int = 1
    cancel_until: dt.time = dt.time(17, 0)
    #: Whether a place booked on the day itself may be given back until the patient is called.
    same_day_cancel: bool = True
    reserves: tuple[Reserve, ...] = ()
    #: How long a returned place is kept for the first in the waiting list; after so many silences they leave it.
    offer: dt.timedelta = OFFER
    offer_chances: int = CHANCES


DEFAULT_POLICY = BookingPolicy()
#: How long an unpaid place is usually kept.
HOLD = DEFAULT_POLICY.hold


@dataclass(frozen=True, slots=True)
class PolicyFor:
    """A policy that holds where everything it names (None = anything) fits."""

    policy: BookingPolicy
    visit_type: VisitType | None = None
    hospital: str | None = None
    department: str | None = None

    def fits(self, visit_type: VisitType, hospital: str, department: str) -> bool:
        """True when the session is of the kind this entry is for."""
        return (
            self.visit_type in (None, visit_type)
            and self.hospital in (None, hospital)
            and self.department in (None, department)
        )


@dataclass(frozen=True, slots=True)
class BookingPolicies:
    """All policies in force: the usual one, and exceptions of which the last that fits counts."""

    usual: BookingPolicy = DEFAULT_POLICY
    exceptions: tuple[PolicyFor, ...] = field(default=())

    @property
    def ask_for_codes(self) -> bool:
        """True when an exception names a hospital or department, so that their codes must be known."""
        return any(one.hospital or one.department for one in self.exceptions)

    def of(self, visit_type: VisitType, hospital: str = "", department: str = "") -> BookingPolicy:
        """The policy of a session, by its visit type and the codes of its hospital and department."""
        for one in reversed(self.exceptions):
            if one.fits(visit_type, hospital, department):
                return one.policy
        return self.usual

    @property
    def furthest(self) -> BookingPolicy:
        """The policy that looks furthest ahead: how far sessions must have been generated."""
        return max(
            (self.usual, *(one.policy for one in self.exceptions)),
            key=lambda policy: policy.booking_days,
        )
