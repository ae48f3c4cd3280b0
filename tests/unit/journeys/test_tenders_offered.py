"""The counter offers every way of paying that the house is connected to."""

from __future__ import annotations

from pathlib import Path

from backend.billing.rules import Tender
from backend.bootstrap import build_program
from backend.settings import Environment, Settings
from backend.web_parts import collect_parts


def test_codes_cards_and_the_insurance_are_offered(tmp_path: Path) -> None:
    program = build_program(Settings(env=Environment.TEST, data_dir=tmp_path))
    assert collect_parts(program).extras["tenders"] == {
        Tender.WECHAT_NATIVE,
        Tender.ALIPAY_QR,
        Tender.BANK_CARD,
        Tender.INSURANCE,
    }
    program.database.engine.dispose()
