"""Identity: staff accounts, roles, sessions, and the viewer of the audit log.

Owns who may log in, what a role allows and where. Never knows patients' records; people who work here are
organization's practitioners, an account only points at one.
"""
