"""What the design promises: nothing the content policy forbids, and colours everyone can read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LETTER = ROOT / "templates" / "marketplace" / "letter.html"  # drawn by mail programs, which know no style sheet of ours
TEMPLATES = sorted(set((ROOT / "templates").rglob("*.html")) - {LETTER})
STYLES = sorted((ROOT / "static" / "css").glob("*.css"))
COMMENTS = re.compile(r"{% comment %}.*?{% endcomment %}|{#.*?#}|/\*.*?\*/", re.DOTALL)

# Colours of text, each on every ground it may stand on. WCAG 2.2 AA asks 4.5:1 of text and 3:1 of an input's edge.
TEXT_ON = {
    "ink": ["paper", "sheet", "sunk", "jade-wash", "wait-wash", "move-wash", "stop-wash"],
    "ink-soft": ["paper", "sheet", "sunk"],
    "ink-faint": ["paper", "sheet", "sunk"],
    "jade": ["paper", "sheet", "sunk", "jade-wash"],
    "jade-deep": ["paper", "sheet", "sunk"],
    "wait": ["paper", "sheet", "wait-wash"],
    "move": ["paper", "sheet", "move-wash"],
    "stop": ["paper", "sheet", "stop-wash"],
    "seal": ["paper", "sheet"],
    "on-jade": ["jade", "jade-deep"],
    "on-stop": ["stop"],
    "on-band": ["band"],
    "on-band-soft": ["band"],
}
PAIRS = [(text, ground) for text, grounds in TEXT_ON.items() for ground in grounds]


def colours(scheme: int) -> dict[str, str]:
    """The colours of tokens.css by day (0) or by night (1)."""
    found: dict[str, str] = {}
    for name, value in re.findall(
        r"--([\w-]+): (light-dark\(.*?\)|#\w{6});", (ROOT / "static/css/tokens.css").read_text()
    ):
        shades = re.findall(r"#[0-9a-f]{6}", value)
        found[name] = shades[scheme] if len(shades) == 2 else shades[0]
    return found


def luminance(colour: str) -> float:
    """Relative luminance, WCAG 2.2."""
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast ratio, WCAG 2.2."""
    darker, lighter = sorted([luminance(one), luminance(other)])
    return (lighter + 0.05) / (darker + 0.05)


def test_contrast_is_measured_as_wcag_says() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("scheme", [0, 1], ids=["day", "night"])
@pytest.mark.parametrize(("text", "ground"), PAIRS)
def test_text_can_be_read_on_its_ground(text: str, ground: str, scheme: int) -> None:
    shades = colours(scheme)
    assert contrast(shades[text], shades[ground]) >= 4.5


@pytest.mark.parametrize("scheme", [0, 1], ids=["day", "night"])
def test_the_edge_of_an_input_can_be_seen(scheme: int) -> None:
    shades = colours(scheme)
    assert contrast(shades["edge"], shades["sheet"]) >= 3
    assert contrast(shades["edge"], shades["paper"]) >= 3


def test_there_are_templates_and_styles_to_judge() -> None:
    assert len(TEMPLATES) > 50
    assert len(STYLES) >= 6


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_template_has_nothing_the_content_policy_forbids(path: Path) -> None:
    text = COMMENTS.sub("", path.read_text())
    assert not re.search(r"\sstyle\s*=", text), "inline style"
    assert "<style" not in text, "inline style sheet"
    assert not re.search(r"<[^>{]*\son\w+\s*=", text), "inline handler"
    for attributes in re.findall(r"<script\b([^>]*)>", text):
        assert "src=" in attributes or 'type="application/json"' in attributes, "inline script"
    for address in re.findall(r"<(?:script|link|img|iframe)\b[^>]*?(?:src|href)=\"(.*?)\"", text):
        assert not re.match(r"(https?:)?//|data:", address), f"an asset from elsewhere: {address}"


@pytest.mark.parametrize("path", STYLES, ids=lambda path: path.name)
def test_a_style_sheet_fetches_nothing_from_elsewhere_and_takes_its_colours_from_the_tokens(path: Path) -> None:
    text = COMMENTS.sub("", path.read_text())
    assert "@import" not in text
    for address in re.findall(r"url\(\"?(.*?)\"?\)", text):
        assert address.startswith("../img/"), address
        assert (path.parent / address).exists(), address
    if path.name != "tokens.css":
        strays = set(re.findall(r"#[0-9a-f]{3,8}\b(?=[^{]*;)", text)) - {"#fff"}
        assert not strays, f"colours outside tokens.css: {strays}"


def test_every_icon_a_template_names_is_drawn() -> None:
    drawn = set(re.findall(r'symbol id="([\w-]+)"', (ROOT / "static/img/icons.svg").read_text()))
    named = {
        name for path in TEMPLATES for name in re.findall(r'{% icon "([\w-]+)"', COMMENTS.sub("", path.read_text()))
    }
    assert named
    assert named <= drawn, named - drawn
