"""The smallest parts of a page, so many on each that a template of their own would cost more than the rest."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from functools import lru_cache
from typing import Protocol

from django import template
from django.templatetags.static import static
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext

from marketplace import marks
from marketplace.money import Money

register = template.Library()
register.simple_tag(marks.gap)
register.filter(marks.percent)

MINUS = "\N{MINUS SIGN}"  # as wide as a plus, so that figures line up


class Segment(Protocol):
    """A part of a text, marked or not."""

    @property
    def text(self) -> str: ...
    @property
    def is_hit(self) -> bool: ...


@register.simple_tag
@lru_cache(maxsize=500)
def icon(name: str, title: str = "") -> SafeString:
    """An icon of static/img/icons.svg, in the colour and size of the text beside it.

    The title is said to screen readers; without it the icon is decoration.
    """
    said = format_html('role="img" aria-label="{}"', title) if title else mark_safe('aria-hidden="true"')
    return format_html(
        '<svg class="icon" {} focusable="false"><use href="{}#{}"></use></svg>', said, static("img/icons.svg"), name
    )


@register.simple_tag
def money(amount: Money | None, **words: str) -> SafeString:
    """An amount with its currency; `Withheld` for None.

    Takes `class` (`price`, `price-small`) and `free_word`, which is said instead of a zero.
    """
    kind = escape(f"money {words['class']}" if words.get("class") else "money")
    if amount is None:
        return format_html('<span class="{}">{}</span>', kind, gettext("Withheld"))
    if not amount and words.get("free_word"):
        return format_html('<span class="{}">{}</span>', kind, words["free_word"])
    number = amount.amount
    # ISO 4217's letters and format_minor's digits: nothing to escape
    return mark_safe(  # noqa: S308
        f'<data class="{kind}" value="{amount.currency} {number}"><span class="currency">{amount.currency}</span>'
        f"{number.replace('-', MINUS)}</data>"
    )


@register.simple_tag
def time(at: dt.datetime | dt.date | None, *, day_only: bool = False) -> SafeString:
    """A moment in the reader's format and with its zone, or its day alone; a dash for None."""
    if not at:
        return mark_safe("–")
    here = timezone.localtime(at) if isinstance(at, dt.datetime) else at
    if day_only or not isinstance(here, dt.datetime):
        return format_html('<time datetime="{}">{}</time>', here.isoformat(), date_format(here, "DATE_FORMAT"))
    zone = f"UTC{here:%z}"
    return format_html(
        '<time datetime="{}">{} <span class="zone">{}:{}</span></time>',
        here.isoformat(), date_format(here, "DATETIME_FORMAT"), zone[:-2], zone[-2:],
    )  # fmt: skip


@register.simple_tag
def marked(segments: Iterable[Segment]) -> SafeString:
    """A text with what was searched for marked."""
    parts = (f"<mark>{escape(one.text)}</mark>" if one.is_hit else escape(one.text) for one in segments)
    return mark_safe("".join(parts))  # noqa: S308


@register.simple_tag
def member(name: str, *, is_verified: bool = False, url: str = "") -> SafeString:
    """An organisation's name, with the sign that the exchange has verified it; a link where there is an address."""
    said = format_html('<a href="{}">{}</a>', url, name) if url else escape(name)
    sign = icon("shield", gettext("Verified by the exchange")) if is_verified else ""
    return format_html('<span class="verified">{}{}</span>', said, sign)
