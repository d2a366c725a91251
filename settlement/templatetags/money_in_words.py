"""Codes of money, shown in the reader's words."""

from __future__ import annotations

from django import template

from settlement.money_words import paid_through

register = template.Library()


@register.filter
def gateway_in_words(name: str) -> str:
    """What a gateway is called; its own name where it is none of ours."""
    return paid_through(name)
