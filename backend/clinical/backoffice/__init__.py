"""The doctor's workstation: the line, the calls, the record of the patient in the room.

Every POST needs the form token (field ``csrf_token`` or header ``X-CSRFToken``; it stands in every page's
``<meta name="csrf-token">``). With header ``HX-Request: true`` the answer is the fragment named below, else a
redirect to the page. Errors are problem+json for ``Accept: application/json`` (without HX-Request), else words.

GET  /backoffice/workstation                       page; fragment #desk
GET  /backoffice/workstation/worklist   seen       fragment #worklist, or 204 when it still is what ``seen`` names
POST /backoffice/workstation/room       room_id    remember the room of this session               → #desk
POST /backoffice/workstation/call-next  room_id?   call the next one (room: given, remembered, scheduled) → #desk
POST /backoffice/workstation/tickets/<id>/again    call again                                      → #desk
POST /backoffice/workstation/tickets/<id>/pass     did not come                                    → #desk
POST /backoffice/workstation/tickets/<id>/return   a missed one is back                            → #desk
POST /backoffice/workstation/tickets/<id>/start    begin the visit: opens the encounter            → #desk
GET  /backoffice/workstation/encounters/<id>       page with that encounter; fragment #desk
GET  …/encounters/<id>/past                        the patient's earlier visits: ul
POST …/encounters/<id>/note        version, complaint, history, examination                        → #note-state
POST …/encounters/<id>/diagnoses   code                                                            → #record
POST …/encounters/<id>/diagnoses/<diagnosis_id>/remove                                             → #record
POST …/encounters/<id>/drugs       code, quantity, dose?, route?, frequency?, _key?                → #record
POST …/encounters/<id>/laboratory  code, _key?                                                     → #record
POST …/encounters/<id>/orders/<order_id>/cancel                                                    → #record
POST …/encounters/<id>/orders/<order_id>/restore   undo a cancellation                             → #record
POST …/encounters/<id>/finish      (version, complaint, history, examination)?  one unit of work   → #desk
GET  /backoffice/workstation/search/diagnoses|drugs|laboratory  q     options: li[data-value][data-words]…

#desk carries data-queue-id, data-waiting (count), data-ticket-id, data-ticket-number, data-ticket-state (of who is
called or in the room; empty when nobody), data-encounter-id, data-encounter-state, data-version (of the encounter
shown), and after a finish data-finished-encounter-id and data-invoice-id. #record and #note-state carry
data-ticket-number, data-encounter-id, data-version; #record also data-total-fen, and its rows data-diagnosis-id,
data-order-id.
"""

from __future__ import annotations

from backend.clinical.backoffice import desk, record, search
from backend.clinical.backoffice.common import NAV, blueprint

__all__ = ["NAV", "blueprint", "desk", "record", "search"]
