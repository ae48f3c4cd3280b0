"""Drivers of the devices a kiosk carries: ID-card reader, card reader, receipt printer, scanner.

Owns the wire formats and nothing above them: it never knows a patient, a backend or a page. What
hangs at the far end of a wire on a development machine lives in `simulators`, which shares no code
with the drivers.
"""
