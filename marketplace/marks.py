"""What stands between words and figures. Chinese marks are full width and want no space beside them."""

from __future__ import annotations

from django.utils.translation import get_language


def gap() -> str:
    """What stands between two sentences, before a bracket and before a percent sign, in the language in use."""
    return "" if (get_language() or "").startswith("zh") else " "


def percent(number: object) -> str:
    """A number of hundredths with its sign: `2.5 %`, and in Chinese `2.5%`."""
    return f"{number}{gap()}%"
