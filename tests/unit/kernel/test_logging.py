"""Log lines are JSON with the request's id, and no personal data gets into them by any way."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from backend.kernel import logging as kernel_logging

PERSONAL = ("110105196005040015", "11010519600504002X", "13812341234", "王建国", "北京市朝阳区")


@pytest.fixture
def lines() -> Iterator[Any]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    defaults = structlog.get_config()
    structlog.contextvars.clear_contextvars()
    kernel_logging.configure("INFO")
    written = io.StringIO()
    handler = root.handlers[0]
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(written)

    def read() -> list[dict[str, Any]]:
        text = written.getvalue()
        assert not [value for value in PERSONAL if value in text]
        return [json.loads(line) for line in text.splitlines()]

    yield read
    structlog.contextvars.clear_contextvars()
    structlog.configure(**defaults)
    root.handlers[:] = handlers
    root.setLevel(level)


def test_a_line_is_json_with_level_time_and_request(lines: Any) -> None:
    structlog.contextvars.bind_contextvars(request_id="r-12345678")
    structlog.get_logger("x").info("answered", endpoint="desk", ms=12.5)
    (line,) = lines()
    assert line["event"] == "answered"
    assert (line["level"], line["request_id"], line["ms"]) == ("info", "r-12345678", 12.5)
    assert line["timestamp"].endswith("Z")


def test_values_under_personal_names_are_dropped(lines: Any) -> None:
    structlog.get_logger("x").info(
        "found",
        name="王建国",
        phone="13812341234",
        id_number="110105196005040015",
        address="北京市朝阳区",
        token="secret-token",
        ids=[1, 2],
    )
    (line,) = lines()
    assert line["ids"] == [1, 2]
    assert {line[key] for key in ("name", "phone", "id_number", "address", "token")} == {
        "[dropped]"
    }


def test_and_inside_what_is_nested(lines: Any) -> None:
    structlog.get_logger("x").info(
        "found", person={"name": "王建国", "age": 66}, all=[{"card": "1"}]
    )
    (line,) = lines()
    assert line["person"] == {"name": "[dropped]", "age": 66}
    assert line["all"] == [{"card": "[dropped]"}]


def test_numbers_of_people_are_struck_out_of_any_text(lines: Any) -> None:
    structlog.get_logger("x").warning("no match", query="11010519600504002X or 13812341234")
    logging.getLogger("some.library").warning("cannot parse %s", "110105196005040015")
    first, second = lines()
    assert first["query"] == "[dropped] or [dropped]"
    assert second["event"] == "cannot parse [dropped]"


def test_ids_and_amounts_stay(lines: Any) -> None:
    payment = "01937a3e-8f1b-7c3d-9a4e-139123412340"
    structlog.get_logger("x").info("paid", payment=payment, amount_fen=13912341234, at="2026-11-23")
    (line,) = lines()
    assert (line["payment"], line["amount_fen"]) == (payment, 13912341234)


def test_an_exception_shows_its_trace_but_not_the_row(lines: Any) -> None:
    log = structlog.get_logger("x")
    told = (
        f"violates a constraint\nDETAIL:  Failing row contains (1, {PERSONAL[3]}, {PERSONAL[4]})."
    )
    try:
        raise ValueError(told)
    except ValueError:
        log.exception("request_failed")
    (line,) = lines()
    assert "Traceback" in line["exception"]
    assert "violates a constraint" in line["exception"]


def test_libraries_that_talk_much_are_quieter(lines: Any) -> None:
    logging.getLogger("engineio").info("packet")
    logging.getLogger("werkzeug").info("GET /")
    assert lines() == []
