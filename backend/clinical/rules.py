"""Pure rules of encounters and orders."""

from __future__ import annotations

import re
from enum import StrEnum

from flask_babel import lazy_gettext as _
from pypinyin import Style, lazy_pinyin


class EncounterState(StrEnum):
    """FHIR Encounter.status, as far as an outpatient clinic needs it."""

    IN_PROGRESS = "in_progress"
    FINISHED = "finished"
    CANCELLED = "cancelled"


class OrderKind(StrEnum):
    """What is ordered."""

    DRUG = "drug"
    LABORATORY = "laboratory"
    EXAMINATION = "examination"


class OrderState(StrEnum):
    """FHIR ServiceRequest/MedicationRequest.status."""

    ACTIVE = "active"
    CANCELLED = "cancelled"
    COMPLETED = "completed"


STATE_WORDS = {
    EncounterState.IN_PROGRESS: _("就诊中"),
    EncounterState.FINISHED: _("已结束"),
    EncounterState.CANCELLED: _("已取消"),
}

ORDER_WORDS = {
    OrderState.ACTIVE: _("有效"),
    OrderState.CANCELLED: _("已撤销"),
    OrderState.COMPLETED: _("已执行"),
}

MOST_PACKAGES = 99
#: The most characters each part of a note may have, and each part of a drug's directions.
NOTE_LENGTHS = {"complaint": 2000, "history": 4000, "examination": 4000}
DIRECTION_LENGTHS = {"dose": 60, "route": 40, "frequency": 60}


def initials_of(name: str) -> str:
    """胸腺恶性肿瘤 → xxexzl: what doctors type to find an entry."""
    letters = lazy_pinyin(name, style=Style.FIRST_LETTER)
    return "".join(c for part in letters for c in part.lower() if c.isascii() and c.isalnum())[:40]


class SearchKind(StrEnum):
    """How a catalogue is searched."""

    CODE = "code"
    NAME = "name"
    INITIALS = "initials"


def search_kind(text: str) -> SearchKind | None:
    """Chinese → name; anything with a digit → code; letters alone → initials (or code); None when empty."""
    text = text.strip()
    if not text:
        return None
    if any("\u3400" <= c <= "\u9fff" for c in text):
        return SearchKind.NAME
    if re.search(r"[0-9]", text):
        return SearchKind.CODE
    return SearchKind.INITIALS


def allergy_warnings(allergies: str, item_name: str) -> list[str]:
    """The patient's allergies (separated by 、，,; or spaces) that the name of a drug contains, or the reverse."""
    known = [word for word in re.split(r"[、，,;；\s]+", allergies) if word]
    plain = [
        word.removeprefix("对").removesuffix("史").removesuffix("过敏").removesuffix("类")
        for word in known
    ]
    return [
        word
        for word, stem in zip(known, plain, strict=True)
        if len(stem) >= 2 and (stem in item_name or item_name in stem)
    ]
