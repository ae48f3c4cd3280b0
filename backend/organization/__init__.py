"""Organization: hospitals, departments, staff as practitioners, and the places of a campus.

Owns who works where and what each place is called. Never knows logins, patients or appointments.
"""
