"""Queueing: tickets, check-in, calling and what waiting rooms and phones show of it.

Owns queues and who is next in them, and why. Never knows money, slots or diagnoses.
"""
