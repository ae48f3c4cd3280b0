"""The contrast promises of design/tokens.css, by WCAG 2.2 calculation.

Text needs 4.5 in the back office and on the phone, 7 on kiosks and screens; edges of
controls, state marks and focus rings need 3.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TOKENS = Path(__file__).parents[3] / "design" / "tokens.css"
COLOURS: dict[str, str] = dict(
    re.findall(r"--xl-([a-z0-9-]+):\s*(#[0-9a-f]{6})\s*;", TOKENS.read_text(encoding="utf-8"))
)
PUBLIC_TEXT = 7.0
DESKTOP_TEXT = 4.5
EDGE = 3.0
STATES = ("ok", "warn", "bad", "info", "idle")
GROUNDS = ("paper", "ground", "sunken")

PAIRS: list[tuple[str, str, float]] = [
    *[(ink, ground, PUBLIC_TEXT) for ink in ("ink", "ink-body") for ground in GROUNDS],
    ("ink-soft", "paper", PUBLIC_TEXT),
    ("ink-soft", "ground", PUBLIC_TEXT),
    ("ink-soft", "sunken", DESKTOP_TEXT),
    ("ink-faint", "paper", DESKTOP_TEXT),
    ("ink-faint", "ground", DESKTOP_TEXT),
    *[("accent", ground, DESKTOP_TEXT) for ground in ("paper", "ground", "apricot-50")],
    ("on-accent", "accent", DESKTOP_TEXT),
    ("on-accent", "accent-hover", DESKTOP_TEXT),
    ("accent-strong", "paper", PUBLIC_TEXT),
    ("on-accent", "accent-strong", PUBLIC_TEXT),
    ("on-accent", "accent-deep", PUBLIC_TEXT),
    *[
        ("accent-deep", ground, PUBLIC_TEXT)
        for ground in ("paper", "ground", "apricot-50", "apricot-100")
    ],
    *[("ink", ground, PUBLIC_TEXT) for ground in ("apricot-100", "apricot-200")],
    *[(state, f"{state}-ground", PUBLIC_TEXT) for state in STATES],
    *[(state, ground, PUBLIC_TEXT) for state in STATES for ground in ("paper", "ground")],
    *[(f"{state}-mark", f"{state}-ground", EDGE) for state in STATES],
    *[("line-strong", ground, EDGE) for ground in GROUNDS],
    *[("focus", ground, EDGE) for ground in (*GROUNDS, "apricot-100")],
]


def _luminance(colour: str) -> float:
    """Relative luminance 0..1 of `#rrggbb` (WCAG 2.2 definition)."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    """Contrast ratio 1..21 of two `#rrggbb` colours (WCAG 2.2 definition)."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_contrast_of_known_colours_is_what_the_standard_says() -> None:
    assert _contrast("#000000", "#ffffff") == pytest.approx(21.0)
    assert _contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize(("ink", "ground", "floor"), PAIRS)
def test_pair_keeps_its_contrast(ink: str, ground: str, floor: float) -> None:
    assert _contrast(COLOURS[ink], COLOURS[ground]) >= floor
