"""The kiosk API, `/api/kiosk/v1`: JSON, a bearer credential a kiosk, a short session a patient.

Every patient-owned thing is looked up as the session's patient's; another's is a 404.
"""

from __future__ import annotations

from backend.devices.api import kiosk, paper, paying, people, visits
from backend.devices.api.desk import PREFIX, blueprint, load_device_actor

__all__ = [
    "PREFIX",
    "blueprint",
    "kiosk",
    "load_device_actor",
    "paper",
    "paying",
    "people",
    "visits",
]
