"""Delivery channels: the protocol and the registry.

A channel gives access for a grant and takes it away. It knows the grant, never the trade's story.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Protocol

from django.conf import settings
from django.utils.module_loading import import_string

USAGE = "usage"  # of bills alone; no offer is delivered by it

if TYPE_CHECKING:
    import datetime as dt

    from listings.models import Offer
    from settlement.models import Grant


class TryLater(Exception):
    """The channel cannot open access now, but may later."""


class CannotDeliver(Exception):
    """The channel will never be able to open this access; the buyer is refunded."""


@dataclass(frozen=True)
class Access:
    """What the buyer was given: facts to show and to prove, never a secret."""

    facts: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Use:
    at: dt.datetime
    path: str
    size_bytes: int


class Channel(Protocol):
    """What every channel can do. `open` twice gives the same access.

    A channel through which calls are sold names the call of each use in its receipt (`deliveries.leave_receipt`).
    """

    name: str

    def check(self, offer: Offer) -> list[str]:
        """Why this offer cannot be delivered through the channel; empty when it can."""

    def open(self, grant: Grant) -> Access:
        """Give access. Raises TryLater or CannotDeliver."""

    def close(self, grant: Grant) -> None:
        """Take it away; safe to repeat."""

    def usage(self, grant: Grant, since: dt.datetime) -> Iterable[Use]:
        """What was used since then."""

    def health(self) -> str:
        """'' when the channel works, else what is wrong."""


@cache
def channel(name: str) -> Channel:
    """The configured channel of this name. Raises CannotDeliver."""
    if name == USAGE:
        own: Channel = import_string("settlement.channels.usage.UsageStatements")()
        return own
    if name not in settings.CHANNELS:
        raise CannotDeliver(f"the channel {name!r} is not configured")
    driver: Channel = import_string(settings.CHANNELS[name])()
    return driver
