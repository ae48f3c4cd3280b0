"""The values billing's reads answer with: frozen, free of the database, safe to hand to a template."""

from __future__ import annotations

import datetime as dt
import itertools
from dataclasses import dataclass

from flask_babel import lazy_gettext as _

from backend.billing.models import MoneyCase, Payment, Refund
from backend.billing.rules import (
    AccountKind,
    AccountState,
    CaseKind,
    Channel,
    ChargeState,
    EntryKind,
    InvoiceState,
    PaymentState,
    PriceCategory,
    RefundState,
    Tender,
)
from backend.billing.rules.einvoice import EInvoiceState
from backend.billing.rules.insurance import ClaimState
from backend.kernel.ids import Id

#: The source of charges that are top-ups of a prepaid account.
TOP_UP = "deposit"


@dataclass(frozen=True, slots=True)
class PriceView:
    """An item and what it costs on the day that was asked about."""

    item_id: Id
    code: str
    name: str
    unit: str
    category: PriceCategory
    price_fen: int
    effective_from: dt.date


@dataclass(frozen=True, slots=True)
class LineView:
    """One charge on a bill, or one that waits for a bill."""

    charge_id: Id
    name: str
    unit: str
    quantity: int
    unit_price_fen: int
    amount_fen: int
    refunded_fen: int
    state: ChargeState
    source_kind: str
    source_id: Id
    invoice_id: Id | None
    #: Done or dispensed: not refunded before that is reversed.
    is_executed: bool


@dataclass(frozen=True, slots=True)
class InvoiceView:
    """A bill; ``paid_fen`` is what has come in, ``due_fen`` what is still to pay."""

    id: Id
    hospital_id: Id
    patient_id: Id
    number: str
    state: InvoiceState
    total_fen: int
    paid_fen: int
    due_fen: int
    opened_at: dt.datetime
    expires_at: dt.datetime | None
    is_ending: bool
    lines: tuple[LineView, ...]

    @property
    def is_top_up(self) -> bool:
        """A bill over money paid ahead."""
        return any(line.source_kind == TOP_UP for line in self.lines)


@dataclass(frozen=True, slots=True)
class PaymentView:
    """One payment as programs and people see it."""

    id: Id
    invoice_id: Id
    patient_id: Id
    tender: Tender
    state: PaymentState
    amount_fen: int
    received_fen: int
    refundable_fen: int
    tendered_fen: int | None
    change_fen: int | None
    out_trade_no: str | None
    code_url: str | None
    created_at: dt.datetime
    expires_at: dt.datetime | None
    paid_at: dt.datetime | None
    is_in_flight: bool
    #: The money came for a bill that had ended: it goes back by itself.
    is_given_back: bool
    outcome_words: str
    #: Of a payment from a prepaid account: which one.
    account_id: Id | None
    channel: Channel
    #: Who took it: a staff code, a kiosk code or a program's name.
    actor_label: str


@dataclass(frozen=True, slots=True)
class EInvoiceView:
    """An electronic bill, as it stands at its platform."""

    id: Id
    invoice_id: Id
    state: EInvoiceState
    is_issued: bool
    #: Asked for, and not there yet.
    is_coming: bool
    amount_fen: int
    batch_code: str
    number: str
    check_code: str
    url: str
    words: str

    @property
    def state_words(self) -> str:
        """What staff call the state."""
        return str(EINVOICE_WORDS[self.state])


#: What staff call each state of an electronic bill.
EINVOICE_WORDS = {
    EInvoiceState.CREATED: _("开票中"),
    EInvoiceState.UNKNOWN: _("开票中"),
    EInvoiceState.ISSUED: _("已开票"),
    EInvoiceState.FAILED: _("开票失败"),
    EInvoiceState.RED_PENDING: _("冲红中"),
    EInvoiceState.RED_LETTERED: _("已冲红"),
}


@dataclass(frozen=True, slots=True)
class ClaimView:
    """What the counter sees of a claim on the insurance."""

    id: Id
    invoice_id: Id
    state: ClaimState
    #: The centre is being asked.
    is_pending: bool
    is_refused: bool
    insured_fen: int
    words: str


@dataclass(frozen=True, slots=True)
class RefundView:
    """One refund."""

    id: Id
    payment_id: Id
    invoice_id: Id
    #: Where it goes back to.
    tender: Tender
    state: RefundState
    amount_fen: int
    out_refund_no: str
    reason: str
    requested_at: dt.datetime
    succeeded_at: dt.datetime | None
    channel: Channel
    actor_label: str

    @property
    def has_ended(self) -> bool:
        """True when no worker does anything more about it: the money is back, or a person has to look."""
        return self.state in (RefundState.SUCCEEDED, RefundState.ABNORMAL)


@dataclass(frozen=True, slots=True)
class DueView:
    """Everything a patient has to pay: open bills, and charges on no bill yet."""

    invoices: tuple[InvoiceView, ...]
    charges: tuple[LineView, ...]

    @property
    def total_fen(self) -> int:
        """The sum of both."""
        bills = sum(invoice.due_fen for invoice in self.invoices)
        return bills + sum(line.amount_fen for line in self.charges)


