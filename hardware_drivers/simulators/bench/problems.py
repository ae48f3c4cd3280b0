"""The one error shape of the bench: application/problem+json in the language of the request."""

from __future__ import annotations

from flask import Flask, Response, jsonify
from flask_babel import gettext as _
from werkzeug.exceptions import HTTPException


class Problem(Exception):
    """A refusal: HTTP status, stable code, title in words, and the fields at fault."""

    def __init__(
        self, status: int, code: str, title: str, fields: dict[str, str] | None = None
    ) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.title = title
        self.fields = fields or {}


def invalid(fields: dict[str, str]) -> Problem:
    """422 for values that cannot be used, by field."""
    return Problem(422, "invalid_input", _("填写的内容有误，请改正标出的项目。"), fields)


def install(app: Flask) -> None:
    """Answer every error of the bench as a problem."""

    def answer(status: int, code: str, title: str, fields: dict[str, str]) -> Response:
        body = {
            "type": "about:blank",
            "title": title,
            "status": status,
            "code": code,
            "fields": fields,
        }
        response = jsonify(body)
        response.status_code = status
        response.content_type = "application/problem+json"
        return response

    @app.errorhandler(Problem)
    def on_problem(problem: Problem) -> Response:
        return answer(problem.status, problem.code, problem.title, problem.fields)

    @app.errorhandler(HTTPException)
    def on_http(error: HTTPException) -> Response:
        titles = {
            400: _("请求的格式不对：需要 JSON。"),
            404: _("没有这个地址，或没有这台自助机。"),
            405: _("这个地址不支持该操作。"),
            413: _("文件太大，最多 8 MB。"),
            415: _("请求的格式不对：需要 JSON。"),
        }
        status = error.code or 500
        return answer(
            status,
            error.name.lower().replace(" ", "_"),
            titles.get(status, _("设备台出错了。")),
            {},
        )
