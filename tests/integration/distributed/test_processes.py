"""Two web processes, a worker, PostgreSQL and Redis, all real: live messages cross them, and none of them is missed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests
from sqlalchemy import select

from backend.kernel import outbox
from backend.kernel.outbox import DeliveryState, OutboxDelivery
from backend.queueing.service import hall_stream
from tests.factories.databases import SYSTEM
from tests.integration.distributed.cluster import (
    START_SECONDS,
    Cluster,
    Doctor,
    Server,
    answers,
    running_cluster,
    until,
)
from tests.integration.distributed.talking_worker import Said
from tests.services.postgres import PostgresServer
from tests.services.redis import RedisServer

#: Well below the 5 s beat: what comes this quick came directly.
AT_ONCE = 3.0
RECONNECT = 20.0


@pytest.fixture(scope="module")
def cluster(
    postgres: PostgresServer,
    postgres_template: str,
    redis_server: RedisServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Cluster]:
    redis_server.clear()
    name = postgres.create_database(postgres_template)
    folder = tmp_path_factory.mktemp("cluster")
    with (
        pytest.MonkeyPatch.context() as patch,
        running_cluster(postgres.url(name), redis_server.url, folder, patch) as cluster,
    ):
        yield cluster
    postgres.drop_database(name)


@pytest.fixture(scope="module")
def webs(cluster: Cluster) -> tuple[Server, Server]:
    """Two web servers that answer; they start side by side."""
    servers = cluster.serve(), cluster.serve()
    for server in servers:
        server.wait_until_it_answers()
    return servers


@pytest.fixture(scope="module")
def worker(cluster: Cluster, webs: tuple[Server, Server]) -> Server:
    """A worker that has shown that it is alive."""
    server = cluster.work()
    until(lambda: answers(webs[0].url, "/readyz") == 200, START_SECONDS, "readyz")
    return server


def say(cluster: Cluster, words: str) -> None:
    """Publish an event whose subscriber speaks on the hall's stream; no process here delivers it."""
    with cluster.database.write(SYSTEM, housekeeping=True) as session:
        outbox.publish(session, Said(hall_stream(cluster.hall.hall_id), words))


def open_deliveries(cluster: Cluster) -> int:
    with cluster.database.read() as session:
        found = select(OutboxDelivery.id).where(
            OutboxDelivery.state == DeliveryState.PENDING, OutboxDelivery.subscriber.like("test.%")
        )
        return len(session.scalars(found).all())


def test_both_are_ready_and_say_what_they_need(webs: tuple[Server, Server], worker: Server) -> None:
    for web in webs:
        answer = requests.get(web.url + "/readyz", timeout=10)
        assert (answer.status_code, answer.json()["parts"]) == (
            200,
            {"database": "ok", "dispatcher": "ok", "redis": "ok"},
        )


def test_a_call_made_at_one_process_reaches_the_screens_of_both(
    cluster: Cluster, webs: tuple[Server, Server], worker: Server
) -> None:
    here, there = (cluster.follow(web) for web in webs)
    ticket = cluster.hall.check_in(0)  # committed by the test: emitted by nobody, found by the beat
    here.wait_for_number(1, 11)
    there.wait_for_number(1, 11)
    Doctor(webs[1]).call(cluster.hall.room_ids[0])
    for client in (here, there):
        client.wait_for_number(3, AT_ONCE)
        assert client.numbers == [1, 2, 3]
        assert client.payloads[1]["kind"] == "call"
        assert (client.asked, client.told) == (1, 2)
        client.close()
    assert cluster.hall.ticket(ticket).state.value == "called"


def test_a_message_of_the_worker_reaches_clients(
    cluster: Cluster, webs: tuple[Server, Server], worker: Server
) -> None:
    client = cluster.follow(webs[0])
    say(cluster, "from the worker")
    client.wait(lambda: client.payloads != [], AT_ONCE + 2)
    assert client.payloads == [{"kind": "said", "words": "from the worker"}]
    assert client.told == 1
    client.close()


def test_what_happens_while_the_worker_is_dead_is_delivered_by_the_next(
    cluster: Cluster, webs: tuple[Server, Server], worker: Server
) -> None:
    client = cluster.follow(webs[1])
    worker.kill()
    for words in ("one", "two"):
        say(cluster, words)
    assert open_deliveries(cluster) == 2
    worker.start()
    client.wait(lambda: len(client.messages) == 2, START_SECONDS)
    assert [payload["words"] for payload in client.payloads] == ["one", "two"]
    until(lambda: open_deliveries(cluster) == 0, AT_ONCE, "deliveries marked")
    client.close()


def test_a_client_of_a_killed_web_process_gets_what_it_missed(
    cluster: Cluster, webs: tuple[Server, Server], worker: Server
) -> None:
    stays, moves = cluster.follow(webs[0]), cluster.follow(webs[0])
    last = stays.last_no or 0
    webs[0].kill()
    say(cluster, "while it was dead")
    until(lambda: open_deliveries(cluster) == 0, RECONNECT, "delivery")
    moves.close()
    moves.connect(webs[1].url)  # the other process knows all of it
    moves.wait_for_number(last + 1, AT_ONCE)
    webs[0].start()
    webs[0].wait_until_it_answers()
    stays.wait_for_number(last + 1, RECONNECT)  # by itself, at the same address
    for client in (stays, moves):
        assert client.payloads == [{"kind": "said", "words": "while it was dead"}]
    say(cluster, "after it")
    for client in (stays, moves):
        client.wait_for_number(last + 2, AT_ONCE + 2)
        assert client.told == 1
        client.close()
