"""Billing's commands, one module a noun; ``backend.billing.service`` is their public face."""
