"""Pure rules about who a person is: document numbers, phones, names, and what a search text could be."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from enum import StrEnum

from pypinyin import Style, lazy_pinyin

_WEIGHTS = [2 ** (18 - i) % 11 for i in range(1, 18)]
_CHECK_CHARACTERS = "10X98765432"
_ID_NUMBER = re.compile(r"[0-9]{17}[0-9X]")
_PHONE = re.compile(r"1[3-9][0-9]{9}")
_PASSPORT = re.compile(r"[A-Z0-9]{5,20}")
OLDEST_YEARS = 130


class IdKind(StrEnum):
    """Identity document kinds, WS 364 CV02.01.101."""

    RESIDENT_CARD = "01"
    HOUSEHOLD_BOOK = "02"
    PASSPORT = "03"
    OFFICER_CARD = "04"
    DRIVING_LICENCE = "05"
    HONGKONG_MACAO_PERMIT = "06"
    TAIWAN_PERMIT = "07"
    OTHER = "99"


class Sex:
    """GB/T 2261.1 codes."""

    UNKNOWN = 0
    MALE = 1
    FEMALE = 2
    UNSPECIFIED = 9


SEXES = (Sex.UNKNOWN, Sex.MALE, Sex.FEMALE, Sex.UNSPECIFIED)


@dataclass(frozen=True, slots=True)
class IdNumberFacts:
    """What a resident number says of its holder."""

    birth_date: dt.date
    sex: int


def check_character(first_seventeen: str) -> str:
    """The 18th character of a resident number (GB 11643-1999, ISO 7064 MOD 11-2)."""
    total = sum(
        int(digit) * weight for digit, weight in zip(first_seventeen, _WEIGHTS, strict=True)
    )
    return _CHECK_CHARACTERS[total % 11]


def read_id_number(number: str, today: dt.date) -> IdNumberFacts | None:
    """Birth date and sex from a sound resident number; None when it is not sound on ``today``."""
    number = number.strip().upper()
    if not _ID_NUMBER.fullmatch(number) or check_character(number[:17]) != number[17]:
        return None
    try:
        birth = dt.date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return None
    if birth > today or today.year - birth.year > OLDEST_YEARS:
        return None
    return IdNumberFacts(birth, Sex.MALE if int(number[16]) % 2 else Sex.FEMALE)


def is_id_number_sound(kind: str, number: str, today: dt.date) -> bool:
    """True when ``number`` can be the number of a document of ``kind``."""
    if kind == IdKind.RESIDENT_CARD:
        return read_id_number(number, today) is not None
    return _PASSPORT.fullmatch(number.strip().upper()) is not None


def is_phone(text: str) -> bool:
    """A mobile number of mainland China."""
    return _PHONE.fullmatch(text.strip()) is not None


def pinyin_of(name: str) -> tuple[str, str]:
    """``王小三`` → (``wangxiaosan``, ``wxs``); Latin names keep their letters."""
    syllables = [s.lower() for s in lazy_pinyin(name, style=Style.NORMAL) if s.strip("· .-")]
    words = [word for syllable in syllables for word in re.findall(r"[a-z]+", syllable)]
    return "".join(words)[:160], "".join(word[0] for word in words)[:30]


def same_name(one: str, other: str) -> bool:
    """Names compared as documents print them: without spaces, dots alike, case alike."""

    def plain(name: str) -> str:
        return re.sub(r"[\s.·•・]+", "", name).casefold()

    return plain(one) == plain(other)


class SearchKind(StrEnum):
    """What a search text can be; a text may be several at once (a card number may look like a phone)."""

    NUMBER = "number"
    NAME = "name"
    PINYIN = "pinyin"


def search_kind(text: str) -> SearchKind | None:
    """How to look for ``text``: by exact number, name prefix or pinyin prefix; None when it is too short."""
    text = text.strip()
    if not text:
        return None
    if any("\u4e00" <= c <= "\u9fff" or "\u3400" <= c <= "\u4dbf" for c in text):
        return SearchKind.NAME
    if any(c.isdigit() for c in text):
        return SearchKind.NUMBER if len(text) >= 4 else None
    return SearchKind.PINYIN if re.fullmatch(r"[A-Za-z .·-]+", text) else None
