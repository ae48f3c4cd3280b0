"""A virtual reader's slot for one test, seen empty by pcscd before the test and after it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from hardware_drivers.simulators.pcscd import VirtualReader
from hardware_drivers.simulators.vpcd_slot import VirtualSlot
from hardware_drivers.transports.pcsc import PcscTransport

#: pcscd looks every 0.4 s.
_SEEN_SECONDS = 10.0


@contextmanager
def card_slot(reader: VirtualReader) -> Iterator[VirtualSlot]:
    """The reader's slot, whose card is taken out at the end: who comes next must not find it there."""
    slot = VirtualSlot(reader.port)
    try:
        yield slot
    finally:
        slot.remove()
        transport = PcscTransport(reader.name)
        is_empty = transport.wait_for_change(is_present=False, timeout=_SEEN_SECONDS)
        transport.close()
    assert is_empty, f"pcscd still sees a card in {reader.name}"
