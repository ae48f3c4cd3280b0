"""The front desk: find, have in hand, register, book, take money, check in, give back, print; all by keyboard.

GET  /backoffice/front-desk                                      find (fragment: the results)
GET  …/patients/new                     POST …/patients          register
GET  …/patients/<id>                                             the patient in hand (fragment: the same)
GET  …/patients/<id>/notices            POST …/notices/<id>/…    stops and substitutes, and what the patient wants
GET  …/patients/<id>/bookable                                    whom to book with (fragment)
GET  …/patients/<id>/tickets                                     tickets of today (fragment)
GET  …/patients/<id>/bills                                       latest bills (fragment)
POST …/patients/<id>/reveal/<field>                              one sealed field, audited
POST …/patients/<id>/appointments                                book
POST …/patients/<id>/appointments/<id>/give-up|refund|check-in
POST …/patients/<id>/invoices/<id>/cash|qr|prepaid               take money, all that is due or a part of it
POST …/patients/<id>/invoices/<id>/card|insurance                a bank card; what the national insurance pays
POST …/patients/<id>/invoices/<id>/einvoice                      ask again for the electronic bill
POST …/patients/<id>/invoices/<id>/parts-back                    what was paid of an open bill goes back
GET  …/patients/<id>/invoices/<id>/refund       POST the same    give back lines of a paid bill
GET  …/patients/<id>/executed                                    what was done (fragment), for who may undo it:
POST …/patients/<id>/invoices/<id>/charges/<id>/reverse
POST …/patients/<id>/refunds/<id>/hand-over                      cash that waited was handed over
GET  …/patients/<id>/account                    POST the same    the prepaid account, opened
POST …/patients/<id>/account/top-up|withdraw|freeze|unfreeze|close, …/invoices/<id>/cancel-top-up
GET  …/patients/<id>/payments/<id>                               how a QR or card payment stands (every second)
GET  …/patients/<id>/claims/<id>                                 what the insurance says (every second)
POST …/patients/<id>/payments/<id>/cancel
GET  …/patients/<id>/tickets/<id>/print, …/invoices/<id>/print   on paper, from the browser

Everything below a patient is looked up as that patient's, in the actor's hospital: anything else is 404.
"""

from __future__ import annotations

from backend.journeys.backoffice import (
    accounts,
    giving_back,
    money,
    notices,
    people,
    prints,
    visits,
)
from backend.journeys.backoffice.common import NAV, blueprint

__all__ = [
    "NAV",
    "accounts",
    "blueprint",
    "giving_back",
    "money",
    "notices",
    "people",
    "prints",
    "visits",
]
