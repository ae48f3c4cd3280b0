"""The errors every driver raises, split by what the caller may do next.

`TransientError` may be tried again, `AmbiguousError` needs a person to look, `PermanentError` will
not get better by trying. Callers decide by class and by `code` (stable, lower snake case), never by
reading the English message.
"""

from __future__ import annotations


class DeviceError(Exception):
    """Base of all driver errors; `code` is stable, `detail` is English for the technical log (no
    personal data).
    """

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.detail = detail

    @property
    def is_retry_safe(self) -> bool:
        """Whether the same call may be made again without asking anybody."""
        return False


class TransientError(DeviceError):
    """Nothing has happened, or nothing that matters: try again (no card yet, torn frame, paper
    out).
    """

    @property
    def is_retry_safe(self) -> bool:
        return True


class AmbiguousError(DeviceError):
    """It may or may not have happened: a person must look before anything is repeated."""


class PermanentError(DeviceError):
    """Trying again gives the same answer (unsupported card, wrong key, bad address)."""
