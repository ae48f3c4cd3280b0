"""The states of money's documents and every move between them; what is not here cannot happen."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from backend.billing.errors import IllegalMove
from backend.kernel.permissions import ActorKind


class PriceCategory(StrEnum):
    """What a price is for; each category has a revenue account of its own (收费类别)."""

    REGISTRATION = "registration"
    CONSULTATION = "consultation"
    LABORATORY = "laboratory"
    IMAGING = "imaging"
    ULTRASOUND = "ultrasound"
    ENDOSCOPY = "endoscopy"
    NUCLEAR = "nuclear"
    PATHOLOGY = "pathology"
    DRUG = "drug"
    PROCEDURE = "procedure"
    TREATMENT = "treatment"
    RADIOTHERAPY = "radiotherapy"
    SURGERY = "surgery"
    ANAESTHESIA = "anaesthesia"
    NURSING = "nursing"
    BED = "bed"
    MATERIAL = "material"
    BLOOD = "blood"
    OTHER = "other"
    #: Money paid ahead onto an account: owed to the patient, not earned, and on no price list.
    DEPOSIT = "deposit"


#: What a price list may have.
PRICED = frozenset(PriceCategory) - {PriceCategory.DEPOSIT}


class ChargeState(StrEnum):
    """Where one item owed stands."""

    PENDING = "pending"
    INVOICED = "invoiced"
    PAID = "paid"
    REFUNDED = "refunded"
    CANCELLED = "cancelled"


class InvoiceState(StrEnum):
    """Where a bill stands."""

    OPEN = "open"
    PAID = "paid"
    PART_REFUNDED = "part_refunded"
    REFUNDED = "refunded"
    VOID = "void"


class PaymentState(StrEnum):
    """Where a payment stands. ``closing``: asked to close, the platform has not confirmed it."""

    CREATED = "created"
    PENDING = "pending"
    UNKNOWN = "unknown"
    CLOSING = "closing"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CLOSED = "closed"
    #: Money came in another amount than asked: a person decides.
    FROZEN = "frozen"


class RefundState(StrEnum):
    """Where a refund stands. ``abnormal``: the platform could not pay it out, a person decides."""

    CREATED = "created"
    PROCESSING = "processing"
    UNKNOWN = "unknown"
    SUCCEEDED = "succeeded"
    ABNORMAL = "abnormal"


class Tender(StrEnum):
    """What is paid with."""

    CASH = "cash"
    #: The payer scans our code.
    WECHAT_NATIVE = "wechat_native"
    #: We scan the payer's code.
    WECHAT_CODEPAY = "wechat_codepay"
    ALIPAY_QR = "alipay_qr"
    BANK_CARD = "bank_card"
    #: The balance of the patient's prepaid account.
    PREPAID = "prepaid"
    #: What the national insurance pays for the patient.
    INSURANCE = "insurance"


#: Tenders that are settled in our own books alone, in the unit of work that takes them.
OWN_TENDERS = frozenset({Tender.CASH, Tender.PREPAID})
#: Tenders that are paid by scanning a code of ours.
QR_TENDERS = frozenset({Tender.WECHAT_NATIVE, Tender.ALIPAY_QR})


class Channel(StrEnum):
    """Where money was taken or given back."""

    COUNTER = "counter"
    KIOSK = "kiosk"
    PHONE = "phone"
    #: By the program itself, for nobody who stands there.
    SYSTEM = "system"


def channel_of(kind: ActorKind) -> Channel:
    """The channel of somebody who acts without naming one."""
    return {
        ActorKind.STAFF: Channel.COUNTER,
        ActorKind.DEVICE: Channel.KIOSK,
        ActorKind.PATIENT: Channel.PHONE,
    }.get(kind, Channel.SYSTEM)


class CaseKind(StrEnum):
    """Why a person has to look at money."""

    AMOUNT_DIFFERS = "amount_differs"
    PAID_TOO_LATE = "paid_too_late"
    UNKNOWN_ORDER = "unknown_order"
    REFUND_ABNORMAL = "refund_abnormal"
    REFUND_DIFFERS = "refund_differs"
    #: The far end has said nothing for so long that a person has to ask it.
    OUTCOME_UNKNOWN = "outcome_unknown"
    #: Cash that is owed back to a payer who was not at the counter.
    CASH_TO_HAND_BACK = "cash_to_hand_back"
    #: Reconciliation: a channel's bill and our books disagree about one number.
    BILL_OURS_ONLY = "bill_ours_only"
    BILL_THEIRS_ONLY = "bill_theirs_only"
    BILL_AMOUNT_DIFFERS = "bill_amount_differs"
    #: A channel gave money back that nobody here asked it to.
    UNKNOWN_REFUND = "unknown_refund"
    #: A card terminal's batch was closed with totals that are not the bank's.
    CARD_BATCH_DIFFERS = "card_batch_differs"


class CaseState(StrEnum):
    """Whether a money case still waits for somebody."""

    OPEN = "open"
    CLOSED = "closed"


State = TypeVar("State", bound=StrEnum)


CHARGE_MOVES: Mapping[ChargeState, frozenset[ChargeState]] = {
    ChargeState.PENDING: frozenset({ChargeState.INVOICED, ChargeState.CANCELLED}),
    ChargeState.INVOICED: frozenset({ChargeState.PENDING, ChargeState.PAID, ChargeState.CANCELLED}),
    ChargeState.PAID: frozenset({ChargeState.REFUNDED}),
    ChargeState.REFUNDED: frozenset(),
    ChargeState.CANCELLED: frozenset(),
}


INVOICE_MOVES: Mapping[InvoiceState, frozenset[InvoiceState]] = {
    InvoiceState.OPEN: frozenset({InvoiceState.PAID, InvoiceState.VOID}),
    InvoiceState.PAID: frozenset({InvoiceState.PART_REFUNDED, InvoiceState.REFUNDED}),
    InvoiceState.PART_REFUNDED: frozenset({InvoiceState.PART_REFUNDED, InvoiceState.REFUNDED}),
    InvoiceState.REFUNDED: frozenset(),
    InvoiceState.VOID: frozenset(),
}


_ENDED = frozenset(
    {PaymentState.SUCCEEDED, PaymentState.CLOSED, PaymentState.FAILED, PaymentState.FROZEN}
)


#: Only money moves a payment out of an end: a closed or failed order that was paid after all.
PAID_AFTER_ALL = frozenset({PaymentState.SUCCEEDED, PaymentState.FROZEN})


PAYMENT_MOVES: Mapping[PaymentState, frozenset[PaymentState]] = {
    PaymentState.CREATED: _ENDED
    | {PaymentState.PENDING, PaymentState.UNKNOWN, PaymentState.CLOSING},
    PaymentState.PENDING: _ENDED | {PaymentState.UNKNOWN, PaymentState.CLOSING},
    PaymentState.UNKNOWN: _ENDED | {PaymentState.PENDING, PaymentState.CLOSING},
    PaymentState.CLOSING: _ENDED,
    PaymentState.SUCCEEDED: frozenset(),
    PaymentState.FAILED: PAID_AFTER_ALL,
    PaymentState.CLOSED: PAID_AFTER_ALL,
    PaymentState.FROZEN: frozenset(),
}


REFUND_MOVES: Mapping[RefundState, frozenset[RefundState]] = {
    RefundState.CREATED: frozenset(RefundState) - {RefundState.CREATED},
    RefundState.PROCESSING: frozenset(
        {RefundState.UNKNOWN, RefundState.SUCCEEDED, RefundState.ABNORMAL}
    ),
    RefundState.UNKNOWN: frozenset(
        {RefundState.PROCESSING, RefundState.SUCCEEDED, RefundState.ABNORMAL}
    ),
    RefundState.ABNORMAL: frozenset({RefundState.PROCESSING, RefundState.SUCCEEDED}),
    RefundState.SUCCEEDED: frozenset(),
}


def move(moves: Mapping[State, frozenset[State]], now: State, to: State) -> State:
    """``to``, when ``moves`` allows it from ``now``; IllegalMove (409) otherwise."""
    if to not in moves[now]:
        raise IllegalMove(state=now.value, wanted=to.value)
    return to


def is_in_flight(state: PaymentState) -> bool:
    """True while a payer might still pay this order, as far as we know."""
    return state not in _ENDED
