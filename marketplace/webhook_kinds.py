"""Which events members can be sent, and what each says: apps register theirs when they are loaded.

A payload is thin: ids, states and the address of the object in the API; no personal data, no amounts, no texts. What
more there is to know, the receiver asks with a key of its own, by the rights of that key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise

from marketplace.models import Event

# For each organisation an event concerns: its id, and the data its endpoints are sent.
Told = Iterator[tuple[int, dict[str, Any]]]


@dataclass(frozen=True)
class WebhookKind:
    """A kind of event. `code` is the journal's own name of it, and stable."""

    code: str
    label: Promise
    tell: Callable[[Event], Told]


_kinds: dict[str, WebhookKind] = {}


def register(labels: Mapping[str, Promise], tell: Callable[[Event], Told]) -> None:
    """Make kinds known that one function tells of."""
    _kinds.update({code: WebhookKind(code, label, tell) for code, label in labels.items()})


def kinds() -> list[WebhookKind]:
    """Every kind, by name."""
    return [_kinds[code] for code in codes()]


def codes() -> list[str]:
    """The names of every kind."""
    return sorted(_kinds)


def known(code: str) -> WebhookKind | None:
    """The kind of this name."""
    return _kinds.get(code)
