"""What can go wrong between the kiosk and the backend, as typed errors."""

from __future__ import annotations

from collections.abc import Mapping


class KioskError(Exception):
    """Root of the kiosk's own errors."""


class BackendAway(KioskError):
    """No usable answer came: nobody knows whether the request arrived.

    Raised only after every permitted repeat of the request failed too.
    """


class BackendRefused(KioskError):
    """The backend answered with a problem (RFC 9457): it arrived and was refused.

    `code` is the stable machine word ("slot_gone"); `title`, `detail` and `next_step` are the
    backend's words for the patient; `fields` holds extra facts such as `due_fen`.
    """

    def __init__(
        self,
        status: int,
        code: str,
        *,
        title: str = "",
        detail: str = "",
        next_step: str = "",
        fields: Mapping[str, object] | None = None,
        request_id: str = "",
    ) -> None:
        super().__init__(f"{status} {code}")
        self.status = status
        self.code = code
        self.title = title
        self.detail = detail
        self.next_step = next_step
        self.fields: dict[str, object] = dict(fields or {})
        self.request_id = request_id


class NotEnrolled(KioskError):
    """This kiosk has no credential yet and no code to get one with."""


class StaleScreen(KioskError):
    """A touch belongs to a screen that is no longer shown (the second of ten hits)."""


class UnknownAction(KioskError):
    """A touch names an action that the shown screen does not offer."""
