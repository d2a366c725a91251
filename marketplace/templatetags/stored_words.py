"""What others told us and we keep as it was told, shown in the reader's language where it is a sentence of ours."""

from __future__ import annotations

from django import template
from django.utils.translation import gettext

register = template.Library()


@register.filter
def in_readers_words(told: str) -> str:
    """A gateway's reason: the practice bank's are translated, a real bank's are shown as they came."""
    return gettext(told) if told else ""
