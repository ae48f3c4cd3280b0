"""The states of places, appointments and sessions, and what they are called."""

from __future__ import annotations

from enum import StrEnum

from flask_babel import lazy_gettext as _

from backend.kernel.clock import HalfDay


class VisitType(StrEnum):
    """What kind of visit a schedule offers (号别)."""

    GENERAL = "general"
    ASSOCIATE_CHIEF = "associate_chief"
    CHIEF = "chief"
    SPECIAL = "special"
    EXAMINATION = "examination"


class Modality(StrEnum):
    """What kind of examination equipment a device is (after DICOM modalities)."""

    CT = "ct"
    MR = "mr"
    RADIOGRAPHY = "radiography"
    MAMMOGRAPHY = "mammography"
    ULTRASOUND = "ultrasound"
    NUCLEAR = "nuclear"
    PET = "pet"
    ENDOSCOPY = "endoscopy"
    LABORATORY = "laboratory"


class ScheduleStatus(StrEnum):
    """Whether the session takes place."""

    OPEN = "open"
    STOPPED = "stopped"


class SlotState(StrEnum):
    """Where a place stands. ``held`` with a lapsed ``hold_until`` is as good as free.

    ``closed`` is nobody's and nobody can have it: its session is stopped, or it was added for one patient
    (加号) who gave it back.
    """

    FREE = "free"
    HELD = "held"
    BOOKED = "booked"
    CLOSED = "closed"


class AppointmentState(StrEnum):
    """Where a patient's claim on a place stands."""

    HELD = "held"
    BOOKED = "booked"
    CHECKED_IN = "checked_in"
    FULFILLED = "fulfilled"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    NO_SHOW = "no_show"


class SlotEventKind(StrEnum):
    """What can happen in the life of a place; it begins generated, or added beyond capacity."""

    GENERATED = "generated"
    ADDED = "added"
    HELD = "held"
    RELEASED = "released"
    EXPIRED = "expired"
    BOOKED = "booked"
    CANCELLED = "cancelled"
    FULFILLED = "fulfilled"
    NO_SHOW = "no_show"
    MOVED_OUT = "moved_out"
    MOVED_IN = "moved_in"
    CLOSED = "closed"
    REOPENED = "reopened"


class Channel(StrEnum):
    """Where a booking comes from; all draw on one pool."""

    COUNTER = "counter"
    IN_CLINIC = "in_clinic"
    KIOSK = "kiosk"
    MINIPROGRAM = "miniprogram"
    PARTNER = "partner"
    WECHAT = "wechat"


MODALITY_WORDS = {
    Modality.CT: _("CT"),
    Modality.MR: _("磁共振"),
    Modality.RADIOGRAPHY: _("X 线透视"),
    Modality.MAMMOGRAPHY: _("乳腺钼靶"),
    Modality.ULTRASOUND: _("超声"),
    Modality.NUCLEAR: _("核医学"),
    Modality.PET: _("PET/CT"),
    Modality.ENDOSCOPY: _("内镜"),
    Modality.LABORATORY: _("检验采样"),
}


VISIT_TYPE_WORDS = {
    VisitType.GENERAL: _("普通门诊"),
    VisitType.ASSOCIATE_CHIEF: _("副主任医师门诊"),
    VisitType.CHIEF: _("主任医师门诊"),
    VisitType.SPECIAL: _("特需门诊"),
    VisitType.EXAMINATION: _("检查"),
}


CHANNEL_WORDS = {
    Channel.COUNTER: _("人工窗口"),
    Channel.IN_CLINIC: _("诊间"),
    Channel.KIOSK: _("自助机"),
    Channel.MINIPROGRAM: _("小程序"),
    Channel.PARTNER: _("合作医院"),
    Channel.WECHAT: _("微信公众号"),
}


HALF_DAY_WORDS = {HalfDay.AM: _("上午"), HalfDay.PM: _("下午"), HalfDay.EVENING: _("晚间")}


STATE_WORDS = {
    AppointmentState.HELD: _("待支付"),
    AppointmentState.BOOKED: _("已挂号"),
    AppointmentState.CHECKED_IN: _("已报到"),
    AppointmentState.FULFILLED: _("已就诊"),
    AppointmentState.CANCELLED: _("已退号"),
    AppointmentState.EXPIRED: _("未支付，已失效"),
    AppointmentState.NO_SHOW: _("未到诊"),
}


#: Appointments that occupy their place: at most one of these per slot.
OCCUPYING = frozenset(AppointmentState) - {AppointmentState.CANCELLED, AppointmentState.EXPIRED}


#: Appointments still ahead of the patient: at most one per practitioner and half-day.
ACTIVE = frozenset({AppointmentState.HELD, AppointmentState.BOOKED, AppointmentState.CHECKED_IN})
