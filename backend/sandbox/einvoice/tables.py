"""The bill platform's table in the sandbox's file."""

from __future__ import annotations

SCHEMA = """
CREATE TABLE IF NOT EXISTS einvoices (
    bus_no TEXT PRIMARY KEY,
    batch_code TEXT NOT NULL,
    number TEXT NOT NULL,
    check_code TEXT NOT NULL,
    payer TEXT NOT NULL,
    total INTEGER NOT NULL CHECK (total > 0),
    lines TEXT NOT NULL,
    issued_at REAL NOT NULL,
    red_number TEXT,
    red_reason TEXT,
    red_at REAL,
    UNIQUE (batch_code, number)
);
"""
