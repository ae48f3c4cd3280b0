"""How the platform and the phone refuse: `PlatformError` on the API, `PhoneError` for the payer."""

from __future__ import annotations

#: HTTP status of each error code the v3 API answers with.
STATUS_OF_CODE = {
    "PARAM_ERROR": 400,
    "INVALID_REQUEST": 400,
    "APPID_MCHID_NOT_MATCH": 400,
    "MCH_NOT_EXISTS": 400,
    "ORDERPAID": 400,
    "ORDER_CLOSED": 400,
    "NO_STATEMENT_EXIST": 400,
    "STATEMENT_CREATING": 400,
    "SIGN_ERROR": 401,
    "OUT_TRADE_NO_USED": 403,
    "NOT_ENOUGH": 403,
    "ORDER_NOT_EXIST": 404,
    "RESOURCE_NOT_EXISTS": 404,
    "FREQUENCY_LIMITED": 429,
    "SYSTEM_ERROR": 500,
}


class PlatformError(Exception):
    """A v3 API refusal, answered as ``{"code": …, "message": …}`` with the code's HTTP status."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message

    @property
    def status(self) -> int:
        return STATUS_OF_CODE[self.code]


class PhoneError(Exception):
    """Why the payer cannot pay, in the words the phone shows; `status` is the HTTP status."""

    def __init__(self, code: str, title: str, hint: str, status: int) -> None:
        super().__init__(f"{code}: {title}")
        self.code = code
        self.title = title
        self.hint = hint
        self.status = status


class ControlError(Exception):
    """A wrong request to the sandbox's own controls, answered as problem+json with status 422."""
