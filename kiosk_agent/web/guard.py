"""Only this kiosk's own page may talk to the kiosk: host, origin and content type are checked.

A web page elsewhere that found its way into the kiosk's browser (or a name that resolves to
loopback) must not be able to press buttons.
"""

from __future__ import annotations

from flask import Flask, Request, Response, abort, request

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "media-src 'self'",
        "font-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_NAMES = ("127.0.0.1", "localhost", "[::1]")


def is_own_request(incoming: Request) -> bool:
    """Whether `incoming` was meant for this kiosk and does not come from another site."""
    host = incoming.headers.get("Host", "")
    name = host.rsplit(":", 1)[0] if ":" in host.rsplit("]", 1)[-1] else host
    if name not in _NAMES:
        return False
    origin = incoming.headers.get("Origin")
    if origin is not None and origin != f"http://{host}":
        return False
    return incoming.headers.get("Sec-Fetch-Site", "same-origin") in ("same-origin", "none")


def protect(app: Flask) -> None:
    """Check every request of `app` and put the security headers on every answer."""

    @app.before_request
    def _own_requests_only() -> None:
        if not is_own_request(request):
            abort(403)
        if request.method == "POST" and request.mimetype != "application/json":
            abort(415)

    @app.after_request
    def _security_headers(response: Response) -> Response:
        response.headers.update(HEADERS)
        if not request.path.startswith("/static/"):
            response.headers["Cache-Control"] = "no-store"
        return response
