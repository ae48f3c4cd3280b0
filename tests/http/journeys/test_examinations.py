"""A patient's examinations over HTTP: the plan, booking it, what changed meanwhile, who may not, other patients'."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from backend.clinical import backoffice as workstation
from backend.identity.rules import ROLE_PERMISSIONS, Role
from backend.journeys import backoffice as front_desk
from backend.journeys.backoffice import examinations
from backend.kernel.ids import Id, new_id
from backend.kernel.uow import Database
from backend.scheduling.queries.examinations import get_screening, list_booked_examinations
from tests.factories.clinic import make_clinic
from tests.factories.databases import SYSTEM
from tests.factories.imaging_desk import ImagingDesk, make_imaging_desk
from tests.factories.webapp import ActorSwitch, make_app, staff_actor

HTMX = {"HX-Request": "true"}


@pytest.fixture
def desk(sqlite_database: Database) -> ImagingDesk:
    return make_imaging_desk(sqlite_database)


@pytest.fixture
def switch(desk: ImagingDesk) -> ActorSwitch:
    switch = ActorSwitch()
    switch.actor = staff_actor(desk.hospital_id, *ROLE_PERMISSIONS[Role.REGISTRAR])
    return switch


@pytest.fixture
def client(desk: ImagingDesk, switch: ActorSwitch, tmp_path: Path) -> FlaskClient:
    app = make_app(desk.database, tmp_path, switch, examinations.blueprint, workstation.blueprint)
    return app.test_client()


def url(desk: ImagingDesk, tail: str = "") -> str:
    return f"/backoffice/examinations/patients/{desk.patient_id}{tail}"


def places(html: str) -> list[str]:
    return re.findall(r'name="place" value="([^"]+)"', html)


def count(desk: ImagingDesk) -> int:
    with desk.database.read(SYSTEM) as session:
        return len(
            list_booked_examinations(
                session, patient_id=desk.patient_id, hospital_id=desk.hospital_id
            )
        )


def test_the_page_fetches_its_plan_and_the_fragment_is_only_the_plan(
    desk: ImagingDesk, client: FlaskClient
) -> None:
    desk.order("US-ABD", "GASTRO")
    page = client.get(url(desk))
    assert page.status_code == 200
    assert f'hx-get="{url(desk, "/plan")}"' in page.text
    plan = client.get(url(desk, "/plan"), headers=HTMX)
    assert plan.text.startswith("<section") or "<html" not in plan.text
    assert "已比较全部可能" in plan.text
    assert "前一天 22:00" in plan.text
    assert "先“腹部超声”后“电子胃镜检查”" in plan.text
    assert len(places(plan.text)) == 2
    whole = client.get(url(desk, "/plan"))
    assert "<html" in whole.text
    assert places(whole.text) == places(plan.text)


def test_nothing_to_plan_says_what_to_do(desk: ImagingDesk, client: FlaskClient) -> None:
    text = client.get(url(desk)).text
    assert "没有待安排的检查" in text
    assert "请医生在工作站开检查" in text
    assert "没有要安排的检查" in client.get(url(desk, "/plan"), headers=HTMX).text


def test_the_plan_is_booked_whole_and_printed(desk: ImagingDesk, client: FlaskClient) -> None:
    desk.order("US-ABD", "GASTRO")
    plan = client.get(url(desk, "/plan"), headers=HTMX).text
    answer = client.post(url(desk, "/book"), data={"place": places(plan)})
    assert answer.status_code == 303
    assert count(desk) == 2
    assert "2 项检查已全部约好" in client.get(url(desk)).text
    sheet = client.get(url(desk, "/print")).text
    assert "检查准备单" in sheet
    assert "从这时起不要吃东西" in sheet
    again = client.post(url(desk, "/book"), data={"place": places(plan)}, headers=HTMX)
    assert again.status_code == 409
    assert "已撤销或已另外预约" in again.text
    assert count(desk) == 2


def test_a_changed_plan_is_shown_with_what_changed(desk: ImagingDesk, client: FlaskClient) -> None:
    desk.order("US-ABD")
    plan = client.get(url(desk, "/plan"), headers=HTMX).text
    key, _slot = places(plan)[0].split(" ")
    answer = client.post(url(desk, "/book"), data={"place": f"{key} {new_id()}"}, headers=HTMX)
    assert answer.status_code == 409
    assert "data-problem-fragment" not in answer.text
    assert "“腹部超声”换了时间：原来的时段已被约走" in answer.text
    assert client.post(url(desk, "/book"), data={"place": places(answer.text)}).status_code == 303


@pytest.mark.parametrize("place", ["", "x", "x y", f"{Id(int=7)} nonsense"])
def test_a_torn_form_books_nothing(desk: ImagingDesk, client: FlaskClient, place: str) -> None:
    desk.order("US-ABD")
    assert client.post(url(desk, "/book"), data={"place": place}).status_code == 422
    assert count(desk) == 0


def test_answers_of_safety_are_kept_and_open_the_magnet(
    desk: ImagingDesk, client: FlaskClient
) -> None:
    desk.order("MR")
    page = client.get(url(desk)).text
    assert "还没有问有没有心脏起搏器" in page
    assert "怀孕" not in page  # a man is not asked
    client.post(url(desk, "/screening"), data={"has_pacemaker": "no"})
    assert "还没有问体内有没有金属" in client.get(url(desk)).text
    client.post(url(desk, "/screening"), data={"has_metal": "no"})
    with desk.database.read(SYSTEM) as session:
        answers = get_screening(session, desk.patient_id)
    assert (answers["has_pacemaker"], answers["has_metal"], answers["egfr"]) == (False, False, None)
    assert len(places(client.get(url(desk, "/plan"), headers=HTMX).text)) == 1
    assert client.post(url(desk, "/screening"), data={"egfr": "abc"}).status_code == 422


def test_wishes_choose_the_days_and_other_days_are_others(
    desk: ImagingDesk, client: FlaskClient
) -> None:
    desk.order("US-ABD")
    wednesday = client.get(url(desk, "/plan?weekday=3"), headers=HTMX).text
    assert "11月25日 周三" in wednesday
    other = client.get(url(desk, "/plan?weekday=3&not=2026-11-25"), headers=HTMX).text
    assert "12月2日 周三" in other
    assert "回到最好的安排" in other
    none = client.get(url(desk, "/plan?half=pm"), headers=HTMX).text
    assert "在可选的日子里没有合适的空位" in none
    assert "放宽患者方便的时间" in none
    assert client.get(url(desk, "/plan?from=tomorrow"), headers=HTMX).status_code == 422


def test_one_is_moved_or_given_back(desk: ImagingDesk, client: FlaskClient) -> None:
    desk.order("US-ABD")
    desk.book(desk.propose())
    with desk.database.read(SYSTEM) as session:
        (view,) = list_booked_examinations(
            session, patient_id=desk.patient_id, hospital_id=desk.hospital_id
        )
    plan = client.get(url(desk, f"/plan?move={view.id}"), headers=HTMX).text
    assert "改到这个时间" in plan
    form = {"place": places(plan), "move": str(view.id)}
    assert client.post(url(desk, "/book"), data=form).status_code == 303
    assert count(desk) == 1
    assert (
        client.post(url(desk, f"/examinations/{view.id}/cancel")).status_code == 303
    )  # again: nothing
    assert count(desk) == 1
    assert client.post(url(desk, f"/examinations/{new_id()}/cancel")).status_code == 404


def test_nobody_else_may_and_another_hospitals_patient_is_not_there(
    desk: ImagingDesk, client: FlaskClient, switch: ActorSwitch
) -> None:
    desk.order("US-ABD")
    switch.actor = staff_actor(desk.hospital_id, *ROLE_PERMISSIONS[Role.SCHEDULER])
    for tail in ("", "/plan", "/print"):
        assert client.get(url(desk, tail)).status_code == 403
    assert client.post(url(desk, "/book")).status_code == 403
    foreign = make_clinic(desk.database, code="H2", practitioners=1, patients=1)
    switch.actor = staff_actor(foreign.hospital_id, *ROLE_PERMISSIONS[Role.REGISTRAR])
    for tail in ("", "/plan", "/print"):
        assert client.get(url(desk, tail)).status_code == 404
    assert client.post(url(desk, "/screening"), data={}).status_code == 404


def test_the_doctor_orders_and_finds_the_way_to_the_plan(
    desk: ImagingDesk, client: FlaskClient, switch: ActorSwitch
) -> None:
    switch.actor = desk.hour.doctor()
    found = client.get("/backoffice/workstation/search/examinations?q=胃镜").text
    assert 'data-value="GASTRO"' in found
    ordered = client.post(
        f"/backoffice/workstation/encounters/{desk.encounter_id}/examinations",
        data={"code": "GASTRO"}, headers=HTMX,
    )  # fmt: skip
    assert "电子胃镜检查" in ordered.text
    assert url(desk) in ordered.text


def test_the_cashier_sees_that_a_place_goes_with_its_fee_and_is_told(
    desk: ImagingDesk, switch: ActorSwitch, tmp_path: Path
) -> None:
    desk.order("US-ABD")
    desk.book(desk.propose())
    bill = f"/backoffice/front-desk/patients/{desk.patient_id}/invoices/{desk.bill()}"
    cashier = make_app(desk.database, tmp_path, switch, front_desk.blueprint).test_client()
    page = cashier.get(f"{bill}/refund").text
    assert "费用全退时预约一并取消" in page
    answer = cashier.post(
        f"{bill}/refund", data={"all": "1", "reason": "不做了", "_key": "1"}, follow_redirects=True
    )
    assert "退费已办：现金 ¥300.00；检查预约已取消：腹部超声" in answer.text
    assert count(desk) == 0
    assert "费用全退时预约一并取消" not in cashier.get(f"{bill}/refund").text
