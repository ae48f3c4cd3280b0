"""The insurance centre's tables in the sandbox's file. Credentials are kept by their hash only."""

from __future__ import annotations

SCHEMA = """
CREATE TABLE IF NOT EXISTS insurance_visits (
    mdtrt_id TEXT PRIMARY KEY,
    psn_no TEXT NOT NULL,
    insutype TEXT NOT NULL,
    ipt_otp_no TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL CHECK (state IN ('registered', 'cancelled')),
    has_visit INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS insurance_fees (
    mdtrt_id TEXT NOT NULL REFERENCES insurance_visits,
    feedetl_sn TEXT NOT NULL,
    chrg_bchno TEXT NOT NULL,
    item_type TEXT NOT NULL,
    amount INTEGER NOT NULL CHECK (amount > 0),
    PRIMARY KEY (mdtrt_id, feedetl_sn)
);
CREATE TABLE IF NOT EXISTS insurance_settlements (
    setl_id TEXT PRIMARY KEY,
    mdtrt_id TEXT NOT NULL REFERENCES insurance_visits,
    msgid TEXT NOT NULL UNIQUE,
    total INTEGER NOT NULL,
    fund INTEGER NOT NULL,
    account INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('settled', 'cancelled', 'reversed')),
    cancel_msgid TEXT,
    settled_at REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS insurance_cancellings (
    msgid TEXT PRIMARY KEY,
    setl_id TEXT NOT NULL REFERENCES insurance_settlements,
    cancelled_at REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS insurance_reversed (msgid TEXT PRIMARY KEY);
"""
