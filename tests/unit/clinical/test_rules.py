"""Searching words, initials and allergy warnings on plain values."""

from __future__ import annotations

import pytest

from backend.clinical.rules import SearchKind, allergy_warnings, initials_of, search_kind


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("", None),
        ("   ", None),
        ("乳房", SearchKind.NAME),
        ("CT增强", SearchKind.NAME),
        ("C50", SearchKind.CODE),
        ("c50.9", SearchKind.CODE),
        ("rf", SearchKind.INITIALS),
        ("C", SearchKind.INITIALS),
    ],
)
def test_what_is_typed_says_how_to_search(text: str, kind: SearchKind | None) -> None:
    assert search_kind(text) is kind


@pytest.mark.parametrize(
    ("name", "initials"),
    [("乳房恶性肿瘤", "rfexzl"), ("CT增强", "ctzq"), ("糖类抗原CA15-3", "tlkyca153"), ("", "")],
)
def test_initials(name: str, initials: str) -> None:
    assert initials_of(name) == initials


def test_initials_fit_their_column() -> None:
    assert len(initials_of("肿" * 90)) == 40


@pytest.mark.parametrize(
    ("allergies", "drug", "found"),
    [
        ("", "青霉素V钾片", []),
        ("青霉素", "青霉素V钾片", ["青霉素"]),
        ("青霉素类、碘造影剂", "青霉素V钾片", ["青霉素类"]),
        ("青霉素类过敏", "青霉素V钾片", ["青霉素类过敏"]),
        ("对青霉素过敏史；头孢", "青霉素V钾片", ["对青霉素过敏史"]),
        ("头孢，青霉素", "昂丹司琼片", []),
        ("昂丹司琼片剂", "昂丹司琼片", ["昂丹司琼片剂"]),
        ("无", "无水乙醇", []),
    ],
)
def test_allergies_are_looked_for_in_the_name(allergies: str, drug: str, found: list[str]) -> None:
    assert allergy_warnings(allergies, drug) == found
