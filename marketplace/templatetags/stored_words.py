"""What is kept or named in English, shown in the reader's language where it is a sentence of ours."""

from __future__ import annotations

from django import template
from django.utils.translation import gettext

from marketplace.event_words import event_words

register = template.Library()
register.filter("event_words", event_words)


@register.filter
def in_readers_words(told: str) -> str:
    """A gateway's reason, or the name of a kind of work. A real bank's words are shown as they came."""
    return gettext(told) if told else ""
