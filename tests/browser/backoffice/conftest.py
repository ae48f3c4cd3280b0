"""A running back office with one page that shows every part of the shell."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import pytest
from flask import Blueprint, render_template, render_template_string, request
from playwright.sync_api import Page

from backend.kernel.errors import Conflict
from backend.kernel.uow import Database
from backend.kernel.web import NavItem, public
from backend.web_parts import Parts
from tests.factories.serving import listening
from tests.factories.webapp import ActorSwitch, make_app

OPTIONS = '{% from "components/form.html" import options %}{{ options(rows) }}'
ICD = [("C50.9", "乳房恶性肿瘤", "C50.9"), ("C50.4", "乳房上外象限恶性肿瘤", "C50.4")]


@dataclass
class Desk:
    """The running page and what reached its server."""

    url: str = ""
    saved: list[dict[str, str]] = field(default_factory=list)
    counted: int = 0
    go_on: threading.Event = field(default_factory=threading.Event)


def _blueprint(desk: Desk) -> Blueprint:
    pages = Blueprint("shelltest", __name__, template_folder="templates")
    because = public("a page of a test")

    @pages.get("/desk")
    @because
    def index() -> str:
        patient = SimpleNamespace(
            name="张小三", sex_words="女", age=52, id_number_masked="1101**********0021",
            phone_masked="138****1234", allergies=["青霉素"],
        )  # fmt: skip
        at = dt.datetime(2026, 11, 23, 1, 30, tzinfo=dt.UTC)
        return render_template("shelltest/desk.html", patient=patient, at=at)

    @pages.post("/desk/save")
    @because
    def save() -> str:
        desk.saved.append(dict(request.form))
        desk.go_on.wait(10)
        return render_template_string('{% extends "login.html" %}')

    @pages.post("/desk/count")
    @because
    def count() -> str:
        desk.counted += 1
        desk.go_on.wait(10)
        return str(desk.counted)

    @pages.post("/desk/refuse")
    @because
    def refuse() -> str:
        raise Conflict("这个号刚被别人挂走了", next_step="请选其他时段")

    @pages.get("/desk/icd")
    @because
    def icd() -> str:
        rows = ICD if request.args["q"] == "rf" else []
        return render_template_string(OPTIONS, rows=rows)

    return pages


@pytest.fixture
def desk(sqlite_database: Database, tmp_path: Path) -> Iterator[Desk]:
    """The page on a free port, with form tokens asked for as in production."""
    found = Desk()
    staff = SimpleNamespace(name="欧阳静怡", role_words="挂号员", hospital_name="杏林肿瘤医院")
    shell = {"staff": staff, "search_url": "/desk", "logout_url": "/desk/save", "home_url": "/desk"}
    parts = Parts()
    parts.shell = lambda: shell
    app = make_app(
        sqlite_database,
        tmp_path,
        ActorSwitch(),
        _blueprint(found),
        parts=parts,
    )
    app.config["WTF_CSRF_ENABLED"] = True

    @app.context_processor
    def navigation() -> dict[str, list[NavItem]]:
        return {"nav": [SimpleNamespace(label="挂号收费", endpoint="shelltest.index",
                                        icon="cash-register", section="前台")]}  # type: ignore[list-item]  # fmt: skip

    with listening(app) as url:
        found.url = f"{url}/desk"
        yield found
        found.go_on.set()


@pytest.fixture
def page(desk: Desk, browser_context: Callable[..., object]) -> Page:
    """The page in a desktop browser; policy messages and script errors fail the test."""
    context = browser_context(viewport={"width": 1280, "height": 900})
    opened: Page = context.new_page()  # type: ignore[attr-defined]
    opened.goto(desk.url)
    return opened
