"""The kernel: what every domain stands on, and nothing of any domain.

Owns transactions, events, live streams, audit, encryption, masking, permissions, time, money, errors and
the web plumbing. Never imports a domain and never knows a patient, a slot or an invoice.
"""
