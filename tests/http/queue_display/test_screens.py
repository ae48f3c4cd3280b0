"""Screen pages over HTTP: the key opens one hall and nothing else; names are masked."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from backend.kernel import links
from backend.kernel.ids import Id, new_id
from backend.kernel.uow import Database
from backend.queueing import queries, service
from queue_display import pages, voice
from tests.factories.databases import SYSTEM
from tests.factories.queues import Hall, add_hall_queue, make_hall
from tests.factories.statements import Statements
from tests.factories.webapp import ActorSwitch, make_app

SECRET = "test-secret-" * 4


@pytest.fixture
def hall(sqlite_database: Database) -> Hall:
    return make_hall(sqlite_database)


@pytest.fixture
def client(hall: Hall, tmp_path: Path) -> Iterator[FlaskClient]:
    app = make_app(hall.database, tmp_path, ActorSwitch(), pages.blueprint)
    with app.test_client() as client:
        yield client


def key(hall_id: Id) -> str:
    return links.screen_key(SECRET, hall_id)


def latest_call(hall: Hall) -> str:
    with hall.database.read(SYSTEM) as session:
        return str(queries.hall_view(session, hall.hall_id).calls[0].id)


def test_the_page_shows_calls_and_queues_with_masked_names(client: FlaskClient, hall: Hall) -> None:
    hall.check_in(0)
    hall.check_in(1)
    hall.call(doctor=1)
    answer = client.get(f"/screens/{key(hall.hall_id)}")
    assert answer.status_code == 200
    for words in ("三层候诊区", "A001", "二诊室", "患*0", "A002", "患*1", "一诊室、二诊室"):
        assert words in answer.text
    assert "患者" not in answer.text.replace("患者请", "")
    assert 'data-voice="on"' in answer.text


def test_page_and_board_take_a_fixed_number_of_queries(client: FlaskClient, hall: Hall) -> None:
    counts = []
    for number in (0, 1):
        add_hall_queue(hall, f"X{number}", f"队列{number}", "BC"[number])
        hall.check_in(2 * number)
        hall.check_in(2 * number + 1)
        hall.call(doctor=number)
        with Statements(hall.database) as page:
            client.get(f"/screens/{key(hall.hall_id)}")
        with Statements(hall.database) as part:
            client.get(f"/screens/{key(hall.hall_id)}/board")
        counts.append((page.count, part.count))
    assert counts == [(12, 9)] * 2


def test_the_board_alone(client: FlaskClient, hall: Hall) -> None:
    answer = client.get(f"/screens/{key(hall.hall_id)}/board")
    assert answer.status_code == 200
    assert answer.text.lstrip().startswith("<section")
    assert "现在没有叫号" in answer.text


def test_a_repeated_call_is_one_line(client: FlaskClient, hall: Hall) -> None:
    mine = hall.check_in(0)
    hall.call()
    hall.act(service.call_again, mine)
    assert client.get(f"/screens/{key(hall.hall_id)}/board").text.count("data-call=") == 1


def test_only_four_calls_and_seven_queues_a_page(client: FlaskClient, hall: Hall) -> None:
    for patient in range(6):
        hall.check_in(patient)
        hall.serve()
    for number in range(8):
        add_hall_queue(hall, f"X{number}", f"队列{number}", "BCDEFGHK"[number])
    text = client.get(f"/screens/{key(hall.hall_id)}/board").text
    assert text.count("data-call=") == 4
    assert text.count('data-page="0"') == 7
    assert text.count('data-page="1" hidden') == 2


def test_a_second_screen_of_the_hall_keeps_quiet(client: FlaskClient, hall: Hall) -> None:
    assert 'data-voice="off"' in client.get(f"/screens/{key(hall.hall_id)}?voice=off").text


def test_the_voice_of_a_call(client: FlaskClient, hall: Hall) -> None:
    hall.check_in(0)
    hall.call()
    with client.get(f"/screens/{key(hall.hall_id)}/voice/{latest_call(hall)}.wav") as answer:
        assert answer.status_code == 200
        assert answer.mimetype == "audio/wav"
        assert answer.data.startswith(b"RIFF")


def test_a_machine_without_voice_answers_503(
    client: FlaskClient, hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(voice, "PROGRAM", "no-such-speaker")
    hall.check_in(0)
    hall.call()
    path = f"/screens/{key(hall.hall_id)}/voice/{latest_call(hall)}.wav"
    assert client.get(path).status_code == 503


@pytest.mark.parametrize("path", ["", "/board", "/voice/{call}.wav"])
def test_a_forged_key_opens_nothing(client: FlaskClient, hall: Hall, path: str) -> None:
    hall.check_in(0)
    hall.call()
    forged = links.screen_key("another-secret", hall.hall_id)
    foreign = links.ticket_token(SECRET, hall.hall_id, hall.database.clock.now().date())
    tail = path.format(call=latest_call(hall))
    assert client.get(f"/screens/{forged}{tail}").status_code == 404
    assert client.get(f"/screens/{foreign}{tail}").status_code == 404


def test_a_call_of_another_hall_is_not_spoken(client: FlaskClient, hall: Hall) -> None:
    hall.check_in(0)
    hall.call()
    other = key(hall.clinic.room_id)
    assert client.get(f"/screens/{other}/voice/{latest_call(hall)}.wav").status_code == 404
    mine = key(hall.hall_id)
    assert client.get(f"/screens/{mine}/voice/{new_id()}.wav").status_code == 404
    assert client.get(f"/screens/{mine}/voice/x.wav").status_code == 404


def test_a_hall_that_is_gone(client: FlaskClient) -> None:
    assert client.get(f"/screens/{key(new_id())}").status_code == 404


def test_a_token_follows_its_own_stream_only(hall: Hall) -> None:
    is_allowed = partial(links.may_follow, SECRET)
    stream = service.hall_stream(hall.hall_id)
    token = links.stream_token(SECRET, stream)
    assert is_allowed(stream, token)
    assert not is_allowed(service.hall_stream(new_id()), token)
    assert not is_allowed(stream, "")
    assert not is_allowed(stream, key(hall.hall_id))
