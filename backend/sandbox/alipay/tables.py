"""Alipay's tables in the sandbox's file. A trade exists only once its code was scanned."""

from __future__ import annotations

SCHEMA = """
CREATE TABLE IF NOT EXISTS alipay_orders (
    out_trade_no TEXT PRIMARY KEY,
    description TEXT NOT NULL,
    total INTEGER NOT NULL CHECK (total > 0),
    notify_url TEXT,
    time_expire TEXT,
    expires_at REAL,
    code_token TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL CHECK (state IN
        ('UNSCANNED', 'WAIT_BUYER_PAY', 'TRADE_SUCCESS', 'TRADE_CLOSED')),
    created_at REAL NOT NULL,
    transaction_id TEXT UNIQUE,
    paid_at REAL
);
CREATE TABLE IF NOT EXISTS alipay_refunds (
    out_trade_no TEXT NOT NULL REFERENCES alipay_orders,
    out_request_no TEXT NOT NULL,
    amount INTEGER NOT NULL CHECK (amount > 0),
    reason TEXT,
    created_at REAL NOT NULL,
    settle_at REAL NOT NULL,
    settled_at REAL,
    PRIMARY KEY (out_trade_no, out_request_no)
);
"""
