"""Scheduling: the hospital's one pool of bookable places, and who holds them.

Owns weekly templates, schedules (a practitioner, a room, a half-day, a visit type), their numbered
slots, holds and appointments, and the append-only life of every slot. Never decides money, tickets
or treatment: an appointment is booked because somebody above says it has been paid.
"""
