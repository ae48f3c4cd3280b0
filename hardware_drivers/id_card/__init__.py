"""Second-generation resident ID cards (GA 467 readers with a SAM on a serial line)."""

from hardware_drivers.id_card.protocol import IdCard, IdCardReader

__all__ = ["IdCard", "IdCardReader"]
