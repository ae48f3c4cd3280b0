"""Hospital cards on PC/SC: the contactless 就诊卡 and the contact health card of WS/T 543."""

from hardware_drivers.smart_card.protocol import CardReader, HospitalCard

__all__ = ["CardReader", "HospitalCard"]
