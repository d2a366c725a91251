"""Cells of the admin's lists with the name of their column, which a phone shows beside each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst

register = template.Library()


@register.filter
def labelled(cells: Sequence[SafeString], headers: Sequence[dict[str, Any]]) -> Iterator[SafeString]:
    """The cells of one row. Django writes each as a whole, so that its label has to be put into its tag."""
    for cell, header in zip(cells, headers, strict=True):
        tag, _class, rest = cell.partition(" class=")
        label = format_html(' data-label="{}"', capfirst(header["text"]))
        yield SafeString(f"{tag}{label} class={rest}")
