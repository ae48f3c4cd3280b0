"""What kiosks and the counter print: tickets and receipts as plain elements, 48 columns wide. Pure functions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from flask_babel import gettext as _

from backend.billing.rules import QR_TENDERS
from backend.billing.views import TENDER_WORDS, EInvoiceView, InvoiceView, PaymentView
from backend.kernel.clock import business_date, local
from backend.kernel.ids import Id
from backend.kernel.money import format_yuan
from backend.queueing.views import TicketView
from backend.scheduling.rules.examinations import Visit
from backend.scheduling.rules.planning.explanation import when_words
from backend.scheduling.rules.planning.preparation import Timed, steps_of_day
from backend.scheduling.views import BookedExaminationView

Element = dict[str, Any]


def text(words: str, size: int = 1, align: str = "left", *, bold: bool = False) -> Element:
    """One paragraph."""
    return {"type": "text", "text": words, "size": size, "align": align, "bold": bold}


def row(left: str, right: str) -> Element:
    """One line with something at each end."""
    return {"type": "row", "left": left, "right": right}


def ticket_document(
    ticket: TicketView, *, hospital_name: str, place: str, url: str, reprint: bool, at: dt.datetime
) -> list[Element]:
    """The queue ticket: the number large, where to go, how long it may take, the QR of the phone page."""
    elements = [
        text(hospital_name, 2, "center", bold=True),
        text(_("排队号票（补打）") if reprint else _("排队号票"), 1, "center"),
        {"type": "rule"},
        text(ticket.queue_name, 2, "center"),
        text(ticket.number, 4, "center", bold=True),
        {"type": "feed", "lines": 1},
        row(_("姓名"), ticket.patient_name_masked),
    ]
    if ticket.practitioner_name:
        elements.append(row(_("医生"), ticket.practitioner_name))
    elements.append(row(_("候诊区"), place))
    if ticket.ahead is not None:
        elements.append(row(_("前面还有"), _("%(n)s 人", n=ticket.ahead)))
    if ticket.wait_words:
        elements.append(row(_("预计等候"), ticket.wait_words))
    elements += [
        row(_("取号时间"), f"{local(at):%Y-%m-%d %H:%M}"),
        {"type": "rule"},
        {"type": "qr", "payload": url, "caption": _("微信扫码看排队进度、缴费")},
        text(_("过号请到分诊台，当日有效"), 1, "center"),
        {"type": "feed", "lines": 2},
        {"type": "cut"},
    ]
    return elements


def receipt_document(
    invoice: InvoiceView,
    payments: Sequence[PaymentView],
    *,
    hospital_name: str,
    name_masked: str,
    reprint: bool,
    receipt_numbers: Mapping[Id, str],
    einvoice: EInvoiceView | None = None,
) -> list[Element]:
    """The receipt of a paid bill: every line, the sum, what went back of it, how and when it was paid, under which
    numbers (of each payment's receipt, of the order in the payer's wallet), the electronic bill's code.
    """
    elements = [
        text(hospital_name, 2, "center", bold=True),
        text(_("缴费凭条（补打）") if reprint else _("缴费凭条"), 1, "center"),
        {"type": "rule"},
        row(_("姓名"), name_masked),
        row(_("账单号"), invoice.number),
        {"type": "rule"},
    ]
    for line in invoice.lines:
        words = line.name if line.quantity == 1 else f"{line.name} ×{line.quantity}"
        elements.append(row(words, format_yuan(line.amount_fen)))
    elements += [{"type": "rule"}, row(_("合计"), format_yuan(invoice.total_fen))]
    refunded_fen = sum(line.refunded_fen for line in invoice.lines)
    if refunded_fen:
        elements.append(row(_("其中已退"), format_yuan(refunded_fen)))
    for payment in payments:
        words = str(TENDER_WORDS[payment.tender])
        if len(payments) > 1:
            words = f"{words} {format_yuan(payment.received_fen)}"
        elements.append(row(_("支付方式"), words))
        if payment.paid_at is not None:
            elements.append(row(_("支付时间"), f"{local(payment.paid_at):%Y-%m-%d %H:%M:%S}"))
        if payment.id in receipt_numbers:
            elements.append(row(_("收据号"), receipt_numbers[payment.id]))
        if payment.tender in QR_TENDERS and payment.out_trade_no:
            elements.append(row(_("商户单号"), payment.out_trade_no))
    if einvoice is not None and einvoice.is_issued:
        elements += [
            {"type": "rule"},
            row(_("电子票据代码"), einvoice.batch_code),
            row(_("电子票据号码"), einvoice.number),
            row(_("校验码"), einvoice.check_code),
            {"type": "qr", "payload": einvoice.url, "caption": _("扫码查看、下载电子票据")},
        ]
        notice = _("本凭条不作报销凭证，报销请用电子票据")
    elif einvoice is not None and einvoice.is_coming:
        notice = _("电子票据正在开具，稍后补打本凭条可取票号")
    else:
        notice = _("本凭条不作报销凭证，发票请到收费窗口领取")
    elements += [
        text(notice, 1, "center"),
        {"type": "feed", "lines": 2},
        {"type": "cut"},
    ]
    return elements


_WEEKDAYS = "一二三四五六日"


def preparation_document(
    booked: Sequence[BookedExaminationView],
    *,
    hospital_name: str,
    name_masked: str,
    at: dt.datetime,
) -> list[Element]:
    """What the patient takes home: each day's examinations with time and place, what to do before and after."""
    elements = [
        text(hospital_name, 2, "center", bold=True),
        text(_("检查准备单"), 1, "center"),
        {"type": "rule"},
        row(_("姓名"), name_masked),
        row(_("打印时间"), f"{local(at):%Y-%m-%d %H:%M}"),
    ]
    days: dict[dt.date, list[BookedExaminationView]] = {}
    for view in booked:
        days.setdefault(business_date(view.starts_at), []).append(view)
    for day, views in days.items():
        weekday = _WEEKDAYS[day.weekday()]
        elements += [{"type": "rule"}, text(f"{day:%m-%d} 周{weekday}", 2, bold=True)]
        timed = [Timed(Visit("", v.ordered), v.starts_at, v.ends_at) for v in views]
        steps = steps_of_day(timed)
        elements += [_step(step.at, str(step.words), day) for step in steps if step.is_before]
        for view in views:
            elements.append(text(f"{local(view.starts_at):%H:%M} {view.name}", bold=True))
            elements.append(text(f"{view.device.name} · {view.device.place}"))
        elements += [_step(step.at, str(step.words), day) for step in steps if not step.is_before]
    if not booked:
        elements += [{"type": "rule"}, text(_("没有已约的检查"), 1, "center")]
    elements += [
        {"type": "rule"},
        text(_("请提前 15 分钟到检查科室登记；不能来请提前取消"), 1, "center"),
        {"type": "feed", "lines": 2},
        {"type": "cut"},
    ]
    return elements


def _step(at: dt.datetime | None, words: str, day: dt.date) -> Element:
    return text(f"□ {when_words(at, day)} {words}" if at else f"□ {words}")
