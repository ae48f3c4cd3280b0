"""Why a place cannot be booked, kept or given back; each says what to do next."""

from __future__ import annotations

from flask_babel import lazy_gettext as _

from backend.kernel.errors import Conflict, InvalidInput, NotFound


class ScheduleNotFound(NotFound):
    """No such schedule in this hospital."""

    code = "schedule_not_found"
    default_message = _("没有找到这个出诊安排")
    default_next_step = _("请返回重新选择科室和医生")


class AppointmentNotFound(NotFound):
    """No such appointment in this hospital."""

    code = "appointment_not_found"
    default_message = _("没有找到这条挂号记录")
    default_next_step = _("请核对后再试，或到人工窗口查询")


class SlotGone(Conflict):
    """The wanted place (or every place of the schedule) has been taken, or its time has passed."""

    code = "slot_gone"
    default_message = _("这个号刚刚被别人挂走了")
    default_next_step = _("请选择其他时段或其他医生")


class AlreadyBooked(Conflict):
    """One active appointment per patient, practitioner and half-day: ``appointment_id``."""

    code = "already_booked"
    default_message = _("您在这位医生的这个半天已经有号了")
    default_next_step = _("请直接使用已有的号，或先退掉再重新挂号")


class BookingClosed(Conflict):
    """The day lies in the past or beyond the booking window."""

    code = "booking_closed"
    default_message = _("这一天现在不能挂号")
    default_next_step = _("请选择可以挂号的日期")


class SameDayClosed(Conflict):
    """This ``channel`` books ahead only; places of today are given elsewhere."""

    code = "same_day_closed"
    default_message = _("当天的号不能在这里挂")
    default_next_step = _("请到人工窗口挂当日号，或预约其他日期")


class TooManyVisits(Conflict):
    """The patient has as many visits as self-service allows: ``per`` day or week, ``count``."""

    code = "too_many_visits"
    default_message = _("您已挂的号达到上限")
    default_next_step = _("请先退掉不需要的号；如病情需要，请到人工窗口挂号")


class BookingSuspended(Conflict):
    """Too many visits were missed: no self-service booking up to and including the day ``until``."""

    code = "booking_suspended"
    default_message = _("您因多次预约未到诊，暂停自助预约")
    default_next_step = _("请到人工窗口挂号")


class ScheduleStopped(Conflict):
    """The practitioner does not sit in this session (停诊)."""

    code = "schedule_stopped"
    default_message = _("这位医生这一班次已停诊")
    default_next_step = _("请选择其他医生或其他日期")


class CancelTooLate(Conflict):
    """The patient's own cut-off has passed, or the visit has begun."""

    code = "cancel_too_late"
    default_message = _("已经过了可以自行退号的时间")
    default_next_step = _("如确需退号，请到人工窗口办理")


class WrongAppointmentState(Conflict):
    """The appointment's present ``state`` does not allow this step."""

    code = "appointment_state"
    default_message = _("这个号现在的状态不能办理这一步")
    default_next_step = _("请刷新后查看号的最新状态，或咨询导诊台")


class NotToday(Conflict):
    """Checking in is for the day of the visit."""

    code = "appointment_not_today"
    default_message = _("这个号不是今天的")
    default_next_step = _("请在就诊当天再来报到")


class TemplateInvalid(InvalidInput):
    """A weekly template that no clinic could keep (too many places, outside its half-day)."""

    code = "template_invalid"
    default_message = _("排班模板有误")
    default_next_step = _("请检查号数、每号分钟数和开始时间")
    past_words = _("不能早于今天")
    order_words = _("结束日期不能早于开始日期")
    taken_words = _("这位医生在这个半天已有模板，请先结束原来的，或换一个日期")
    capacity_words = _("号数应为 1 到 200")
    minutes_words = _("每号应为 1 到 120 分钟")
    begins_words = _("开始时间不在这个半天里")
    too_long_words = _("这么多号在这个半天里看不完，请减少号数或每号分钟")


class PeriodInvalid(InvalidInput):
    """A period for generating schedules that ends before it begins or is too long."""

    code = "period_invalid"
    default_message = _("生成排班的起止日期有误")
    default_next_step = _("请选择不超过 31 天、结束不早于开始的日期")


