"""Problems: every error becomes a page, an htmx fragment or application/problem+json (RFC 9457), in one shape."""

from __future__ import annotations

import structlog
from flask import (
    Flask,
    Response,
    current_app,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm.exc import StaleDataError
from werkzeug.exceptions import HTTPException

from backend.kernel import audit
from backend.kernel.errors import (
    Forbidden,
    InvalidInput,
    NotFound,
    RateLimited,
    StaleVersion,
    Unauthenticated,
    Unavailable,
    XinglinError,
)
from backend.kernel.web.context import request_id, write_uow
from backend.kernel.web.rendering import is_fragment_request

log = structlog.get_logger(__name__)
#: Headers of an HTTP refusal that say what would be accepted.
_MEANINGFUL = {"Allow", "Retry-After"}


def wants_json() -> bool:
    """Programs get JSON: API paths, or an Accept header that prefers it."""
    if request.path.startswith("/api/"):
        return True
    best = request.accept_mimetypes.best_match(["text/html", "application/json"])
    return best == "application/json" and "HX-Request" not in request.headers


def problem(error: XinglinError) -> Response:
    """The answer for ``error`` in the shape this request wants."""
    if wants_json():
        body = {
            "type": "about:blank",
            "title": str(error.message),
            "status": error.status,
            "code": error.error_code,
            "detail": str(error.message),
            "next_step": str(error.next_step),
            "fields": {name: str(text) for name, text in error.fields.items()},
            "request_id": request_id(),
            **{key: value for key, value in error.facts.items() if _is_plain(value)},
        }
        response = jsonify(body)
        response.mimetype = "application/problem+json"
    else:
        name = "errors/fragment.html" if is_fragment_request() else "errors/page.html"
        text = render_template(
            name,
            title=str(error.message),
            message="",
            next_step=str(error.next_step),
            fields={field: str(words) for field, words in error.fields.items()},
            status=error.status,
            request_id=request_id(),
        )
        response = make_response(text)
    response.status_code = error.status
    response.headers["Cache-Control"] = "no-store"
    return response


def _is_plain(value: object) -> bool:
    return value is None or isinstance(value, str | int | bool)


def _from_http(error: HTTPException) -> XinglinError:
    if isinstance(error, CSRFError):
        return InvalidInput(
            _("页面停留太久，已经失效"), next_step=_("请刷新页面后再提交"), code="form_expired"
        )
    known: dict[int, type[XinglinError]] = {
        401: Unauthenticated, 403: Forbidden, 404: NotFound, 429: RateLimited, 503: Unavailable
    }  # fmt: skip
    kind = known.get(error.code or 500)
    if kind is not None:
        return kind()
    if error.code == 405:
        failure: XinglinError = InvalidInput(_("这个地址不支持这种操作"), code="method_not_allowed")
    elif error.code == 413:
        failure = InvalidInput(_("内容太大"), code="too_large")
    else:
        failure = InvalidInput(_("请求的写法有误"), code="bad_request")
    failure.status = error.code or 400  # type: ignore[misc]  # an answer keeps its HTTP meaning
    return failure


def _remember_refusal(error: XinglinError) -> None:
    """A denied permission is written down in a unit of work of its own, after the refused one."""
    with write_uow() as session:
        audit.record(
            session,
            "permission.denied",
            entity="route",
            entity_id=str(request.endpoint)[:64],
            method=request.method,
            permission=error.facts.get("permission"),
        )


def install(app: Flask) -> None:
    """Register the handlers."""

    @app.errorhandler(XinglinError)
    def known(error: XinglinError) -> Response:
        if isinstance(error, Forbidden):
            _remember_refusal(error)
        if isinstance(error, Unauthenticated) and not wants_json():
            return _to_login(error)
        if error.status >= 500:
            log.error("request_failed", code=error.error_code, exc_info=error)
        return problem(error)

    @app.errorhandler(StaleDataError)
    def stale(_error: StaleDataError) -> Response:
        return problem(StaleVersion())

    @app.errorhandler(OperationalError)
    def away(error: OperationalError) -> Response:
        # The database is away, or chose this transaction to end a deadlock: nothing was kept, later may help.
        log.error("request_failed", code="database_unavailable", exc_info=error)
        return problem(Unavailable(code="database_unavailable"))

    @app.errorhandler(HTTPException)
    def http(error: HTTPException) -> Response:
        if error.response is not None or (error.code or 500) < 400:
            return make_response(error.get_response())
        response = problem(_from_http(error))
        for name, value in error.get_headers():
            if name in _MEANINGFUL:
                response.headers[name] = value
        return response

    @app.errorhandler(Exception)
    def unknown(error: Exception) -> Response:
        log.error("request_failed", code="internal", exc_info=error)
        return problem(XinglinError())


def _to_login(error: XinglinError) -> Response:
    """Staff pages send people to the login page and bring them back; fragments make the whole page go there."""
    endpoint = current_app.config.get("LOGIN_ENDPOINT")
    if not endpoint:
        return problem(error)
    if is_fragment_request():
        response = problem(error)
        response.headers["HX-Redirect"] = url_for(endpoint)
        return response
    return make_response(redirect(url_for(endpoint, next=request.path), 303))
