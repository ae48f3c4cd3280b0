"""What the pages of the price list share: their blueprint."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint(
    "prices", __name__, url_prefix="/backoffice/prices", template_folder="../../templates"
)
