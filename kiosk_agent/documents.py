"""The backend's print documents as receipts of the printer driver."""

from __future__ import annotations

from hardware_drivers.receipt_printer import Cut, Feed, Qr, Receipt, Row, Rule, Text
from hardware_drivers.receipt_printer.protocol import Element as Printed
from kiosk_agent.messages import Document, Element

QR_MODULE = 7


def receipt_of(document: Document) -> Receipt:
    """The receipt of `document`. Raises ValueError for what no receipt can hold (a QR code that
    is empty or not ASCII, a text size over 4)."""
    elements = [printed for element in document.elements for printed in _printed(element)]
    return Receipt(tuple(elements))


def _printed(element: Element) -> list[Printed]:
    match element.type:
        case "text":
            return [Text(element.text, element.align, element.bold, element.size)]
        case "row":
            return [Row(element.left, element.right, element.bold)]
        case "rule":
            return [Rule()]
        case "qr":
            code: list[Printed] = [Qr(element.payload, QR_MODULE)]
            return [*code, Text(element.caption, "center")] if element.caption else code
        case "feed":
            return [Feed(element.lines)]
        case "cut":
            return [Cut()]
