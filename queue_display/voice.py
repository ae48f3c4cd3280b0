"""Spoken calls: Chinese speech made by espeak-ng on this machine, kept as WAV files so that each is made once."""

from __future__ import annotations

import hashlib
import os
import subprocess
import tempfile
import threading
from pathlib import Path

import structlog
from flask_babel import lazy_gettext as _

from backend.kernel.errors import Unavailable

log = structlog.get_logger(__name__)

PROGRAM = "espeak-ng"
#: Mandarin, slowly, loud, with pauses between words: a hall is large and full of people.
VOICE = ("-v", "cmn", "-s", "135", "-g", "6", "-a", "170")
SECONDS = 10
_turn = threading.Lock()


class VoiceUnavailable(Unavailable):
    """This machine cannot speak; screens go on without sound."""

    code = "voice_unavailable"
    default_message = _("语音暂不可用")
    default_next_step = _("请看屏幕")


def spoken(text: str, folder: Path) -> Path:
    """The WAV file that says ``text``, made in ``folder`` when it is not there yet; VoiceUnavailable (503)."""
    name = hashlib.sha256(" ".join((*VOICE, text)).encode()).hexdigest()[:32]
    target = folder / f"{name}.wav"
    with _turn:
        if not target.exists():
            folder.mkdir(parents=True, exist_ok=True)
            _make(text, target)
    return target


def _make(text: str, target: Path) -> None:
    handle, scratch = tempfile.mkstemp(suffix=".part", dir=target.parent)
    os.close(handle)
    try:
        subprocess.run(
            [PROGRAM, *VOICE, "--stdin", "-w", scratch],
            input=text.encode(),
            check=True,
            capture_output=True,
            timeout=SECONDS,
        )
        # Renamed when whole: nobody ever hears half a file, not even after a power cut.
        os.replace(scratch, target)
    except (OSError, subprocess.SubprocessError) as error:
        Path(scratch).unlink(missing_ok=True)
        log.error("voice_failed", error=type(error).__name__)
        raise VoiceUnavailable from error
