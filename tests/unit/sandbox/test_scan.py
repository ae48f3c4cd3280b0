"""The phone's camera on pictures of codes, of nothing, and of no picture at all."""

from __future__ import annotations

import io

import pytest
import segno
from PIL import Image

from backend.sandbox.errors import PhoneError
from backend.sandbox.scan import read_payment_code

CODE_URL = "weixin://wxpay/bizpayurl?pr=p4lpSuKzz"


def qr_picture(text: str) -> Image.Image:
    out = io.BytesIO()
    segno.make_qr(text).save(out, kind="png", scale=6)
    return Image.open(out).convert("RGB")


def as_bytes(image: Image.Image, kind: str = "PNG") -> bytes:
    out = io.BytesIO()
    image.save(out, kind)
    return out.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_code_is_read(kind: str) -> None:
    assert read_payment_code(as_bytes(qr_picture(CODE_URL), kind)) == CODE_URL


def test_a_payment_code_is_found_among_others_on_a_whole_screen() -> None:
    screen = Image.new("RGB", (1080, 1920), "white")
    screen.paste(qr_picture("https://example.invalid/ticket"), (40, 40))
    screen.paste(qr_picture(CODE_URL), (600, 1200))
    assert read_payment_code(as_bytes(screen)) == CODE_URL


def test_another_code_is_read_as_it_is() -> None:
    assert read_payment_code(as_bytes(qr_picture("XL-TICKET"))) == "XL-TICKET"


@pytest.mark.parametrize(
    ("picture", "code"),
    [
        (b"", "unreadable_picture"),
        (b"not a picture", "unreadable_picture"),
        (as_bytes(qr_picture(CODE_URL))[:60], "unreadable_picture"),
        (as_bytes(Image.new("L", (10, 10))), "no_code"),
    ],
)
def test_no_code(picture: bytes, code: str) -> None:
    with pytest.raises(PhoneError) as refusal:
        read_payment_code(picture)
    assert refusal.value.code == code


def test_a_picture_too_large_to_open_is_refused() -> None:
    huge = as_bytes(Image.new("1", (9000, 9000)))
    with pytest.raises(PhoneError, match="unreadable_picture"):
        read_payment_code(huge)
