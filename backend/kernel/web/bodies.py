"""Reading JSON bodies and forms into typed models; what does not fit becomes one clear 422."""

from __future__ import annotations

from typing import Any, TypeVar

from flask import request
from flask_babel import gettext as _
from pydantic import BaseModel, ValidationError

from backend.kernel.errors import InvalidInput

Body = TypeVar("Body", bound=BaseModel)


def read_json(shape: type[Body]) -> Body:
    """The request's JSON body as ``shape``; InvalidInput (422) naming each wrong field."""
    data = request.get_json(silent=True)
    if not isinstance(data, dict):
        raise InvalidInput(_("请求内容不是 JSON 对象"), code="body_malformed")
    return parse(shape, data)


def parse(shape: type[Body], data: dict[str, Any]) -> Body:
    """``data`` as ``shape``; InvalidInput (422) naming each wrong field, never its value."""
    try:
        return shape.model_validate(data)
    except ValidationError as error:
        fields: dict[str, object] = {
            ".".join(str(part) for part in item["loc"]): _words(item["type"])
            for item in error.errors(include_input=False, include_url=False, include_context=False)
        }
        raise InvalidInput(fields=fields) from None


def _words(kind: str) -> str:
    if kind == "missing":
        return str(_("必填"))
    if "date" in kind or "time" in kind:
        return str(_("日期或时间写法有误"))
    if "int" in kind or "decimal" in kind or "float" in kind:
        return str(_("应为数字"))
    if "long" in kind:
        return str(_("太长"))
    return str(_("内容有误"))
