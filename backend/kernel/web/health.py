"""Health for supervisors: alive, ready (database, Redis, dispatcher), and the counters."""

from __future__ import annotations

import datetime as dt
import math

import redis
from flask import Blueprint, Response, jsonify
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from backend.kernel import dead_deliveries
from backend.kernel.dispatcher import HEARTBEAT, Heartbeat
from backend.kernel.metrics import DEAD_BY_SUBSCRIBER, DEAD_DELIVERIES
from backend.kernel.uow import Database, now
from backend.kernel.web.access import public
from backend.kernel.web.context import xinglin

blueprint = Blueprint("health", __name__)
LATE = dt.timedelta(seconds=30)


@blueprint.get("/healthz")
@public("says only that the process answers")
def healthz() -> Response:
    """200 while the process answers at all."""
    return jsonify(status="ok")


@blueprint.get("/readyz")
@public("says only which parts are there")
def readyz() -> tuple[Response, int]:
    """200 when database, Redis (if used) and the dispatcher's heartbeat are there; 503 with the missing part."""
    parts = {"database": "ok", "dispatcher": "ok"}
    services = xinglin()
    try:
        parts["dispatcher"] = _dispatcher(services.database)
    except SQLAlchemyError:
        parts["database"] = "away"
        parts["dispatcher"] = "unknown"
    if services.settings.redis_url:
        parts["redis"] = _redis(services.settings.redis_url)
    is_ready = all(state == "ok" for state in parts.values())
    return jsonify(
        status="ready" if is_ready else "not ready", parts=parts
    ), 200 if is_ready else 503


def _dispatcher(database: Database) -> str:
    with database.read() as session:
        session.execute(text("SELECT 1"))
        beat = session.get(Heartbeat, HEARTBEAT)
        if beat is None:
            return "never seen"
        return "ok" if now(session) - beat.beat_at < LATE else "late"


def _redis(url: str) -> str:
    try:
        with redis.Redis.from_url(url, socket_timeout=2) as client:
            client.ping()
    except redis.RedisError:
        return "away"
    return "ok"


@blueprint.get("/metrics")
@public("counters without personal data; publish it only inside the hospital's network")
def metrics() -> Response:
    """Prometheus text."""
    _count_dead_deliveries()
    return Response(generate_latest(), content_type=CONTENT_TYPE_LATEST)


def _count_dead_deliveries() -> None:
    """Ask the database, whichever process answers. While it is away the figure is not a number, and readyz says why."""
    DEAD_BY_SUBSCRIBER.clear()
    try:
        with xinglin().database.read() as session:
            counts = dead_deliveries.count_by_subscriber(session)
    except SQLAlchemyError:
        DEAD_DELIVERIES.set(math.nan)
        return
    DEAD_DELIVERIES.set(sum(counts.values()))
    for subscriber, number in counts.items():
        DEAD_BY_SUBSCRIBER.labels(subscriber).set(number)
