"""The bank's tables in the sandbox's file. Card numbers are kept masked only."""

from __future__ import annotations

SCHEMA = """
CREATE TABLE IF NOT EXISTS bank_terminals (
    terminal_id TEXT PRIMARY KEY,
    batch INTEGER NOT NULL,
    mac_key TEXT
);
CREATE TABLE IF NOT EXISTS bank_transactions (
    terminal_id TEXT NOT NULL,
    batch INTEGER NOT NULL,
    stan TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('sale', 'refund')),
    card TEXT NOT NULL,
    amount INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('approved', 'declined', 'reversed')),
    response_code TEXT NOT NULL,
    rrn TEXT NOT NULL UNIQUE,
    auth_code TEXT NOT NULL,
    original_rrn TEXT,
    happened_at REAL NOT NULL,
    PRIMARY KEY (terminal_id, batch, stan)
);
"""
