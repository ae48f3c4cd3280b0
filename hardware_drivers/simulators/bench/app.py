"""The Flask application of the bench: page, API, headers. It trusts nobody but a browser on this
machine.
"""

from __future__ import annotations

from flask import Flask, Response, redirect, render_template, request, url_for
from flask_babel import Babel
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from hardware_drivers.simulators.bench import api, people, problems
from hardware_drivers.simulators.bench.devices import KioskDevices
from hardware_drivers.simulators.bench.problems import Problem

_CSP = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_MAX_UPLOAD_BYTES = 8 * 1024 * 1024


def create_app(kiosks: list[KioskDevices]) -> Flask:
    """The application over running devices."""
    app = Flask(__name__, template_folder="../templates", static_folder="../static")
    app.config["MAX_CONTENT_LENGTH"] = _MAX_UPLOAD_BYTES
    # A page of another site must not reach devices by a name that resolves to this machine.
    app.config["TRUSTED_HOSTS"] = ["127.0.0.1", "localhost"]
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.extensions["kiosks"] = kiosks
    Babel(app, default_locale="zh_Hans_CN")
    problems.install(app)
    app.register_blueprint(api.blueprint)

    @app.before_request
    def refuse_other_sites() -> None:
        if (
            request.method not in ("GET", "HEAD")
            and request.headers.get("Sec-Fetch-Site") == "cross-site"
        ):
            raise Problem(403, "cross_site", _("只能从设备台自己的页面操作。"))

    @app.after_request
    def add_headers(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = _CSP
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "same-origin"
        if request.endpoint != "static":
            response.headers["Cache-Control"] = "no-store"
        return response

    @app.get("/")
    def show_first() -> BaseResponse:
        return redirect(url_for("show_kiosk", index=0))

    @app.get("/kiosks/<int:index>")
    def show_kiosk(index: int) -> str:
        return render_template(
            "bench.html",
            kiosk=api.kiosk_at(index),
            kiosks=kiosks,
            people=people.prepared_people(),
            hospital_cards=people.prepared_hospital_cards(),
        )

    return app
