"""The sandbox's Flask application and its one-process HTTP server."""

from __future__ import annotations

import logging
import signal
import sys
import threading
from pathlib import Path
from types import FrameType

from flask import Flask, Response, jsonify, redirect, url_for
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server
from werkzeug.wrappers import Response as BaseResponse

from backend.sandbox import control, payapi, phone
from backend.sandbox.alipay import gateway as alipay_gateway
from backend.sandbox.alipay import keys as alipay_keys
from backend.sandbox.alipay.platform import AlipayPlatform
from backend.sandbox.bank import bill as bank_bill
from backend.sandbox.bank import keys as bank_keys
from backend.sandbox.bank.server import BankServer
from backend.sandbox.einvoice import api as einvoice_api
from backend.sandbox.einvoice import keys as einvoice_keys
from backend.sandbox.insurance import api as insurance_api
from backend.sandbox.insurance import keys as insurance_keys
from backend.sandbox.keys import ensure_keys
from backend.sandbox.notifier import Notifier
from backend.sandbox.past import remember_past
from backend.sandbox.platform import Platform, Timing
from backend.sandbox.store import Store

HOST = "127.0.0.1"
MAX_UPLOAD = 12 * 1024 * 1024
SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self';"
        " connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


class _QuietHandler(WSGIRequestHandler):
    """No line per request, and HTTP/1.1 so that a client may keep its connection."""

    protocol_version = "HTTP/1.1"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        return


def create_app(platform: Platform, alipay: AlipayPlatform) -> Flask:
    """The WSGI application over the two payment platforms."""
    app = Flask(__name__)
    app.extensions |= {"platform": platform, "alipay": alipay}
    app.config["MAX_CONTENT_LENGTH"] = MAX_UPLOAD
    app.register_blueprint(payapi.blueprint)
    app.register_blueprint(alipay_gateway.blueprint)
    app.register_blueprint(bank_bill.blueprint)
    app.register_blueprint(insurance_api.blueprint)
    app.register_blueprint(einvoice_api.blueprint)
    app.register_blueprint(control.blueprint)
    app.register_blueprint(phone.blueprint)

    @app.get("/")
    def index() -> BaseResponse:
        return redirect(url_for("phone.home"))

    @app.get("/healthz")
    def healthz() -> Response:
        with platform.store.read() as db:
            db.execute("SELECT 1").fetchone()
        return jsonify({"status": "ok"})

    @app.after_request
    def harden(response: Response) -> Response:
        for name, value in SECURITY_HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    return app


def serve(directory: Path, *, port: int, bank_port: int, timing: Timing) -> None:
    """Run on 127.0.0.1 until SIGTERM or SIGINT, then end within two seconds.

    Port 0 takes a free one; the bank listens on one of its own. Prints the address once it listens.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    # The keys hold the address, so the port must be known first.
    server = make_server(HOST, port, _unready, threaded=True, request_handler=_QuietHandler)
    base_url = f"http://{HOST}:{server.server_port}"
    keys = ensure_keys(directory, base_url=base_url)
    store = Store(directory / "sandbox.sqlite3")
    remember_past(store, directory)
    platform = Platform(keys, store, timing)
    alipay = AlipayPlatform(alipay_keys.ensure_keys(directory, base_url=base_url), platform)
    app = create_app(platform, alipay)
    app.extensions["einvoice"] = einvoice_keys.ensure_keys(directory, base_url=base_url)
    app.extensions["insurance"] = insurance_keys.ensure_keys(directory, base_url=base_url)
    bank = BankServer((HOST, bank_port))
    app.extensions["bank"] = bank_keys.ensure_keys(
        directory, host=HOST, port=bank.server_address[1], base_url=base_url
    )
    server.app = app
    bank.start(platform, app.extensions["bank"])
    _end_on_signal(server, platform)
    notifier = Notifier(platform)
    notifier.start()
    sys.stdout.write(f"sandbox: {base_url}\n")
    sys.stdout.flush()
    try:
        server.serve_forever()
    finally:
        platform.stopping.set()
        bank.shutdown()
        bank.server_close()
        notifier.join(1.0)
        store.close()


def _unready(environ: object, start_response: object) -> list[bytes]:
    raise RuntimeError("asked before the application was in place")


def _end_on_signal(server: BaseWSGIServer, platform: Platform) -> None:
    def end(number: int, frame: FrameType | None) -> None:
        platform.stopping.set()
        platform.wake.set()
        # shutdown() waits for the serving loop, so it must not run in the loop's own thread.
        threading.Thread(target=server.shutdown, daemon=True).start()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