class CalendarDayInvalid(InvalidInput):
    """A calendar day without a sensible name or with a weekday that does not exist."""

    code = "calendar_day_invalid"
    default_message = _("日历上的这一天填写有误")
    default_next_step = _("请检查名称（1–40 个字）和按周几出诊")
    name_words = _("名称应为 1–40 个字")


class CalendarDayUnknown(NotFound):
    """The calendar says nothing of this day."""

    code = "calendar_day_unknown"
    default_message = _("日历上没有这一天的特别安排")
    default_next_step = _("请刷新日历后再试")


class CalendarYearUnknown(NotFound):
    """The library does not know this year's notice (it is published each autumn for the next year)."""

    code = "calendar_year_unknown"
    default_message = _("程序里还没有这一年的放假安排")
    default_next_step = _("请下载国务院办公厅的通知，用文件导入")


class RushNotFound(NotFound):
    """No such line."""

    code = "rush_not_found"
    default_message = _("没有找到这个排队")
    default_next_step = _("请重新打开医院给您的链接")


class RushNotOpen(Conflict):
    """The line cannot be joined yet."""

    code = "rush_not_open"
    default_message = _("还没到排队的时间")
    default_next_step = _("请在放号前 15 分钟内再打开这个页面，先到先得")


class NotYourTurn(Conflict):
    """Others stand in front."""

    code = "not_your_turn"
    default_message = _("还没有轮到您")
    default_next_step = _("请稍候，页面会自己更新；您的位置不会变")


class TurnOver(Conflict):
    """The turn has passed, or was used already."""

    code = "turn_over"
    default_message = _("轮到您的时间已经过了")
    default_next_step = _("请重新排队")


class ExaminationNotFound(NotFound):
    """No such booked examination of this patient in this hospital."""

    code = "examination_not_found"
    default_message = _("没有找到这条检查预约")
    default_next_step = _("请刷新后查看最新的检查安排")


class PlanOutdated(Conflict):
    """A place of the plan has gone, or what it was made for has changed: make a new one. ``visit_keys``: which."""

    code = "plan_outdated"
    default_message = _("安排里有时段刚刚被别人约走，或医嘱有变化")
    default_next_step = _("已按现在的空位重新安排，请核对后再预约")


class PlanBreaksRule(InvalidInput):
    """The chosen places contradict a rule of preparation, interval or order."""

    code = "plan_breaks_rule"
    default_message = _("这些时段之间的间隔或先后不符合检查要求")
    default_next_step = _("请使用系统给出的安排")


class ExaminationBegun(Conflict):
    """The examination's time has come; it can no longer be given back."""

    code = "examination_begun"
    default_message = _("这项检查的时间已到，不能再取消或改期")
    default_next_step = _("请到检查科室的登记台处理")


class LineFirst(SlotGone):
    """Others stand in the session's waiting list: what comes back is offered to them first."""

    code = "line_first"
    default_message = _("这个班次有人在候补，退回的号先给他们")
    default_next_step = _("请加入候补，或选择其他时段和其他医生")


class WaitingNotFound(NotFound):
    """No such place in a waiting list in this hospital."""

    code = "waiting_not_found"
    default_message = _("没有找到这条候补")
    default_next_step = _("请刷新后再试")


class AlreadyWaiting(Conflict):
    """The patient stands in this line already."""

    code = "already_waiting"
    default_message = _("您已经在这个班次的候补里了")
    default_next_step = _("有号时会按先后通知您，不用再加入")


class PlacesLeft(Conflict):
    """The session is not full."""

    code = "places_left"
    default_message = _("这个班次还有号，不用候补")
    default_next_step = _("请直接挂号")


class LineClosed(Conflict):
    """The session is over, stopped, or not open for booking: there is nothing to wait for."""

    code = "line_closed"
    default_message = _("这个班次现在不能候补")
    default_next_step = _("请选择其他时段或其他医生")


class LineChanged(Conflict):
    """The entry has been offered a place meanwhile."""

    code = "line_changed"
    default_message = _("刚刚轮到这条候补，已经为它留了号")
    default_next_step = _("请刷新后再决定")


