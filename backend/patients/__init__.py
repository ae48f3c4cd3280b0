"""Patients: the master patient index with every identifier a patient carries.

Owns who a patient is and how one is found again. Never knows visits, money or tickets.
"""
