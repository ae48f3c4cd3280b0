"""Spoken calls: real speech, made once, never half."""

from __future__ import annotations

import array
import threading
import wave
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from queue_display import voice

CALL = "请 A 零一二 号 到 二诊室"


def loudness(path: Path) -> tuple[float, int]:
    """Seconds of sound and the loudest sample of 32767."""
    with wave.open(str(path)) as sound:
        samples = array.array("h", sound.readframes(sound.getnframes()))
        return sound.getnframes() / sound.getframerate(), max(map(abs, samples))


def test_a_call_is_audible_and_as_long_as_a_sentence(tmp_path: Path) -> None:
    seconds, loudest = loudness(voice.spoken(CALL, tmp_path))
    assert 2 < seconds < 10
    assert loudest > 8000


def test_other_words_are_another_sound(tmp_path: Path) -> None:
    first = voice.spoken(CALL, tmp_path)
    second = voice.spoken("请 A 零一三 号 到 二诊室", tmp_path)
    assert first.read_bytes() != second.read_bytes()


def test_it_is_made_once_however_many_ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    make = voice._make

    def counted(text: str, target: Path) -> None:
        made.append(text)
        make(text, target)

    monkeypatch.setattr(voice, "_make", counted)
    barrier = threading.Barrier(6)

    def ask(_number: int) -> Path:
        barrier.wait(10)
        return voice.spoken(CALL, tmp_path)

    with ThreadPoolExecutor(6) as pool:
        paths = set(pool.map(ask, range(6)))
    assert len(paths) == 1
    assert made == [CALL]


def test_a_machine_that_cannot_speak_says_so_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(voice, "PROGRAM", "no-such-speaker")
    with pytest.raises(voice.VoiceUnavailable):
        voice.spoken(CALL, tmp_path)
    assert list(tmp_path.iterdir()) == []
