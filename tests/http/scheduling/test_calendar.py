"""The calendar's page: importing with a preview, naming days, and who may."""

from __future__ import annotations

import datetime as dt
import io

import pytest
from flask.testing import FlaskClient

from backend.kernel.permissions import Permission
from backend.kernel.uow import Database
from backend.scheduling import queries
from tests.factories.clinic import Clinic, open_schedules
from tests.factories.databases import SYSTEM
from tests.factories.webapp import ActorSwitch, staff_actor

URL = "/backoffice/schedules/calendar"
TEXT = "2026-11-23,放假,院庆\n2026-11-28,上班,院庆,周一\n"


def days(database: Database, clinic: Clinic) -> dict[dt.date, int | None]:
    with database.read(SYSTEM) as session:
        return queries.calendar_map(
            session,
            hospital_id=clinic.hospital_id,
            first=dt.date(2026, 1, 1),
            last=dt.date(2027, 12, 31),
        )


def test_a_year_with_nothing_on_it_says_what_to_do(client: FlaskClient) -> None:
    page = client.get(URL)
    assert page.status_code == 200
    assert "这一年还没有放假安排" in page.text
    assert "一键导入 2026 年" in page.text
    assert "程序里还没有 2027 年的安排" in client.get(f"{URL}?year=2027").text


def test_one_touch_takes_over_the_official_year(
    client: FlaskClient, sqlite_database: Database, clinic: Clinic
) -> None:
    answer = client.post(f"{URL}/published", data={"year": "2026"})
    assert answer.status_code == 303
    assert "2026 年日历已更新 39 天" in client.get(answer.headers["Location"]).text
    assert days(sqlite_database, clinic)[dt.date(2026, 10, 10)] == 3
    again = client.post(f"{URL}/published", data={"year": "2026"})
    assert "没有变化" in client.get(again.headers["Location"]).text
    assert client.post(f"{URL}/published", data={"year": "2099"}).status_code == 404


def test_a_preview_writes_nothing_and_the_import_writes_what_was_chosen(
    client: FlaskClient, sqlite_database: Database, clinic: Clinic
) -> None:
    open_schedules(sqlite_database, clinic)
    file = (io.BytesIO(TEXT.encode("gb18030")), "2026放假.csv")
    preview = client.post(f"{URL}/preview", data={"file": file})
    assert preview.status_code == 200
    for words in ("2026放假.csv", "11月23日", "已生成 2 个班次", "导入这 2 天"):
        assert words in preview.text
    assert days(sqlite_database, clinic) == {}
    form = {"text": TEXT, "name": "2026放假.csv", "weekday-2026-11-28": "3"}
    answer = client.post(f"{URL}/import", data=form)
    assert answer.status_code == 303
    assert days(sqlite_database, clinic) == {
        dt.date(2026, 11, 23): None,
        dt.date(2026, 11, 28): 3,
    }
    page = client.get(answer.headers["Location"]).text
    assert "已生成 2 个班次" in page  # what stands on the new holiday still has to be stopped


def test_faults_are_listed_by_line_and_nothing_is_taken_over(
    client: FlaskClient, sqlite_database: Database, clinic: Clinic
) -> None:
    text = "2026-11-31,放假,院庆\n2026-11-28,也许,院庆\n"
    preview = client.post(f"{URL}/preview", data={"text": text})
    assert preview.status_code == 422
    assert "有 2 处看不懂" in preview.text
    assert "第 1 行" in preview.text
    assert "没有「2026-11-31」这一天" in preview.text
    assert "2026-11-28,也许,院庆" in preview.text  # what was typed stays
    assert client.post(f"{URL}/import", data={"text": text}).status_code == 422
    assert days(sqlite_database, clinic) == {}


@pytest.mark.parametrize(
    ("raw", "words"), [(b"x" * 70_000, "文件太大"), (b"\xff\xfe\x00\x81\xff", "不是文字文件")]
)
def test_a_file_that_is_no_notice_is_refused(client: FlaskClient, raw: bytes, words: str) -> None:
    answer = client.post(f"{URL}/preview", data={"file": (io.BytesIO(raw), "a.csv")})
    assert answer.status_code == 422
    assert words in answer.text


def test_one_day_is_named_changed_and_made_ordinary_again(
    client: FlaskClient, sqlite_database: Database, clinic: Clinic
) -> None:
    form = {"day": "2026-12-05", "kind": "workday", "name": "院庆", "template_weekday": "2"}
    assert client.post(f"{URL}/day", data=form).status_code == 303
    assert days(sqlite_database, clinic) == {dt.date(2026, 12, 5): 2}
    opened = client.get(f"{URL}?edit=2026-12-05", headers={"HX-Request": "true"})
    assert "<html" not in opened.text
    assert 'name="version" value="1"' in opened.text
    closed = form | {"kind": "holiday", "template_weekday": "closed", "version": "1"}
    assert client.post(f"{URL}/day", data=closed).status_code == 303
    assert client.post(f"{URL}/day", data=form | {"version": "1"}).status_code == 409
    # Opened while the day was an ordinary one, and saved after somebody had named it.
    assert client.post(f"{URL}/day", data=form).status_code == 409
    assert days(sqlite_database, clinic) == {dt.date(2026, 12, 5): None}
    old, new = ({"day": "2026-12-05", "version": version} for version in ("1", "2"))
    assert client.post(f"{URL}/remove", data=old).status_code == 409
    assert client.post(f"{URL}/remove", data=new).status_code == 303
    assert days(sqlite_database, clinic) == {}
    assert client.post(f"{URL}/remove", data={"day": "2026-12-05"}).status_code == 404


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("day", {"day": "soon", "kind": "holiday", "name": "x"}),
        ("day", {"day": "2026-12-05", "kind": "party", "name": "x"}),
        ("day", {"day": "2026-12-05", "kind": "holiday", "name": ""}),
        ("day", {"day": "2026-12-05", "kind": "workday", "name": "x", "template_weekday": "9"}),
        ("day", {"day": "9999-12-31", "kind": "holiday", "name": "x"}),
        ("remove", {"day": ""}),
        ("published", {"year": "3000"}),
    ],
)
def test_what_cannot_be_read_is_refused(
    client: FlaskClient, path: str, form: dict[str, str]
) -> None:
    assert client.post(f"{URL}/{path}", data=form).status_code == 422


@pytest.mark.parametrize("path", ["published", "preview", "import", "day", "remove"])
def test_readers_see_the_calendar_and_change_nothing(
    client: FlaskClient, switch: ActorSwitch, clinic: Clinic, path: str
) -> None:
    switch.actor = staff_actor(clinic.hospital_id, Permission.SCHEDULING_SCHEDULE_READ)
    page = client.get(URL)
    assert page.status_code == 200
    assert "导入放假安排" not in page.text
    assert client.post(f"{URL}/{path}", data={"year": "2026"}).status_code == 403
