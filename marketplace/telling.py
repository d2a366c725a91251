"""The follower of the journal that tells people: an event was written by the act itself, so nothing is told of an act
that was rolled back, and nothing is lost when a worker dies. Apps say at load what they tell of which event.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from marketplace.models import Event

Teller = Callable[[Event], None]
_tellers: dict[str, Teller] = {}


def register(tellers: Mapping[str, Teller]) -> None:
    """Call these for events of these kinds."""
    _tellers.update(tellers)


def follow(event: Event) -> None:
    """Tell of one event, in the transaction in which the follower moves on: once."""
    if teller := _tellers.get(event.kind):
        teller(event)
