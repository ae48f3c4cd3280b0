"""What billing needs from a payment platform, and how such a platform may fail.

Owns the `PaymentGateway` and `BillSource` Protocols, their value objects and errors. Adapters (WeChat
Pay in `backend.wechat`) implement them; billing never learns which one it talks to. Amounts are integer
fen (CNY), times are timezone-aware UTC.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol


class TradeState(StrEnum):
    """Where a payment order stands at the platform."""

    NOT_PAID = "not_paid"
    PAYING = "paying"
    SUCCESS = "success"
    CLOSED = "closed"
    #: Paid, and at least partly refunded since: the order *was* paid.
    REFUNDED = "refunded"
    FAILED = "failed"
    #: The platform knows no such order (the request never reached it).
    NOT_FOUND = "not_found"

    @property
    def is_paid(self) -> bool:
        """True when money has moved from the payer, whatever was refunded later."""
        return self in (TradeState.SUCCESS, TradeState.REFUNDED)


@dataclass(frozen=True, slots=True)
class TradeStatus:
    """One payment order as the platform states it; `amount_fen` is the order's total."""

    out_trade_no: str
    state: TradeState
    amount_fen: int | None = None
    transaction_id: str | None = None
    paid_at: datetime | None = None


class RefundState(StrEnum):
    """Where a refund stands; ABNORMAL is a case for a person, never retried by itself."""

    PROCESSING = "processing"
    SUCCESS = "success"
    CLOSED = "closed"
    ABNORMAL = "abnormal"
    NOT_FOUND = "not_found"


@dataclass(frozen=True, slots=True)
class RefundStatus:
    """One refund as the platform states it; `amount_fen` is the sum given back."""

    out_refund_no: str
    #: None only when the platform does not know the refund.
    out_trade_no: str | None
    state: RefundState
    amount_fen: int | None = None
    refund_id: str | None = None
    succeeded_at: datetime | None = None


class GatewayError(Exception):
    """A call to the payment platform did not end in a plain success."""


class GatewayRefused(GatewayError):
    """The platform answered and refused: nothing has happened, a repeat gives the same answer.

    `code` is the platform's own word (ORDERPAID, ORDER_CLOSED, NOT_ENOUGH, PARAM_ERROR …).
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class GatewayUnknown(GatewayError):
    """No answer, a lost answer or one that cannot be trusted: the outcome is unknown.

    Never repeat blindly: ask with `query` / `query_refund`. (A refund may also be repeated under
    the same `out_refund_no`; the platform recognises it.)
    """


class ForgedNotification(GatewayError):
    """A notification that the platform did not send, or not just now: store nothing of it."""


class BillNotPublished(GatewayError):
    """The bill of that day is not there yet: ask again later."""


class BillRowKind(StrEnum):
    """Money that came in, or money that went back."""

    PAYMENT = "payment"
    REFUND = "refund"


@dataclass(frozen=True, slots=True)
class BillRow:
    """One line of a channel's bill, in our terms.

    `number` is ours: out_trade_no of a payment, out_refund_no of a refund; of a bank card it is the message's
    (terminal, batch, trace number), until billing has found ours by it. `is_final` is false while
    the channel still works on it (a refund on its way).
    """

    kind: BillRowKind
    number: str
    #: The order a refund belongs to; a payment's own number again.
    out_trade_no: str
    amount_fen: int
    #: The channel's own number for it.
    channel_number: str
    happened_at: datetime
    is_final: bool = True


@dataclass(frozen=True, slots=True)
class Bill:
    """A fetched bill: whole, as its hash proves, and read line by line from a file.

    `rows` can be read once, in constant memory; it raises GatewayUnknown when the content
    contradicts itself (unreadable lines, totals that are not the sum of the lines).
    """

    #: Hash of the file, in lower-case hexadecimal; the same file again has the same one.
    digest: str
    rows: Iterator[BillRow]
    #: Lets go of the file, read or not.
    close: Callable[[], None] = lambda: None


class BillSource(Protocol):
    """A channel that publishes, once a day, what it took and gave back the day before.

    May raise GatewayRefused, GatewayUnknown and BillNotPublished; never called inside a database
    transaction.
    """

    @property
    def channel(self) -> str:
        """Whose bill it is: a value of `rules.BillChannel`."""
        ...

    def published_from(self, day: date) -> datetime:
        """When the bill of `day` (a business date) can be expected."""
        ...

    def fetch_bill(self, day: date) -> Bill:
        """Fetch the bill of `day` into a file and prove it whole before the first row is read.

        A day without a single line is a bill without rows.
        """
        ...


class PaymentGateway(Protocol):
    """A platform that shows a QR code, takes the money, gives it back, and tells us about it.

    Every method may raise GatewayRefused or GatewayUnknown; none may be called inside a database
    transaction.
    """

    @property
    def channel(self) -> str:
        """The tender this gateway serves, e.g. ``wechat_native``."""
        ...

    def create_native(
        self, *, out_trade_no: str, amount_fen: int, description: str, expires_at: datetime
    ) -> str:
        """Open an order and return its code_url, the text of the QR code to show.

        The same `out_trade_no` with the same content answers the same order again. After
        `expires_at` (timezone-aware) nobody can pay, but the order stays open until closed.
        """
        ...

    def query(self, out_trade_no: str) -> TradeStatus:
        """Ask how an order stands; an unknown order is state NOT_FOUND, not an error."""
        ...

    def close(self, out_trade_no: str) -> None:
        """Close an unpaid order; closing a closed one is fine, a paid one is refused (ORDERPAID)."""
        ...

    def refund(
        self,
        *,
        out_refund_no: str,
        out_trade_no: str,
        amount_fen: int,
        total_fen: int,
        reason: str,
    ) -> RefundStatus:
        """Give back `amount_fen` of an order of `total_fen`; idempotent by `out_refund_no`."""
        ...

    def query_refund(self, out_refund_no: str, out_trade_no: str) -> RefundStatus:
        """Ask how a refund of that order stands; an unknown one is state NOT_FOUND, not an error."""
        ...

    def parse_notification(
        self, headers: Mapping[str, str], body: bytes
    ) -> TradeStatus | RefundStatus:
        """Verify and decrypt a notification; raises ForgedNotification, and touches nothing."""
        ...
