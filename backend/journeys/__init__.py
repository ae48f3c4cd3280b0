"""Journeys: use cases that cross domains in one unit of work.

Owns the order in which domains act together (register, book and bill, settle, refund, check in) and nothing
of its own: no tables. Never talks to a platform or a device.
"""
