"""Every route names its permission or says why it is public; a route that does neither is refused and found here."""

from __future__ import annotations

import pytest
from flask import Flask

from backend.app import create_app
from backend.bootstrap import Program, build_program
from backend.kernel.schema import create_schema
from backend.kernel.web.access import access_of
from backend.settings import Environment, Settings


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Program:
    built = build_program(
        Settings(env=Environment.TEST, data_dir=tmp_path_factory.mktemp("routes"))
    )
    create_schema(built.database.engine)
    return built


@pytest.fixture(scope="module")
def app(program: Program) -> Flask:
    return create_app(program)


def unmarked(app: Flask) -> list[str]:
    """Endpoints without a permission and without a reason to be public."""
    found = []
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        access = access_of(view)
        is_static = rule.endpoint.rpartition(".")[2] == "static"
        if is_static or (access and (access.permission or access.reason)):
            continue
        found.append(f"{rule.rule} → {rule.endpoint}")
    return sorted(found)


def test_every_route_is_marked(app: Flask) -> None:
    assert unmarked(app) == []
    assert len(list(app.url_map.iter_rules())) > 30


def test_a_planted_route_without_permission_is_found_and_refused(program: Program) -> None:
    app = create_app(program)
    app.add_url_rule("/planted", "planted", lambda: "secret")
    assert unmarked(app) == ["/planted → planted"]
    answer = app.test_client().get("/planted")
    assert answer.status_code == 403
    assert "secret" not in answer.text


def test_changing_routes_never_answer_get(app: Flask) -> None:
    """A command is POSTed: no rule serves both, but for the login form."""
    both = [
        rule.rule for rule in app.url_map.iter_rules() if {"GET", "POST"} <= (rule.methods or set())
    ]
    assert both == []


def test_every_page_says_what_the_browser_may_load(app: Flask) -> None:
    answer = app.test_client().get("/login")
    policy = answer.headers["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
