"""Devices: kiosks as members of the house: enrolment, credentials, fleet health, print jobs, the kiosk API.

Owns what a kiosk may do and what it printed. The kiosk itself is another program (``kiosk_agent``).
"""
