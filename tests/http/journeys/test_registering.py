"""Registering somebody at the counter: what is typed stays, what is known is opened."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient

from backend.patients import queries as patients
from tests.factories.databases import SYSTEM
from tests.factories.front_desk import CARD, VisitWorld
from tests.factories.people import id_number

DESK = "/backoffice/front-desk"
HTMX = {"HX-Request": "true"}


def form(**changes: str) -> dict[str, str]:
    return {"name": "赵六", "id_kind": "01", "id_number": id_number(9), **changes}


def test_sex_and_birth_date_come_from_the_resident_number(
    client: FlaskClient, world: VisitWorld
) -> None:
    typed = form(phone="13912345678", card_number="C999", allergies="青霉素")
    answer = client.post(f"{DESK}/patients", data=typed)
    assert answer.status_code == 303
    page = client.get(answer.headers["Location"])
    for words in ("赵六", "已建档", "青霉素", "139****5678", "66 岁", "男"):
        assert words in page.text
    with world.database.read(SYSTEM) as session:
        found = patients.search_patients(
            session, hospital_id=world.clinic.hospital_id, text=id_number(9)
        )
    assert [person.name for person in found] == ["赵六"]


def test_a_known_document_opens_its_record(client: FlaskClient, world: VisitWorld) -> None:
    typed = form(name="王建国", id_number=id_number(1))
    answer = client.post(f"{DESK}/patients", data=typed, headers=HTMX)
    assert answer.status_code == 204
    assert answer.headers["HX-Redirect"] == f"{DESK}/patients/{world.patient_id}"
    assert "已经建过档" in client.get(answer.headers["HX-Redirect"]).text
    other = client.post(f"{DESK}/patients", data=typed | {"name": "别人"}, headers=HTMX)
    assert other.status_code == 409
    assert "另一个姓名" in other.text


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"id_number": "110105196005040011"}, "身份证号码有误"),
        ({"name": ""}, "请填写证件上的姓名"),
        ({"phone": "123"}, "手机号码有误"),
        ({"id_kind": "77"}, "请选择证件类型"),
        ({"id_kind": "03", "id_number": "E12345678"}, "请选择性别"),
        ({"id_kind": "03", "id_number": "E12345678", "sex": "2"}, "请填写出生日期"),
        (
            {"id_kind": "03", "id_number": "E12345678", "sex": "2", "birth_date": "2099-01-01"},
            "请核对",
        ),
        ({"name": "很" * 61}, "请填写证件上的姓名"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_the_rest_stays(
    client: FlaskClient, changes: dict[str, str], words: str
) -> None:
    answer = client.post(f"{DESK}/patients", data=form(address="朝阳门外", **changes), headers=HTMX)
    assert answer.status_code == 422
    assert words in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert "朝阳门外" in answer.text
    assert "<html" not in answer.text


def test_a_passport(client: FlaskClient) -> None:
    typed = form(
        name="John Smith", id_kind="03", id_number="e12345678", sex="1", birth_date="1980-02-03"
    )
    page = client.get(client.post(f"{DESK}/patients", data=typed).headers["Location"])
    assert "John Smith" in page.text
    assert "护照" in page.text


def test_a_card_that_is_anothers_is_refused(client: FlaskClient) -> None:
    answer = client.post(f"{DESK}/patients", data=form(card_number=CARD), headers=HTMX)
    assert answer.status_code == 409
    assert "已经登记给别人" in answer.text


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("赵六", 'value="赵六"'),
        ("13912345678", 'value="13912345678"'),
        (id_number(9), id_number(9)),
    ],
)
def test_what_was_searched_for_is_in_the_form(client: FlaskClient, text: str, field: str) -> None:
    nobody = client.post(DESK, data={"q": text}, follow_redirects=True)
    link = re.search(r'href="([^"]+/patients/new\?[^"]+)"', nobody.text)
    assert link
    assert field in client.get(link[1]).text
