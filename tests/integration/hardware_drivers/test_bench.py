"""The device bench as a process: what the journey does over HTTP reaches the drivers over real
wires.
"""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
import segno

from hardware_drivers.receipt_printer import Cut, PrintState, Qr, Receipt, Text
from hardware_drivers.registry import open_card_reader, open_id_reader, open_printer, open_scanner
from hardware_drivers.scanner import CodeKind, classify
from hardware_drivers.scanner.stills import decode_picture

ROOT = Path(__file__).parents[3]
PERSON = {
    "name": "张三",
    "sex": "1",
    "ethnic_group": "01",
    "birth_date": "1949-12-31",
    "address": "北京市朝阳区安定路1号",
    "number": "11010519491231002X",
    "authority": "北京市公安局朝阳分局",
    "valid_from": "2018-06-01",
    "valid_until": None,
}


@dataclass(frozen=True)
class Bench:
    """A running bench."""

    process: subprocess.Popen[str]
    url: str
    directory: Path

    @property
    def api(self) -> str:
        return f"{self.url}api/kiosks/0"

    def devices(self) -> dict[str, str]:
        content = json.loads((self.directory / "devices.json").read_text(encoding="utf-8"))
        return dict(content["kiosks"][0])

    def end(self, number: int = signal.SIGTERM) -> float:
        """Send a signal; answers the seconds until the process was gone."""
        began = time.monotonic()
        self.process.send_signal(number)
        self.process.wait(10)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return time.monotonic() - began


def start_bench(directory: Path) -> Bench:
    command = [
        sys.executable,
        "-m",
        "hardware_drivers.simulators.bench",
        "--port",
        "0",
        "--kiosks",
        "1",
    ]
    process = subprocess.Popen(
        [*command, "--dir", str(directory), "--readers", "test", "--wait", "60"],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=os.environ,
    )
    assert process.stdout is not None
    return Bench(process, process.stdout.readline().strip(), directory)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    bench = start_bench(tmp_path_factory.mktemp("bench"))
    yield bench
    bench.end()


def test_health_and_devices_file(bench: Bench) -> None:
    assert requests.get(f"{bench.url}healthz", timeout=10).json() == {"status": "ok", "kiosks": 1}
    assert set(bench.devices()) == {"index", "id_reader", "card_reader", "printer", "scanner"}


def test_id_card_put_and_lifted(bench: Bench) -> None:
    reader = open_id_reader(bench.devices()["id_reader"])
    assert requests.put(f"{bench.api}/id-card", json=PERSON, timeout=10).status_code == 200
    card = reader.wait_for_card(10)
    assert card is not None
    assert (card.number, card.valid_until) == (PERSON["number"], None)
    assert requests.delete(f"{bench.api}/id-card", timeout=10).status_code == 204
    assert reader.wait_for_card(0) is None
    reader.close()


def test_hospital_card_tapped_and_taken_away(bench: Bench) -> None:
    reader = open_card_reader(bench.devices()["card_reader"])
    body = {"uid": "04A1B2C3", "number": "10000001"}
    assert requests.put(f"{bench.api}/hospital-card", json=body, timeout=10).status_code == 200
    card = reader.wait_for_card(10)
    assert card is not None
    assert (card.number, card.uid) == ("10000001", "04A1B2C3")
    assert requests.delete(f"{bench.api}/hospital-card", timeout=10).status_code == 204
    assert reader.wait_for_removal(10)
    reader.close()


def test_scan_text_and_picture(bench: Bench) -> None:
    scanner = open_scanner(bench.devices()["scanner"])
    assert scanner.is_alive()
    requests.post(
        f"{bench.api}/scan", json={"text": "134567890123456789"}, timeout=10
    ).raise_for_status()
    assert classify(scanner.wait_for_code(10) or "").kind is CodeKind.WECHAT_PAYMENT
    picture = io.BytesIO()
    segno.make_qr("XL20261123A012").save(picture, kind="png", scale=4)
    answer = requests.post(f"{bench.api}/scan", files={"picture": picture.getvalue()}, timeout=10)
    assert answer.json() == {"text": "XL20261123A012"}
    assert scanner.wait_for_code(10) == "XL20261123A012"
    scanner.close()


