"""Clinical's commands, as other domains and entry points use them. See ``services`` for each.

All take the session of a write unit of work, may flush, never commit. Only an encounter's own practitioner may
write in it.
"""

from __future__ import annotations

from backend.clinical.models import Diagnosis, Encounter, Order
from backend.clinical.services.catalogue import (
    add_drug,
    add_examination,
    add_icd_code,
    add_laboratory_panel,
)
from backend.clinical.services.diagnoses import add_diagnosis, remove_diagnosis
from backend.clinical.services.encounters import (
    finish_encounter,
    note_reading,
    read_past,
    record_note,
    start_encounter,
)
from backend.clinical.services.orders import (
    ORDER,
    cancel_order,
    place_drug_order,
    place_examination_order,
    place_laboratory_order,
    restore_order,
)
from backend.clinical.services.visits import (
    begin_visit,
    call_again,
    call_next,
    finish_visit,
    pass_over,
    take_back,
)

__all__ = [
    "ORDER",
    "Diagnosis",
    "Encounter",
    "Order",
    "add_diagnosis",
    "add_drug",
    "add_examination",
    "add_icd_code",
    "add_laboratory_panel",
    "begin_visit",
    "call_again",
    "call_next",
    "cancel_order",
    "finish_encounter",
    "finish_visit",
    "note_reading",
    "pass_over",
    "place_drug_order",
    "place_examination_order",
    "place_laboratory_order",
    "read_past",
    "record_note",
    "remove_diagnosis",
    "restore_order",
    "start_encounter",
    "take_back",
]
