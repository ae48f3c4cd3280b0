"""The journey reads the codes of pages from how they look, as a phone does."""

from __future__ import annotations

import pytest
import segno

from backend.demo.journey.wires import StepFailed, code_in_svg


@pytest.mark.parametrize(
    "text", ["weixin://wxpay/bizpayurl?pr=AbC_12-x", "https://hospital.example/t/" + "x" * 180]
)
def test_a_code_as_the_counter_shows_it_is_read(text: str) -> None:
    assert code_in_svg(segno.make_qr(text, error="m").svg_data_uri(scale=1, border=4)) == text


def test_a_picture_without_a_readable_code_is_said_to_be_one() -> None:
    with pytest.raises(StepFailed, match="no picture of a code"):
        code_in_svg("data:image/svg+xml,<svg/>")
    torn = "data:image/svg+xml,<svg width='37' height='37'><path d='M4 4.5h7m2 0h3'/></svg>"
    with pytest.raises(StepFailed, match="cannot be read"):
        code_in_svg(torn)
