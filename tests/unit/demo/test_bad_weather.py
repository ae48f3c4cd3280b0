"""Bad weather for a journey: the platform takes every fault, what is named is killed, patients come back."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from backend.demo.journey import chaos, visit
from backend.demo.journey.chaos import CALM, FAULTS, Weather
from backend.demo.journey.visit import PURPOSES, Patience, System
from backend.demo.journey.wires import StepFailed
from backend.sandbox.faults import list_faults, set_faults
from backend.sandbox.store import Store


def test_the_platform_knows_every_fault_and_calm_ends_them_all(tmp_path: Path) -> None:
    store = Store(tmp_path / "sandbox.sqlite3")
    with store.write() as db:
        calm = list_faults(db)
        for fault in FAULTS:
            assert set_faults(db, fault) != calm
            set_faults(db, CALM)
            assert list_faults(db) == calm
    store.close()


def test_what_the_runner_lists_is_killed_in_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chaos, "KILL_SECONDS", 0.0)
    monkeypatch.setattr(chaos, "VICTIMS", ("absent", "victim", "absent"))
    weather = Weather("http://127.0.0.1:9", tmp_path / "run.json")
    monkeypatch.setattr(weather, "_over", _Turns(3))
    sleeper = [sys.executable, "-c", "input()"]
    with subprocess.Popen(sleeper, stdin=subprocess.PIPE) as victim:
        listed = {"processes": {"victim": {"pid": victim.pid}}}
        weather.state_file.write_text(json.dumps(listed))
        weather._kill()
        assert victim.wait(10) == -9
    assert weather.killed == {"victim": 1}
    assert "victim 1×" in weather.summary()


def test_who_is_gone_already_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chaos, "KILL_SECONDS", 0.0)
    monkeypatch.setattr(chaos, "VICTIMS", ("victim",))
    weather = Weather("http://127.0.0.1:9", tmp_path / "run.json")
    monkeypatch.setattr(weather, "_over", _Turns(2))
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        pass
    weather.state_file.write_text(json.dumps({"processes": {"victim": {"pid": gone.pid}}}))
    weather._kill()
    assert weather.killed == {}


class _Turns:
    """An event that is set after so many waits."""

    def __init__(self, turns: int) -> None:
        self.left = turns

    def wait(self, _seconds: float) -> bool:
        self.left -= 1
        return self.left < 0


def _system(tries: int) -> System:
    nowhere: object = None
    return System(nowhere, nowhere, nowhere, nowhere, nowhere, Patience(tries=tries))  # type: ignore[arg-type]


def test_a_patient_in_bad_weather_tries_each_way_of_going_on() -> None:
    tried: list[str] = []

    def attempt(number: int) -> str:
        tried.append(PURPOSES[number % len(PURPOSES)])
        if len(tried) < 6:
            raise StepFailed("the kiosk went away")
        return "ticket"

    assert visit._persist(_system(12), attempt) == "ticket"
    assert tried == [*PURPOSES, "visit", "check_in"]


def test_in_calm_weather_the_first_failure_counts() -> None:
    tried: list[int] = []

    def attempt(number: int) -> str:
        tried.append(number)
        raise StepFailed("wrong")

    with pytest.raises(StepFailed):
        visit._persist(_system(1), attempt)
    assert tried == [0]
