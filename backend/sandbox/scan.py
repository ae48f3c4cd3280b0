"""The phone's camera: finds the payment code in a picture somebody took of a screen."""

from __future__ import annotations

import io
import warnings

from PIL import Image, UnidentifiedImageError

from backend.sandbox.alipay.trade import CODE_PREFIX as ALIPAY_PREFIX
from backend.sandbox.errors import PhoneError
from backend.sandbox.trade import CODE_URL_PREFIX

#: A photograph of a whole kiosk screen is 2 megapixels; a phone's camera makes 12 to 50.
MAX_PIXELS = 60_000_000


def read_payment_code(picture: bytes) -> str:
    """The payment code_url in a PNG, JPEG, WebP or GIF picture; else the first QR text in it.

    PhoneError `unreadable_picture` when it is no picture, `no_code` when no QR code is seen in it.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(picture)) as opened:
                if opened.width * opened.height > MAX_PIXELS:
                    raise Image.DecompressionBombError("too many pixels")
                image = opened.convert("L")
    except (
        UnidentifiedImageError,
        OSError,
        ValueError,
        SyntaxError,
        Image.DecompressionBombError,
        Image.DecompressionBombWarning,
    ) as error:
        raise PhoneError(
            "unreadable_picture", "无法打开这张图片", "请选择 PNG 或 JPG 格式的截图", 422
        ) from error
    texts = _decode(image)
    if not texts:
        raise PhoneError("no_code", "没有找到二维码", "请让二维码完整、清晰地出现在图片中", 422)
    return next(
        (text for text in texts if text.startswith((CODE_URL_PREFIX, ALIPAY_PREFIX))), texts[0]
    )


def _decode(image: Image.Image) -> list[str]:
    try:
        from pyzbar.pyzbar import ZBarSymbol, decode
    except (ImportError, OSError) as error:
        raise PhoneError(
            "no_scanner", "这台电脑没有装扫码组件", "请安装 libzbar0，或直接粘贴付款码文字", 503
        ) from error
    found = decode(image, symbols=[ZBarSymbol.QRCODE])
    return [item.data.decode("utf-8", errors="replace") for item in found]
