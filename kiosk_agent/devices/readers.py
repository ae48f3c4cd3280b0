"""The three things a person can present: an ID card, a hospital card, a code."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from hardware_drivers import registry
from hardware_drivers.errors import DeviceError
from hardware_drivers.id_card.protocol import IdCard, IdCardReader
from hardware_drivers.scanner import CodeKind, Scanner, classify
from hardware_drivers.smart_card.protocol import CardReader
from kiosk_agent.devices.addresses import Addresses
from kiosk_agent.devices.worker import LOST, Closable, DeviceWorker, log
from kiosk_agent.flows.events import DeviceTrouble, Event, Presented

ROUND_SECONDS = 1.0
TROUBLE_PAUSE = 1.0
_PAYMENT_CODES = (CodeKind.WECHAT_PAYMENT, CodeKind.ALIPAY_PAYMENT)


class Reader(DeviceWorker):
    """A device a person presents something to."""

    def __init__(
        self,
        addresses: Addresses,
        on_state: Callable[[str, str], None],
        post: Callable[[Event], None],
    ) -> None:
        super().__init__(addresses, on_state)
        self._post = post

    def work(self, driver: Closable) -> None:
        """One round of waiting; a card that cannot be read is told, a lost device is raised."""
        try:
            self.look(driver)
        except DeviceError as error:
            if error.code in LOST:
                raise
            self.say("ok")
            log.info("not_read", device=self.name, code=error.code)
            if error.code != "no_card":
                self._post(DeviceTrouble(self.name, error.code))
            self.after_trouble(driver, error)
        else:
            self.say("ok")

    def look(self, driver: Closable) -> None:
        """Wait for something for about a second and post it."""
        raise NotImplementedError

    def after_trouble(self, driver: Closable, error: DeviceError) -> None:
        """Give the person time to move the card before it is tried again."""
        self._stop.wait(TROUBLE_PAUSE)


class IdCardWorker(Reader):
    """Second-generation ID cards; the reader itself gives each laid-down card once."""

    name = "id_reader"

    def open(self, address: str) -> Closable:
        """The driver at `address`."""
        return registry.open_id_reader(address)

    def look(self, driver: Closable) -> None:
        """Post a card that was read."""
        card = cast(IdCardReader, driver).wait_for_card(ROUND_SECONDS, self._stop)
        if card is not None:
            payload = {"kind": "id_card", "card": id_card_payload(card)}
            self._post(Presented(payload, f"id_card:{card.number}"))


class HospitalCardWorker(Reader):
    """Hospital cards on the PC/SC slot; the next one is looked for once this one has gone."""

    name = "card_reader"

    def open(self, address: str) -> Closable:
        """The driver at `address`."""
        return registry.open_card_reader(address)

    def look(self, driver: Closable) -> None:
        """Post a card that was read, then wait until it is taken away."""
        reader = cast(CardReader, driver)
        card = reader.wait_for_card(ROUND_SECONDS, self._stop)
        if card is None:
            return
        payload = {"kind": "hospital_card", "number": card.number}
        self._post(Presented(payload, f"hospital_card:{card.number}"))
        self._wait_for_removal(reader)

    def after_trouble(self, driver: Closable, error: DeviceError) -> None:
        """A card that can never be used is not tried again until it was taken away; any other is
        tried again, since another card may lie there by now."""
        reader = cast(CardReader, driver)
        if not error.is_retry_safe:
            self._wait_for_removal(reader)
        else:
            reader.wait_for_removal(TROUBLE_PAUSE, self._stop)

    def _wait_for_removal(self, reader: CardReader) -> None:
        self.say("ok")
        while not self._stop.is_set():
            if reader.wait_for_removal(ROUND_SECONDS, self._stop):
                return


class ScannerWorker(Reader):
    """Codes on paper and phones."""

    name = "scanner"

    def open(self, address: str) -> Closable:
        """The driver at `address`."""
        return registry.open_scanner(address)

    def look(self, driver: Closable) -> None:
        """Post a scanned code; a payment code is money and goes nowhere."""
        text = cast(Scanner, driver).wait_for_code(ROUND_SECONDS, self._stop)
        if not text:
            return
        if classify(text).kind in _PAYMENT_CODES:
            self._post(DeviceTrouble(self.name, "payment_code"))
        else:
            self._post(Presented({"kind": "code", "text": text}, f"code:{text}"))


def id_card_payload(card: IdCard) -> dict[str, Any]:
    """The card as the kiosk API takes it: ISO dates, `valid_until` None for 长期, no photo."""
    return {
        "name": card.name,
        "sex": card.sex,
        "ethnic_group": card.ethnic_group,
        "birth_date": card.birth_date.isoformat(),
        "address": card.address,
        "number": card.number,
        "authority": card.authority,
        "valid_from": card.valid_from.isoformat(),
        "valid_until": card.valid_until.isoformat() if card.valid_until else None,
    }