@dataclass(frozen=True, slots=True)
class AccountView:
    """A prepaid account."""

    id: Id
    patient_id: Id
    kind: AccountKind
    state: AccountState
    balance_fen: int
    opened_at: dt.datetime


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One movement of an account; ``amount_fen`` is positive for money that came in."""

    at: dt.datetime
    day: dt.date
    kind: EntryKind
    source_id: Id
    amount_fen: int

    @property
    def words(self) -> str:
        """What has happened."""
        return str(MOVEMENT_WORDS[self.kind])


@dataclass(frozen=True, slots=True)
class StatementView:
    """What came and went on some days, and what was there before and after."""

    account: AccountView
    first: dt.date
    last: dt.date
    opening_fen: int
    closing_fen: int
    lines: tuple[StatementLine, ...]

    @property
    def running(self) -> list[tuple[StatementLine, int]]:
        """Each line with the balance after it."""
        balances = itertools.accumulate(
            (line.amount_fen for line in self.lines), initial=self.opening_fen
        )
        return list(zip(self.lines, itertools.islice(balances, 1, None), strict=True))


@dataclass(frozen=True, slots=True)
class DayCharge:
    """One line of a daily bill."""

    category: PriceCategory
    name: str
    unit: str
    quantity: int
    amount_fen: int
    refunded_fen: int
    raised_at: dt.datetime


@dataclass(frozen=True, slots=True)
class CaseView:
    """Money that waits for somebody, with what can be done about it."""

    id: Id
    kind: CaseKind
    amount_fen: int
    due_fen: int | None
    reference: str
    invoice_number: str
    payment_id: Id | None
    refund_id: Id | None
    refund_state: RefundState | None
    opened_at: dt.datetime
    age: dt.timedelta
    can_give_back: bool
    can_retry: bool
    #: Cash that waits: it is handed over at the patient's own page or here.
    can_hand_over: bool

    @property
    def kind_words(self) -> str:
        """What has happened."""
        return str(CASE_WORDS[self.kind])

    @property
    def age_words(self) -> str:
        """How long it has waited."""
        hours = int(self.age.total_seconds() // 3600)
        if hours >= 24:
            return str(_("%(n)s 天", n=hours // 24))
        return str(_("%(n)s 小时", n=hours)) if hours else str(_("不到 1 小时"))


def case_view(
    case: MoneyCase,
    payment: Payment | None,
    refund: Refund | None,
    invoice_number: str | None,
    at: dt.datetime,
) -> CaseView:
    """The view of a case with the payment and refund it is about."""
    is_held = payment is not None and payment.is_suspended
    return CaseView(
        id=case.id,
        kind=case.kind,
        amount_fen=case.amount_fen,
        due_fen=payment.amount_fen if payment is not None else None,
        reference=case.reference,
        invoice_number=invoice_number or "",
        payment_id=case.payment_id,
        refund_id=case.refund_id,
        refund_state=refund.state if refund is not None else None,
        opened_at=case.opened_at,
        age=at - case.opened_at,
        can_give_back=payment is not None
        and is_held
        and payment.received_fen > payment.refunded_fen,
        can_retry=refund is not None and refund.state is RefundState.ABNORMAL,
        can_hand_over=case.kind is CaseKind.CASH_TO_HAND_BACK
        and refund is not None
        and refund.state is RefundState.CREATED,
    )


#: What staff are told about each kind of case.
CASE_WORDS = {
    CaseKind.AMOUNT_DIFFERS: _("到账金额与应付金额不符"),
    CaseKind.PAID_TOO_LATE: _("账单失效后到账"),
    CaseKind.UNKNOWN_ORDER: _("到账订单不是本院发起"),
    CaseKind.REFUND_ABNORMAL: _("退款异常，平台没有退成"),
    CaseKind.REFUND_DIFFERS: _("退款金额与申请不符"),
    CaseKind.OUTCOME_UNKNOWN: _("对方长时间没有答复，结果不明"),
    CaseKind.CASH_TO_HAND_BACK: _("应退现金待患者领取"),
    CaseKind.BILL_OURS_ONLY: _("对账：本院有记录，渠道账单没有"),
    CaseKind.BILL_THEIRS_ONLY: _("对账：渠道账单有记录，本院未入账"),
    CaseKind.BILL_AMOUNT_DIFFERS: _("对账：双方金额不一致"),
    CaseKind.UNKNOWN_REFUND: _("渠道退款不是本院发起"),
    CaseKind.CARD_BATCH_DIFFERS: _("银行卡结算：批次总额与银行不一致"),
}

#: How a refund stands, for staff.
REFUND_WORDS = {
    RefundState.CREATED: _("待退"),
    RefundState.PROCESSING: _("退款中"),
    RefundState.UNKNOWN: _("确认中"),
    RefundState.SUCCEEDED: _("已退"),
    RefundState.ABNORMAL: _("异常"),
}

#: What moves the balance of a prepaid account.
MOVEMENT_WORDS = {
    EntryKind.DEPOSIT_TOPPED_UP: _("充值"),
    EntryKind.PAYMENT_RECEIVED: _("支付账单"),
    EntryKind.REFUND_PAID: _("退费入账"),
    EntryKind.REFUND_OWED: _("退回余额"),
}

#: What payers and staff call each tender.
TENDER_WORDS = {
    Tender.CASH: _("现金"),
    Tender.WECHAT_NATIVE: _("微信支付"),
    Tender.WECHAT_CODEPAY: _("微信付款码"),
    Tender.ALIPAY_QR: _("支付宝"),
    Tender.BANK_CARD: _("银行卡"),
    Tender.PREPAID: _("预交金账户"),
    Tender.INSURANCE: _("医保统筹"),
}

#: What staff call each channel.
CHANNEL_WORDS = {
    Channel.COUNTER: _("窗口"),
    Channel.KIOSK: _("自助机"),
    Channel.PHONE: _("手机"),
    Channel.SYSTEM: _("系统"),
}
