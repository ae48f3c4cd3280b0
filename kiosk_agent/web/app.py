"""The routes of the touch screen. The page and `xinglin journey` send the same messages.

GET  /api/screen?after=NO&wait=S   the screen once its number is not NO (long poll, at most 25 s)
POST /api/actions {no, action, value}   the new screen; 409 with the current one when NO is stale
POST /api/activity {}              somebody is there: the screen with its time begun anew
GET  /api/qr.png                   the code on the screen as a picture; 404 when it shows none
GET  /api/voice.wav                the screen's heading spoken; 404 without a voice
GET  /healthz                      this program, its devices, its backend
`?html=1` adds the screen as HTML.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import segno
from flask import Flask, Response, abort, jsonify, render_template, request
from werkzeug.exceptions import HTTPException

from kiosk_agent.clock import HospitalClock
from kiosk_agent.engine import Engine, Shown
from kiosk_agent.errors import StaleScreen, UnknownAction
from kiosk_agent.screens.document import qr_payload
from kiosk_agent.screens.words import Words
from kiosk_agent.voice import Voice
from kiosk_agent.web.guard import protect

LONGEST_WAIT = 25.0
MAX_BODY = 4096
QR_SCALE = 12


def create_app(
    engine: Engine,
    clock: HospitalClock,
    *,
    place: Callable[[], dict[str, str]],
    health: Callable[[], dict[str, Any]],
    voice: Voice,
) -> Flask:
    """The Flask application over `engine`.

    `place` gives {name, hospital_name, location_name} for the header, `health` the answer of
    /healthz.
    """
    app = Flask(__name__, static_folder=str(Path(__file__).parents[1] / "static"))
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY
    app.json.ensure_ascii = False  # type: ignore[attr-defined]  # the default provider has it
    protect(app)

    def answer(shown: Shown, status: int = 200) -> tuple[Response, int]:
        document = {**shown.document, "time": clock.now().isoformat(timespec="seconds")}
        if request.args.get("html") == "1":
            words = Words(shown.state.language)
            document["html"] = render_template("frame.html", s=document, w=words, place=place())
        return jsonify(document), status

    @app.get("/")
    def page() -> str:
        return render_template("page.html")

    @app.get("/api/screen")
    def screen() -> tuple[Response, int]:
        after = request.args.get("after", type=int)
        wait = min(max(request.args.get("wait", 0.0, type=float), 0.0), LONGEST_WAIT)
        if after is None:
            return answer(engine.shown())
        return answer(engine.wait_for_change(after, wait))

    @app.post("/api/actions")
    def actions() -> tuple[Response, int]:
        body = request.get_json()
        no, action, value = _touch_of(body)
        try:
            return answer(engine.touch(no, action, value))
        except StaleScreen:
            return answer(engine.shown(), 409)
        except UnknownAction:
            return answer(engine.shown(), 422)

    @app.post("/api/activity")
    def activity() -> tuple[Response, int]:
        return answer(engine.note_activity())

    @app.get("/api/qr.png")
    def qr() -> Response:
        payload = qr_payload(engine.shown().state)
        if not payload:
            abort(404)
        picture = io.BytesIO()
        segno.make_qr(payload, error="m").save(picture, kind="png", scale=QR_SCALE, border=4)
        return Response(picture.getvalue(), mimetype="image/png")

    @app.get("/api/voice.wav")
    def spoken() -> Response:
        document = engine.shown().document
        wave = voice.say(f"{document['title']}。{document['lead']}", document["language"])
        if wave is None:
            abort(404)
        return Response(wave, mimetype="audio/wav")

    @app.get("/healthz")
    def healthz() -> Response:
        return jsonify(health())

    @app.errorhandler(HTTPException)
    def problem(error: HTTPException) -> tuple[Response, int]:
        status = error.code or 500
        response = jsonify({"status": status, "title": error.name, "code": f"http_{status}"})
        response.mimetype = "application/problem+json"
        return response, status

    return app


def _touch_of(body: object) -> tuple[int, str, str]:
    facts = body if isinstance(body, dict) else {}
    no, action, value = facts.get("no"), facts.get("action"), facts.get("value") or ""
    if not (type(no) is int and isinstance(action, str) and isinstance(value, str)):
        abort(400)
    return no, action, value
