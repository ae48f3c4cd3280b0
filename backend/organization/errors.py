"""What can go wrong with places and people of the organization."""

from __future__ import annotations

from flask_babel import lazy_gettext as _

from backend.kernel.errors import Conflict, InvalidInput, NotFound


class HospitalExists(Conflict):
    """A hospital of this code is there already."""

    code = "hospital_exists"
    default_message = _("已经有这个编码的医院")
    default_next_step = _("请换一个编码，或直接使用原来的医院")


class PlaceUnknown(NotFound):
    """No such place in this hospital."""

    code = "place_unknown"
    default_message = _("没有找到这个位置")


class PersonUnknown(NotFound):
    """Nobody of this hospital."""

    code = "person_unknown"
    default_message = _("没有找到这个人员")


class CodeTaken(Conflict):
    """Another row of this hospital, perhaps one no longer in use, has this code."""

    code = "code_taken"
    default_message = _("这个编码已经有人使用")
    default_next_step = _("请换一个编码")


class PlaceMisplaced(InvalidInput):
    """A place lies inside something larger: not in itself, in what lies inside it, or in a room."""

    code = "place_misplaced"
    default_message = _("位置只能放在更大的位置里面")


class PlaceHasInside(Conflict):
    """What lies inside is still in use."""

    code = "place_has_inside"
    default_message = _("里面还有在用的位置，不能停用")
    default_next_step = _("请先停用里面的房间和窗口")
