"""Catalogues as doctors type, in few queries, on both databases."""

from __future__ import annotations

import pytest

from backend.clinical import queries
from backend.kernel.ids import new_id
from tests.factories.clinical import Hour
from tests.factories.databases import SYSTEM
from tests.factories.statements import Statements


@pytest.mark.parametrize(
    ("typed", "codes"),
    [
        ("乳房", ["C50.9", "D24.x", "C50.4"]),
        ("恶性", ["C34.9", "C50.9", "C50.4"]),
        ("c50", ["C50.9", "C50.4"]),
        ("rf", ["C50.9", "D24.x", "C50.4"]),
        ("C", ["C34.9", "C50.9", "C50.4"]),
        ("%", []),
        ("", []),
        ("不存在的病", []),
    ],
)
def test_diagnoses(hour: Hour, typed: str, codes: list[str]) -> None:
    with Statements(hour.database) as statements, hour.database.read(SYSTEM) as session:
        assert [entry.code for entry in queries.search_icd(session, typed)] == codes
    assert statements.count <= 1


@pytest.mark.parametrize("typed", ["昂丹", "adsq", "ADSQ", "DRG-1"])
def test_drugs_with_price_and_directions(hour: Hour, typed: str) -> None:
    with Statements(hour.database) as statements, hour.database.read(SYSTEM) as session:
        (entry,) = queries.search_drugs(session, hospital_id=hour.clinic.hospital_id, text=typed)
    assert (entry.code, entry.price_fen, entry.route) == ("DRG-1", 3850, "口服")
    assert statements.count <= 2


@pytest.mark.parametrize("typed", ["血常规", "xcg", "CBC"])
def test_laboratory_with_price(hour: Hour, typed: str) -> None:
    with Statements(hour.database) as statements, hour.database.read(SYSTEM) as session:
        (entry,) = queries.search_laboratory(
            session, hospital_id=hour.clinic.hospital_id, text=typed
        )
    assert (entry.code, entry.price_fen, entry.detail) == ("CBC", 2000, "全血 · 紫头管")
    assert statements.count <= 2


def test_another_hospitals_catalogue_is_not_found(hour: Hour) -> None:
    with hour.database.read(SYSTEM) as session:
        assert queries.search_drugs(session, hospital_id=new_id(), text="昂丹") == []
        assert queries.search_laboratory(session, hospital_id=new_id(), text="xcg") == []
