"""What places and people may be called, and which place may lie inside which. Pure functions."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from enum import StrEnum

from flask_babel import gettext as _
from flask_babel import lazy_gettext

_CODE = re.compile(r"[A-Z0-9][A-Z0-9._-]{0,31}")
_LONGEST: Mapping[str, int] = {
    "department": 60,
    "name": 60,
    "place": 80,
    "title": 40,
    "specialty": 200,
}
#: GB/T 2261.1: unknown, male, female, not said.
SEXES = (0, 1, 2, 9)

#: What the acts are called in a row's history and in the audit log.
ACTION_WORDS: Mapping[str, object] = {
    "organization.add_location": lazy_gettext("添加位置"),
    "organization.add_practitioner": lazy_gettext("添加人员"),
    "organization.close_location": lazy_gettext("停用位置"),
    "organization.edit_location": lazy_gettext("修改位置"),
    "organization.edit_practitioner": lazy_gettext("修改人员"),
    "organization.leave_practitioner": lazy_gettext("人员离岗"),
    "organization.open_location": lazy_gettext("启用位置"),
    "organization.rename_department": lazy_gettext("科室改名"),
    "organization.return_practitioner": lazy_gettext("人员返岗"),
}


class LocationKind(StrEnum):
    """The levels of a campus."""

    CAMPUS = "campus"
    BUILDING = "building"
    FLOOR = "floor"
    AREA = "area"
    ROOM = "room"
    WINDOW = "window"


#: The larger, the smaller the number; rooms and windows hold nothing.
_LEVEL: Mapping[LocationKind, int] = {
    LocationKind.CAMPUS: 0,
    LocationKind.BUILDING: 1,
    LocationKind.FLOOR: 2,
    LocationKind.AREA: 3,
    LocationKind.ROOM: 4,
    LocationKind.WINDOW: 4,
}


def may_hold(outer: LocationKind, inner: LocationKind) -> bool:
    """True when ``inner`` may lie directly inside ``outer``; an area may hold another area."""
    if outer is inner is LocationKind.AREA:
        return True
    return _LEVEL[outer] < _LEVEL[inner]


def normalise_code(text: str) -> str:
    """Plain capitals without blanks around."""
    return unicodedata.normalize("NFKC", text).strip().upper()


def tidy(text: str) -> str:
    """Words with single blanks."""
    return " ".join(text.split())


def check_place(code: str, name: str) -> dict[str, object]:
    """What is wrong with a place's code and name, by field."""
    return _check_code(code) | _check_text("name", name, _LONGEST["place"])


def check_department(code: str, name: str) -> dict[str, object]:
    """What is wrong with a department's code and name, by field."""
    return _check_code(code) | _check_text("name", name, _LONGEST["department"])


def check_person(code: str, name: str, sex: int, title: str, specialty: str) -> dict[str, object]:
    """What is wrong with a person's code, name, sex, title and specialty, by field."""
    wrong = _check_code(code) | _check_text("name", name, _LONGEST["name"])
    wrong |= _check_text("title", title, _LONGEST["title"])
    if sex not in SEXES:
        wrong["sex"] = _("请选择性别")
    if len(specialty) > _LONGEST["specialty"]:
        wrong["specialty"] = _("太长")
    return wrong


def _check_code(code: str) -> dict[str, object]:
    if _CODE.fullmatch(code):
        return {}
    return {"code": _("编码用大写字母、数字、点、横线，最多 32 位")}


def _check_text(field: str, text: str, longest: int) -> dict[str, object]:
    if not text:
        return {field: _("必填")}
    return {field: _("太长")} if len(text) > longest else {}