class TooManyLines(Conflict):
    """The patient stands in as many lines as one may."""

    code = "too_many_lines"
    default_message = _("您同时候补的班次已经够多了")
    default_next_step = _("请先退出一些候补")


class ScheduleOver(Conflict):
    """The session's half-day has ended."""

    code = "schedule_over"
    default_message = _("这一班次已经结束")
    default_next_step = _("请选择以后的班次")


class AddedReasonMissing(InvalidInput):
    """A number beyond capacity needs a reason that the auditor can read."""

    code = "added_reason_missing"
    default_message = _("加号需要写明原因（100 字以内）")
    default_next_step = _("请填写原因后再加号")


class AddedFull(Conflict):
    """The session has as many added numbers as are allowed."""

    code = "added_full"
    default_message = _("这一班次的加号已经到上限")
    default_next_step = _("请选择其他班次，或登记候补")


class NotYourSession(Conflict):
    """A practitioner adds numbers to their own sessions; a scheduler to any."""

    code = "not_your_session"
    default_message = _("只能给自己的班次加号")
    default_next_step = _("请联系排班员，或由出诊医生本人加号")


class StopInvalid(InvalidInput):
    """A stop-clinic notice that says nobody, no sensible time, or no reason; see ``fields``."""

    code = "stop_invalid"
    default_message = _("停诊内容填写有误")
    default_next_step = _("请按提示修改后再继续")


class StopUnknown(NotFound):
    """No such stop-clinic notice in this hospital."""

    code = "stop_unknown"
    default_message = _("没有找到这条停诊记录")
    default_next_step = _("请返回停诊列表后再试")


class StopOver(Conflict):
    """The notice was lifted already, or its sessions are over."""

    code = "stop_over"
    default_message = _("这条停诊已经恢复，或班次已经过去")
    default_next_step = _("请刷新后查看最新情况")


class StopChanged(Conflict):
    """Between preview and act more visits were booked, or sessions changed."""

    code = "stop_changed"
    default_message = _("预览之后情况有变化，还没有停诊")
    default_next_step = _("请核对新的名单后再确认")


class DisruptionUnknown(NotFound):
    """No such disrupted visit, or not this patient's."""

    code = "disruption_unknown"
    default_message = _("没有找到这条停诊通知")
    default_next_step = _("请核对后再试，或到人工窗口办理")


class DisruptionOver(Conflict):
    """The visit has been decided already: ``state``."""

    code = "disruption_over"
    default_message = _("这次就诊已经处理过了")
    default_next_step = _("请刷新后查看结果")


class NotEquivalent(Conflict):
    """The wanted session is not (or no longer) among the equivalents."""

    code = "not_equivalent"
    default_message = _("这个班次不能用来改约")
    default_next_step = _("请在列出的班次里选择，或选择退款")


class SubstituteBusy(Conflict):
    """The substitute sits elsewhere in this half-day, or is the same person."""

    code = "substitute_busy"
    default_message = _("这位医生这个半天已有班次，不能替诊")
    default_next_step = _("请选择其他医生，或先停掉其原来的班次")


class SubstituteTooLate(Conflict):
    """Patients have checked in: their tickets name the first practitioner."""

    code = "substitute_too_late"
    default_message = _("已有患者报到，不能再换医生")
    default_next_step = _("请在候诊队列里转诊，或用停诊处理余下的患者")


class SessionExists(Conflict):
    """The practitioner has a session in this half-day already."""

    code = "session_exists"
    default_message = _("这位医生这个半天已有班次")
    default_next_step = _("请选择其他半天，或在已有班次上加号")


class TemplateUnknown(NotFound):
    """No such entry of the weekly template in this hospital."""

    code = "template_unknown"
    default_message = _("没有找到这一条出诊模板")
    default_next_step = _("请刷新模板后再试")


class TemplateEnded(Conflict):
    """The entry ended before the wanted day: ``until``."""

    code = "template_ended"
    default_message = _("这一条模板在这之前已经结束")
    default_next_step = _("请刷新模板，在空格里加一班")
