"""Spoken headings for the large-type mode, by espeak-ng; silent where it is not installed."""

from __future__ import annotations

import shutil
import subprocess
import threading
from functools import lru_cache

import structlog

log = structlog.get_logger("kiosk.voice")

_VOICES = {"zh": "cmn", "en": "en"}
_WORDS_PER_MINUTE = "150"
_SECONDS = 10


class Voice:
    """Speaks short texts that name nobody; each text is spoken once and kept."""

    def __init__(self, program: str = "espeak-ng") -> None:
        self._program = shutil.which(program) or ""
        self._lock = threading.Lock()
        self._spoken = lru_cache(maxsize=128)(self._speak)

    def say(self, text: str, language: str) -> bytes | None:
        """`text` as a WAV file, or None when there is no voice."""
        if not self._program:
            return None
        with self._lock:  # one speaker process at a time is enough for one kiosk
            return self._spoken(text, language)

    def _speak(self, text: str, language: str) -> bytes | None:
        command = [self._program, "-v", _VOICES[language], "-s", _WORDS_PER_MINUTE, "--stdout"]
        try:
            spoken = subprocess.run(
                command, input=text.encode(), capture_output=True, check=True, timeout=_SECONDS
            )
        except (subprocess.SubprocessError, OSError) as error:
            log.warning("voice_failed", kind=type(error).__name__)
            return None
        return spoken.stdout
