"""Edits of places and people on both databases: stale forms, rings of places, masked history, other hospitals."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from backend.kernel import history
from backend.kernel.audit import AuditEvent
from backend.kernel.errors import InvalidInput, StaleVersion
from backend.kernel.ids import Id
from backend.kernel.uow import Database
from backend.organization import queries, service
from backend.organization.errors import (
    CodeTaken,
    PersonUnknown,
    PlaceHasInside,
    PlaceMisplaced,
    PlaceUnknown,
)
from backend.organization.queries import DepartmentKind, LocationKind
from tests.factories.clinic import Clinic, make_clinic
from tests.factories.databases import SYSTEM


@pytest.fixture
def clinic(database: Database) -> Clinic:
    return make_clinic(database)


def place(
    database: Database, clinic: Clinic, code: str, kind: LocationKind, parent: Id | None = None
) -> Id:
    with database.write(SYSTEM) as session:
        return service.add_location(
            session,
            hospital_id=clinic.hospital_id,
            code=code,
            name=f"位置{code}",
            kind=kind,
            parent_id=parent,
        ).id


def move(database: Database, clinic: Clinic, place_id: Id, parent: Id | None, version: int) -> None:
    with database.write(SYSTEM) as session:
        service.edit_place(
            session,
            place_id,
            hospital_id=clinic.hospital_id,
            version=version,
            name="三层东",
            parent_id=parent,
        )


def test_a_place_is_made_renamed_moved_and_its_history_tells(
    database: Database, clinic: Clinic
) -> None:
    building = place(database, clinic, "b1", LocationKind.BUILDING)
    floor = place(database, clinic, "B1-3", LocationKind.FLOOR)
    move(database, clinic, floor, building, 1)
    with database.read(SYSTEM) as session:
        assert queries.get_location(session, building).code == "B1"
        latest, first = history.list_entries(session, "location", floor)
    assert latest.changes == {"name": ("位置B1-3", "三层东"), "parent": ("", "位置b1 B1")}
    assert first.action == "organization.add_location"
    with pytest.raises(StaleVersion):
        move(database, clinic, floor, building, 1)
    with database.read(SYSTEM) as session:
        assert [e.action for e in history.list_since(session, "location", floor, 1)] == [
            "organization.edit_location"
        ]
    with pytest.raises(CodeTaken):
        place(database, clinic, "b1", LocationKind.BUILDING)


def test_a_move_between_places_of_one_name_is_told_by_their_codes(
    database: Database, clinic: Clinic
) -> None:
    with database.write(SYSTEM) as session:
        here, there = (
            service.add_location(
                session,
                hospital_id=clinic.hospital_id,
                code=code,
                name="三层",
                kind=LocationKind.FLOOR,
                parent_id=None,
            ).id
            for code in ("A-3", "B-3")
        )
    area = place(database, clinic, "E1", LocationKind.AREA, here)
    move(database, clinic, area, here, 1)
    move(database, clinic, area, there, 2)
    with database.read(SYSTEM) as session:
        latest = history.list_entries(session, "location", area)[0]
    assert latest.changes == {"parent": ("三层 A-3", "三层 B-3")}


def test_a_place_never_lies_in_itself_in_a_room_or_in_something_smaller(
    database: Database, clinic: Clinic
) -> None:
    outer = place(database, clinic, "A1", LocationKind.AREA)
    inner = place(database, clinic, "A2", LocationKind.AREA, outer)
    for moved, target in ((outer, outer), (outer, inner), (inner, clinic.room_id)):
        with pytest.raises(PlaceMisplaced):
            move(database, clinic, moved, target, 1)
    with pytest.raises(PlaceMisplaced):
        place(database, clinic, "B9", LocationKind.BUILDING, outer)


def test_a_place_with_something_in_use_inside_stays_in_use(
    database: Database, clinic: Clinic
) -> None:
    floor = place(database, clinic, "F1", LocationKind.FLOOR)
    room = place(database, clinic, "F1-01", LocationKind.ROOM, floor)

    def switch(place_id: Id, is_active: bool) -> None:
        with database.write(SYSTEM, housekeeping=True) as session:
            service.set_place_active(
                session, place_id, hospital_id=clinic.hospital_id, is_active=is_active
            )

    with pytest.raises(PlaceHasInside):
        switch(floor, False)
    for place_id in (room, floor, floor):
        switch(place_id, False)
    with database.read(SYSTEM) as session:
        actions = [e.action for e in history.list_entries(session, "location", floor)]
    assert actions == ["organization.close_location", "organization.add_location"]
    with pytest.raises(PlaceMisplaced):
        place(database, clinic, "F1-02", LocationKind.ROOM, floor)


def test_a_person_is_edited_with_a_masked_history_and_found_by_the_new_pinyin(
    database: Database, clinic: Clinic
) -> None:
    with database.write(SYSTEM) as session:
        other = service.add_department(
            session,
            hospital_id=clinic.hospital_id,
            code="D2",
            name="胸外科",
            kind=DepartmentKind.CLINICAL,
            location_id=None,
        )
        session.flush()
        person_id = service.add_practitioner(
            session,
            hospital_id=clinic.hospital_id,
            code="x9",
            name="诸葛青青",
            sex=2,
            title="住院医师",
            department_id=clinic.department_id,
            specialty="",
        ).id
        other_id = other.id

    def save(version: int, title: str = "主治医师") -> None:
        with database.write(SYSTEM) as session:
            service.edit_practitioner(
                session,
                person_id,
                hospital_id=clinic.hospital_id,
                version=version,
                name="诸葛清",
                sex=2,
                title=title,
                department_id=other_id,
                specialty="肺结节",
            )

    save(1)
    with pytest.raises(StaleVersion):
        save(1)
    with pytest.raises(InvalidInput):
        save(2, title=" ")
    with database.read(SYSTEM) as session:
        latest = history.list_entries(session, "practitioner", person_id)[0]
        found = queries.search_practitioners(
            session, hospital_id=clinic.hospital_id, text="zhugeqing"
        )
        audited = [str(row.detail) for row in session.scalars(select(AuditEvent))]
    assert latest.changes["department"] == ("乳腺外科", "胸外科")
    assert latest.changes["title"] == ("住院医师", "主治医师")
    assert [(person.code, name) for person, name in found] == [("X9", "胸外科")]
    assert not any("诸葛" in detail for detail in audited)


def test_who_left_is_found_among_those_who_left(database: Database, clinic: Clinic) -> None:
    person_id = clinic.practitioner_ids[0]
    with database.write(SYSTEM) as session:
        service.set_practitioner_active(
            session, person_id, hospital_id=clinic.hospital_id, is_active=False
        )
    with database.read(SYSTEM) as session:
        left = queries.search_practitioners(
            session, hospital_id=clinic.hospital_id, is_active=False
        )
        here = queries.search_practitioners(session, hospital_id=clinic.hospital_id)
    assert [person.id for person, _ in left] == [person_id]
    assert person_id not in [person.id for person, _ in here]


def test_another_hospitals_rows_are_unknown(database: Database, clinic: Clinic) -> None:
    other = make_clinic(database, code="H2")
    with pytest.raises(PlaceUnknown), database.write(SYSTEM) as session:
        service.set_place_active(
            session, other.room_id, hospital_id=clinic.hospital_id, is_active=False
        )
    with pytest.raises(PersonUnknown), database.write(SYSTEM) as session:
        service.set_practitioner_active(
            session,
            other.practitioner_ids[0],
            hospital_id=clinic.hospital_id,
            is_active=False,
        )
    with pytest.raises(PlaceMisplaced):
        move(database, clinic, clinic.room_id, other.room_id, 1)
