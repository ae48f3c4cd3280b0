"""What the pages of the price list share: their blueprint, and the hospital one works for."""

from __future__ import annotations

from flask import Blueprint

from backend.kernel.errors import Forbidden
from backend.kernel.ids import Id
from backend.kernel.web import current_actor

blueprint = Blueprint(
    "prices", __name__, url_prefix="/backoffice/prices", template_folder="../../templates"
)


def own_hospital_id() -> Id:
    """The hospital of whoever asks; Forbidden for those who belong to none."""
    hospital_id = current_actor().hospital_id
    if hospital_id is None:
        raise Forbidden
    return hospital_id
