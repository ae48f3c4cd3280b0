"""The last message of a stream is lost on its way: a client of a real server has it within 10 seconds all the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.factories.live_client import LiveClient
from tests.integration.distributed.cluster import Cluster, Doctor, Server, running_cluster

AT_ONCE = 3.0
#: What the hall's screen promises.
PROMISE = 10.0


@pytest.fixture(params=["sqlite", "postgresql"])
def cluster(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Cluster]:
    """One server alone: threads over SQLite, greenlets over PostgreSQL."""
    fixture = "sqlite_database" if request.param == "sqlite" else "postgres_database"
    url = request.getfixturevalue(fixture).engine.url.render_as_string(hide_password=False)
    with (
        pytest.MonkeyPatch.context() as patch,
        running_cluster(url, "", tmp_path / "var", patch) as cluster,
    ):
        yield cluster


@pytest.fixture
def web(cluster: Cluster) -> Server:
    server = cluster.serve_lossy()
    server.wait_until_it_answers()
    return server


def test_the_last_call_dropped_on_the_way_is_shown_within_ten_seconds(
    cluster: Cluster, web: Server
) -> None:
    ticket = cluster.hall.check_in(0)
    client = cluster.follow(web)
    first = client.last_no or 0
    doctor = Doctor(web)
    doctor.call(cluster.hall.room_ids[0])
    client.wait_for_number(first + 2, AT_ONCE)
    assert (client.told, client.asked) == (2, 0)

    (cluster.settings.data_dir / "drop").touch()
    doctor.call_again(ticket)
    client.wait_for_number(first + 4, PROMISE)
    assert (client.told, client.asked) == (2, 2)
    assert client.payloads[2]["kind"] == "call"
    assert client.numbers == list(range(first + 1, first + 5))

    (cluster.settings.data_dir / "drop").unlink()
    doctor.call_again(ticket)
    client.wait_for_number(first + 6, AT_ONCE)
    assert (client.told, client.asked) == (4, 2)
    client.close()


def test_a_stream_is_refused_without_its_token(cluster: Cluster, web: Server) -> None:
    for stream, token in (
        ("hall:1", "forged"),
        ("hall:1", ""),
        ("nobody:guards", "x"),
        ("", ""),
    ):
        client = LiveClient(stream, token)
        client.connect(web.url)
        assert client.is_refused, stream
        client.close()
