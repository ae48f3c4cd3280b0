"""What the pages of the organization share: blueprint, words, forms' version."""

from __future__ import annotations

from flask import Blueprint, request
from flask_babel import lazy_gettext

from backend.organization.queries import LocationKind
from backend.organization.rules import ACTION_WORDS

blueprint = Blueprint(
    "organization", __name__, url_prefix="/backoffice", template_folder="../templates"
)

KIND_WORDS = {
    LocationKind.CAMPUS: lazy_gettext("院区"),
    LocationKind.BUILDING: lazy_gettext("楼"),
    LocationKind.FLOOR: lazy_gettext("楼层"),
    LocationKind.AREA: lazy_gettext("区域"),
    LocationKind.ROOM: lazy_gettext("房间"),
    LocationKind.WINDOW: lazy_gettext("窗口"),
}
#: GB/T 2261.1.
SEX_WORDS = {
    0: lazy_gettext("未知"),
    1: lazy_gettext("男"),
    2: lazy_gettext("女"),
    9: lazy_gettext("未说明"),
}


def action_words(action: str) -> str:
    """An act in words."""
    return str(ACTION_WORDS.get(action, action))


def form_version() -> int:
    """The version of the row the form was opened with; 0 when it is missing, which is always stale."""
    text = request.form.get("version", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0
