"""What counts as self-service, and its share. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Way(StrEnum):
    """How something was done, whatever each domain calls its channels."""

    COUNTER = "counter"
    KIOSK = "kiosk"
    PHONE = "phone"
    #: In the consulting room, by a partner hospital, by the program itself.
    OTHER = "other"


SELF_SERVICE = frozenset({Way.KIOSK, Way.PHONE})

#: Scheduling's and billing's channels; what is not here is ``OTHER``.
WAYS: Mapping[str, Way] = {
    "counter": Way.COUNTER,
    "kiosk": Way.KIOSK,
    "phone": Way.PHONE,
    "wechat": Way.PHONE,
    "miniprogram": Way.PHONE,
}


@dataclass(frozen=True, slots=True)
class Share:
    """How often something was done each way."""

    counts: Mapping[Way, int]

    @property
    def total(self) -> int:
        """All of it."""
        return sum(self.counts.values())

    @property
    def self_service(self) -> int:
        """What patients did without staff."""
        return sum(number for way, number in self.counts.items() if way in SELF_SERVICE)

    @property
    def per_mille(self) -> int | None:
        """The share of self-service in thousandths, half rounded up; None when nothing was done."""
        if not self.total:
            return None
        return (self.self_service * 2000 + self.total) // (2 * self.total)

    @property
    def words(self) -> str:
        """``63.5%``, or a dash."""
        share = self.per_mille
        return "—" if share is None else f"{share // 10}.{share % 10}%"


def way_of(channel: str) -> Way:
    """The way a domain's channel stands for."""
    return WAYS.get(channel, Way.OTHER)


def add_up(counts: Mapping[Way, int], way: Way, number: int) -> dict[Way, int]:
    """``counts`` with ``number`` more of one way."""
    return {**counts, way: counts.get(way, 0) + number}
