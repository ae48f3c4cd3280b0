"""Prometheus counters every process keeps; shown at ``/metrics``."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

REQUESTS = Counter("xinglin_requests_total", "HTTP answers", ["endpoint", "method", "status"])
REQUEST_SECONDS = Histogram(
    "xinglin_request_seconds",
    "Time to answer",
    ["endpoint"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
#: Alarm on more than none: something that happened was not told to somebody who must know. Set at each scrape.
DEAD_DELIVERIES = Gauge("xinglin_dead_deliveries", "Outbox deliveries that failed too often")
DEAD_BY_SUBSCRIBER = Gauge(
    "xinglin_dead_deliveries_by_subscriber",
    "Outbox deliveries that failed too often, by subscriber",
    ["subscriber"],
)
