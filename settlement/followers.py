"""Reactions of settlement to what happened below it."""

from marketplace.models import Event


def follow(event: Event) -> None:
    """Act on one event."""
