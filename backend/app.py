"""The web process's composition root: ``create_app`` joins the program, the blueprints and the live gateway."""

from __future__ import annotations

from typing import Any

from flask import Flask, Response
from flask_babel import Babel
from flask_compress import Compress
from flask_socketio import SocketIO
from flask_wtf import CSRFProtect
from jinja2 import StrictUndefined
from werkzeug.middleware.proxy_fix import ProxyFix

from backend.bootstrap import Program
from backend.kernel import live
from backend.kernel.permissions import has
from backend.kernel.web import access, context, health, plumbing, problems, rendering
from backend.web_parts import Parts, collect_parts

MAX_BODY_BYTES = 2 * 1024 * 1024


def create_app(program: Program, parts: Parts | None = None) -> Flask:
    """The Flask application over ``program``; ``parts`` are its blueprints and who loads actors."""
    parts = parts or collect_parts(program)
    settings = program.settings
    app = Flask("backend", template_folder="templates", static_folder="static")
    app.config.update(
        SECRET_KEY=program.secrets.secret_key,
        SESSION_COOKIE_NAME="xinglin_form",
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.is_production,
        MAX_CONTENT_LENGTH=MAX_BODY_BYTES,
        WTF_CSRF_TIME_LIMIT=None,
        BABEL_DEFAULT_LOCALE="zh_Hans_CN",
        BABEL_DEFAULT_TIMEZONE="Asia/Shanghai",
        COMPRESS_MIMETYPES=["text/html", "text/css", "application/javascript", "text/javascript",
                            "application/json", "image/svg+xml"],
        SEND_FILE_MAX_AGE_DEFAULT=3600,
        LOGIN_ENDPOINT=parts.login_endpoint,
    )  # fmt: skip
    app.jinja_env.undefined = StrictUndefined
    services = context.Xinglin(
        settings=settings, secrets=program.secrets, database=program.database, nav=parts.nav,
        actor_loaders=parts.actor_loaders,
    )  # fmt: skip
    context.install(app, services)
    plumbing.install(app)
    access.install(app)
    rendering.install(app)
    problems.install(app)
    Babel(app)
    Compress(app)
    _close_compressed_files(app)
    csrf = CSRFProtect(app)
    app.register_blueprint(health.blueprint)
    for blueprint in parts.blueprints:
        app.register_blueprint(blueprint)
    for blueprint in parts.without_forms:
        csrf.exempt(blueprint)
        app.register_blueprint(blueprint)
    services.parts.update(parts.extras)
    _share_with_templates(app, parts)
    _go_live(app, services, parts)
    _believe_proxies(app, settings.trusted_proxies)
    return app


def _close_compressed_files(app: Flask) -> None:
    """Flask-Compress streams over a static file and forgets to close it; registered after it, this runs before."""

    @app.after_request
    def close_with_response(response: Response) -> Response:
        close = getattr(response.response, "close", None)
        if response.direct_passthrough and close is not None:
            response.call_on_close(close)
        return response


def _share_with_templates(app: Flask, parts: Parts) -> None:
    """What the back office's shell shows on every page."""

    @app.context_processor
    def shell() -> dict[str, Any]:
        actor = context.load_actor()
        return {
            "nav": [item for item in parts.nav if has(actor, item.permission)],
            **(parts.shell() if parts.shell else {}),
        }


def _go_live(app: Flask, services: context.Xinglin, parts: Parts) -> None:
    """Socket.IO: websocket only, so that no process needs sticky sessions."""
    settings = services.settings
    socketio = SocketIO(
        app,
        async_mode="threading" if settings.is_sqlite else "gevent",
        message_queue=settings.redis_url or None,
        channel=live.CHANNEL,
        transports=["websocket"],
        ping_interval=10,
        ping_timeout=10,
        logger=False,
        engineio_logger=False,
    )
    gateway = live.LiveGateway(socketio, services.database)
    for prefix, guard in parts.stream_guards.items():
        gateway.guard(prefix, guard)
    socketio.on_namespace(gateway)
    services.live = gateway
    services.database.emitter = live.SocketEmitter(socketio)
    app.extensions["xinglin_socketio"] = socketio


def _believe_proxies(app: Flask, proxies: int) -> None:
    """Take the caller from the last ``proxies`` entries of X-Forwarded-For and the scheme from the last word of the
    nearest proxy, for Socket.IO too: hence last of all. What a caller writes stands before them and is ignored.
    """
    if proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=proxies, x_proto=1)  # type: ignore[method-assign]
