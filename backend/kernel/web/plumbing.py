"""Around every request: its id, its log line and counters, the security headers, compression and limits."""

from __future__ import annotations

import re
import time

import structlog
from flask import Flask, Response, g, request

from backend.kernel.ids import new_id
from backend.kernel.metrics import REQUEST_SECONDS, REQUESTS

log = structlog.get_logger("request")

CSP = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "media-src 'self'; connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
_SOUND_ID = re.compile(r"[A-Za-z0-9-]{8,64}")
QUIET = {"health.healthz", "health.readyz", "health.metrics", "static"}


def install(app: Flask) -> None:
    """Register the hooks."""

    @app.before_request
    def begin() -> None:
        given = request.headers.get("X-Request-Id", "")
        g.request_id = given if _SOUND_ID.fullmatch(given) else str(new_id())
        g.began = time.perf_counter()
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=g.request_id)

    @app.after_request
    def finish(response: Response) -> Response:
        response.headers.setdefault("Content-Security-Policy", CSP)
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("Referrer-Policy", "same-origin")
        response.headers.setdefault(
            "Permissions-Policy", "camera=(), microphone=(), geolocation=()"
        )
        response.headers["X-Request-Id"] = g.get("request_id", "")
        if request.endpoint and not request.endpoint.endswith("static"):
            response.headers.setdefault("Cache-Control", "no-store")
        endpoint = request.endpoint or "none"
        seconds = time.perf_counter() - g.get("began", time.perf_counter())
        REQUESTS.labels(endpoint, request.method, response.status_code).inc()
        REQUEST_SECONDS.labels(endpoint).observe(seconds)
        if endpoint not in QUIET and not endpoint.endswith("static"):
            log.info(
                "answered",
                endpoint=endpoint,
                method=request.method,
                status=response.status_code,
                ms=round(seconds * 1000, 1),
            )
        return response
