"""What billing needs from outside parties, and how such a party may fail.

Owns the Protocols, their value objects and their errors. Adapters (`backend.wechat`,
`backend.channels`) implement them; billing never learns which one it talks to. Amounts are integer
fen (CNY), times are timezone-aware UTC.
"""

from __future__ import annotations

from backend.billing.ports.cards import (
    BatchTotals,
    CardAnswer,
    CardGateway,
    CardOrder,
    Line,
    OriginalSale,
    SignedOn,
    SignOnNeeded,
)
from backend.billing.ports.platforms import (
    Bill,
    BillNotPublished,
    BillRow,
    BillRowKind,
    BillSource,
    ForgedNotification,
    GatewayError,
    GatewayRefused,
    GatewayUnknown,
    PaymentGateway,
    RefundState,
    RefundStatus,
    TradeState,
    TradeStatus,
)

__all__ = [
    "BatchTotals",
    "Bill",
    "BillNotPublished",
    "BillRow",
    "BillRowKind",
    "BillSource",
    "CardAnswer",
    "CardGateway",
    "CardOrder",
    "ForgedNotification",
    "GatewayError",
    "GatewayRefused",
    "GatewayUnknown",
    "Line",
    "OriginalSale",
    "PaymentGateway",
    "RefundState",
    "RefundStatus",
    "SignOnNeeded",
    "SignedOn",
    "TradeState",
    "TradeStatus",
]
