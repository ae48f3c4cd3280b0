"""Search as one types: ICD-10, drugs, laboratory panels, examinations."""

from __future__ import annotations

from flask import Response, render_template, request
from flask import make_response as respond

from backend.clinical import queries
from backend.clinical.backoffice.common import blueprint
from backend.clinical.views import CatalogueEntry
from backend.kernel.permissions import Permission
from backend.kernel.web import own_hospital_id, read_uow, requires

LONGEST = 40


def _typed() -> str:
    return request.args.get("q", "")[:LONGEST]


def _options(entries: list[CatalogueEntry]) -> Response:
    return respond(render_template("clinical/_options.html", entries=entries))


@blueprint.get("/search/diagnoses")
@requires(Permission.CLINICAL_ENCOUNTER_WRITE)
def search_diagnoses() -> Response:
    """ICD-10 by code, name or initials."""
    with read_uow() as reading:
        return _options(queries.search_icd(reading, _typed()))


@blueprint.get("/search/drugs")
@requires(Permission.CLINICAL_ENCOUNTER_WRITE)
def search_drugs() -> Response:
    """The formulary by code, name or initials, with today's price."""
    with read_uow() as reading:
        return _options(queries.search_drugs(reading, hospital_id=own_hospital_id(), text=_typed()))


@blueprint.get("/search/laboratory")
@requires(Permission.CLINICAL_ENCOUNTER_WRITE)
def search_laboratory() -> Response:
    """Laboratory examinations by code, name or initials, with today's price."""
    with read_uow() as reading:
        found = queries.search_laboratory(reading, hospital_id=own_hospital_id(), text=_typed())
        return _options(found)


@blueprint.get("/search/examinations")
@requires(Permission.CLINICAL_ENCOUNTER_WRITE)
def search_examinations() -> Response:
    """Examinations on devices by code, name or initials, with today's price."""
    with read_uow() as reading:
        found = queries.search_examinations(reading, hospital_id=own_hospital_id(), text=_typed())
        return _options(found)