def test_receipts_come_back_as_pictures_newest_first(bench: Bench) -> None:
    printer = open_printer(bench.devices()["printer"])
    for number in ("A001", "A002"):
        receipt = Receipt((Text(number, scale=4), Qr(f"http://127.0.0.1:8000/t/{number}"), Cut()))
        assert printer.print(receipt, number).state is PrintState.PRINTED
    newest, older = requests.get(f"{bench.api}/receipts", timeout=10).json()
    assert newest["id"] > older["id"]
    assert newest["complete"]
    picture = requests.get(bench.url.rstrip("/") + newest["image_url"], timeout=10)
    assert picture.headers["Content-Type"] == "image/png"
    assert decode_picture(io.BytesIO(picture.content)) == ["http://127.0.0.1:8000/t/A002"]
    requests.put(f"{bench.api}/printer", json={"paper": "out"}, timeout=10).raise_for_status()
    assert printer.status().problem == "paper_out"
    requests.put(f"{bench.api}/printer", json={"paper": "ok"}, timeout=10).raise_for_status()
    assert printer.status().problem is None


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "fields"),
    [
        ("PUT", "/id-card", {**PERSON, "name": "很" * 16}, 422, {"name"}),
        ("PUT", "/id-card", {**PERSON, "birth_date": "1949-02-31"}, 422, {"birth_date"}),
        ("PUT", "/id-card", {**PERSON, "sex": "男", "number": ""}, 422, {"sex", "number"}),
        ("PUT", "/id-card", [], 400, set()),
        ("PUT", "/id-reader", {"fail_during_next": "fire"}, 422, {"fail_during_next"}),
        ("PUT", "/hospital-card", {"uid": "xyz", "number": "a b"}, 422, {"uid", "number"}),
        (
            "PUT",
            "/hospital-card",
            {"uid": "04A1B2C3", "number": "1", "pull_after": 99},
            422,
            {"pull_after"},
        ),
        (
            "PUT",
            "/printer",
            {"paper": "wet", "cover_open": 1, "colour": "red"},
            422,
            {"paper", "cover_open", "colour"},
        ),
        ("POST", "/scan", {"text": "a\rb"}, 422, {"text"}),
        ("POST", "/scan", {"text": 5}, 422, {"text"}),
        ("GET", "/receipts/99999.png", None, 404, set()),
        ("PATCH", "/printer", {}, 405, set()),
    ],
)
def test_bad_input_is_a_problem_in_chinese(
    bench: Bench, method: str, path: str, body: object, status: int, fields: set[str]
) -> None:
    answer = requests.request(method, bench.api + path, json=body, timeout=10)
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert set(problem["fields"]) == fields
    assert any("\u4e00" <= char <= "\u9fff" for char in problem["title"])


def test_strangers_are_refused(bench: Bench) -> None:
    assert requests.get(bench.url, headers={"Host": "bank.example"}, timeout=10).status_code == 400
    answer = requests.delete(
        f"{bench.api}/id-card", headers={"Sec-Fetch-Site": "cross-site"}, timeout=10
    )
    assert answer.status_code == 403
    assert requests.get(f"{bench.url}api/kiosks/7/receipts", timeout=10).status_code == 404


def test_the_page_has_a_strict_policy_and_no_inline_code(bench: Bench) -> None:
    answer = requests.get(bench.url, timeout=10)
    assert answer.url.endswith("/kiosks/0")
    assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
    assert "style=" not in answer.text
    assert "<script>" not in answer.text


def test_sigterm_leaves_nothing_behind(tmp_path: Path) -> None:
    bench = start_bench(tmp_path)
    assert bench.devices()
    assert bench.end() < 2
    assert bench.process.returncode == 0
    assert list(tmp_path.iterdir()) == []


def test_a_busy_port_is_said(bench: Bench, tmp_path: Path) -> None:
    port = bench.url.rstrip("/").rsplit(":", 1)[1]
    command = [
        sys.executable,
        "-m",
        "hardware_drivers.simulators.bench",
        "--port",
        port,
        "--dir",
        str(tmp_path),
    ]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=ROOT, timeout=30, check=False
    )
    assert done.returncode == 1
    assert port in done.stderr
    assert "占用" in done.stderr
