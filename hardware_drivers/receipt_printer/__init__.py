"""Receipt printers: what to print as a value, ESC/POS encoding, and a print that ends in a known
state.
"""

from hardware_drivers.receipt_printer.protocol import (
    Cut,
    Feed,
    PaperState,
    PrinterStatus,
    PrintOutcome,
    PrintState,
    Qr,
    Receipt,
    ReceiptPrinter,
    Row,
    Rule,
    Text,
)

__all__ = [
    "Cut",
    "Feed",
    "PaperState",
    "PrintOutcome",
    "PrintState",
    "PrinterStatus",
    "Qr",
    "Receipt",
    "ReceiptPrinter",
    "Row",
    "Rule",
    "Text",
]
