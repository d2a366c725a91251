"""The follower of the journal that tells people: an event was written by the act itself, so nothing is told of an act
that was rolled back, and nothing is lost when a worker dies. Apps say at load what they tell of which event.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from marketplace.models import Event

Teller = Callable[[Event], None]
_tellers: dict[str, list[Teller]] = {}


def register(tellers: Mapping[str, Teller]) -> None:
    """Call these for events of these kinds, each beside those of other apps."""
    for kind, teller in tellers.items():
        _tellers.setdefault(kind, []).append(teller)


def follow(event: Event) -> None:
    """Tell of one event, in the transaction in which the follower moves on: once."""
    for teller in _tellers.get(event.kind, ()):
        teller(event)
