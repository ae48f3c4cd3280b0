"""Billing's subscribers: they act at outside parties, outside transactions, and store what came of it."""

from __future__ import annotations

from backend.billing.handlers.cards import CardCashier, subscribe_cards
from backend.billing.handlers.einvoice import EInvoiceClerk, subscribe_einvoices
from backend.billing.handlers.insurance import InsuranceClerk, subscribe_insurance
from backend.billing.handlers.platforms import (
    ACTOR,
    Gateways,
    PlatformCashier,
    subscribe,
)

__all__ = [
    "ACTOR",
    "CardCashier",
    "EInvoiceClerk",
    "Gateways",
    "InsuranceClerk",
    "PlatformCashier",
    "subscribe",
    "subscribe_cards",
    "subscribe_einvoices",
    "subscribe_insurance",
]
