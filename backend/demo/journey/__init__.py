"""`xinglin journey`: patients taken through a whole visit against the running system.

Talks only as the far ends do: the kiosk page's messages, the device bench, the sandbox phone, a Socket.IO screen,
staff HTTP. Reads codes from pictures. Never opens the database.
"""
