"""Bar-code and QR scanners on a serial line, and what a scanned text is."""

from hardware_drivers.scanner.classify import CodeKind, ScannedCode, classify
from hardware_drivers.scanner.protocol import Scanner

__all__ = ["CodeKind", "ScannedCode", "Scanner", "classify"]
