"""The JSON API of the bench: what a hand does at a kiosk's devices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import cast

from flask import Blueprint, Response, current_app, jsonify, request, url_for
from flask_babel import gettext as _
from werkzeug.exceptions import BadRequest, NotFound

from hardware_drivers.simulators.bench import inputs, people, pictures
from hardware_drivers.simulators.bench.devices import KioskDevices
from hardware_drivers.simulators.bench.problems import Problem, invalid
from hardware_drivers.simulators.cards import MifareCard
from hardware_drivers.simulators.id_reader import Fault
from hardware_drivers.simulators.printer.mechanism import PrintedReceipt, PrinterState, Roll

blueprint = Blueprint("api", __name__)


def all_kiosks() -> list[KioskDevices]:
    """The devices this process hosts."""
    return cast("list[KioskDevices]", current_app.extensions["kiosks"])


def kiosk_at(index: int) -> KioskDevices:
    """One kiosk's devices; 404 when there is no such kiosk."""
    if not 0 <= index < len(all_kiosks()):
        raise NotFound
    return all_kiosks()[index]


def describe(kiosk: KioskDevices) -> dict[str, object]:
    """What lies where on one kiosk, as JSON."""
    card = kiosk.id_reader.reader.card
    fault = kiosk.id_reader.reader.fault
    slot_card = kiosk.slot.card
    state = kiosk.printer.mechanism.state
    receipts = kiosk.printer.mechanism.receipts()
    return {
        "index": kiosk.index,
        "addresses": kiosk.addresses(),
        "id_card": None if card is None else asdict(card),
        "id_reader_fault": fault,
        "hospital_card": (
            {"uid": slot_card.uid.hex().upper(), "number": slot_card.number}
            if isinstance(slot_card, MifareCard)
            else None
        ),
        "printer": {
            "paper": state.paper,
            "cover_open": state.cover_open,
            "jammed": state.is_jammed,
            "fail_during_next": state.fail_during_next,
            "no_confirmation": state.no_confirmation,
            "online": state.is_online,
            "words": _printer_words(state),
        },
        "latest_receipt": receipts[0].id if receipts else None,
    }


def describe_receipt(index: int, receipt: PrintedReceipt) -> dict[str, object]:
    """One printed receipt, as JSON."""
    return {
        "id": receipt.id,
        "printed_at": receipt.printed_at.isoformat(),
        "complete": receipt.complete,
        "text": receipt.text,
        "links": pictures.links_on(receipt.png),
        "image_url": url_for("api.get_receipt_picture", index=index, receipt_id=receipt.id),
    }


@blueprint.get("/healthz")
def get_health() -> Response:
    """200 once every device is up (the page is not served before)."""
    return jsonify(status="ok", kiosks=len(all_kiosks()))


@blueprint.get("/api/kiosks")
def list_kiosks() -> Response:
    """All kiosks with what lies on them, and the prepared cards."""
    return jsonify(
        kiosks=[describe(kiosk) for kiosk in all_kiosks()],
        people=[
            {"note": person.note, **asdict(person.card)} for person in people.prepared_people()
        ],
        hospital_cards=[asdict(card) for card in people.prepared_hospital_cards()],
    )


@blueprint.put("/api/kiosks/<int:index>/id-card")
def put_id_card(index: int) -> Response:
    """Put a card on the ID reader; the one there is taken away."""
    kiosk = kiosk_at(index)
    kiosk.id_reader.reader.put(inputs.read_id_card(_body()))
    return jsonify(describe(kiosk))


@blueprint.delete("/api/kiosks/<int:index>/id-card")
def lift_id_card(index: int) -> tuple[str, int]:
    """Lift the card off the ID reader."""
    kiosk_at(index).id_reader.reader.lift()
    return "", 204


@blueprint.put("/api/kiosks/<int:index>/id-reader")
def set_id_reader(index: int) -> Response:
    """Arrange a fault for the next read: {"fail_during_next": "torn" | "checksum" | "lift" | null}."""
    kiosk = kiosk_at(index)
    kiosk.id_reader.reader.set_fault(
        inputs.read_choice(Fault, _body().get("fail_during_next"), "fail_during_next")
    )
    return jsonify(describe(kiosk))


@blueprint.put("/api/kiosks/<int:index>/hospital-card")
def put_hospital_card(index: int) -> Response:
    """Lay a contactless card on the reader; with `pull_after` it is pulled out at that command."""
    kiosk = kiosk_at(index)
    body = _body()
    card, pull_after = inputs.read_hospital_card(body), inputs.read_pull_after(body)
    try:
        kiosk.slot.insert(card, pull_after=pull_after)
    except OSError as error:
        raise Problem(503, "no_reader", _("虚拟读卡器没有响应，请重新启动设备台。")) from error
    return jsonify(describe(kiosk))


@blueprint.delete("/api/kiosks/<int:index>/hospital-card")
def remove_hospital_card(index: int) -> tuple[str, int]:
    """Take the contactless card away."""
    kiosk_at(index).slot.remove()
    return "", 204


@blueprint.post("/api/kiosks/<int:index>/scan")
def scan(index: int) -> Response:
    """Hold a code under the scanner: {"text": …} as JSON, or a picture of it as the form file
    `picture`.
    """
    kiosk = kiosk_at(index)
    upload = request.files.get("picture")
    text = pictures.codes_in(upload.stream)[0] if upload is not None else _body().get("text")
    try:
        is_sent = isinstance(text, str) and kiosk.scanner.scan(text)
    except ValueError as error:
        raise invalid({"text": _("请填 1 到 2000 个可见字符")}) from error
    if not isinstance(text, str):
        raise invalid({"text": _("请填文字")})
    if not is_sent:
        raise Problem(409, "line_full", _("自助机没有在读扫码器，扫到的内容已丢失。"))
    return jsonify(text=text)


@blueprint.put("/api/kiosks/<int:index>/printer")
def set_printer(index: int) -> Response:
    """Change what a person could change at the printer; fields not named stay as they are."""
    kiosk = kiosk_at(index)
    mechanism = kiosk.printer.mechanism
    mechanism.set_state(inputs.read_printer(mechanism.state, _body()))
    return jsonify(describe(kiosk))


@blueprint.get("/api/kiosks/<int:index>/receipts")
def list_receipts(index: int) -> Response:
    """Printed receipts, newest first."""
    receipts = kiosk_at(index).printer.mechanism.receipts()
    return jsonify([describe_receipt(index, receipt) for receipt in receipts])


@blueprint.get("/api/kiosks/<int:index>/receipts/<int:receipt_id>.png")
def get_receipt_picture(index: int, receipt_id: int) -> Response:
    """One receipt as a picture, at the printer's own dots."""
    for receipt in kiosk_at(index).printer.mechanism.receipts():
        if receipt.id == receipt_id:
            return Response(receipt.png, mimetype="image/png")
    raise NotFound


def _printer_words(state: PrinterState) -> str:
    """What the printer's own lamp would say."""
    reasons = []
    if state.cover_open:
        reasons.append(_("上盖打开"))
    if state.paper is Roll.OUT:
        reasons.append(_("没纸"))
    if state.is_jammed:
        reasons.append(_("切刀卡住"))
    if reasons:
        return str(_("脱机：%(reasons)s", reasons="、".join(reasons)))
    return str(_("联机，纸快没了") if state.paper is Roll.NEAR_END else _("联机"))


def _body() -> Mapping[str, object]:
    body = request.get_json()
    if not isinstance(body, dict):
        raise BadRequest
    return cast("Mapping[str, object]", body)
