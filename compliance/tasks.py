"""What workers do here: draw papers, tell of those about to expire, and end demands whose time has passed."""

from __future__ import annotations

from celery import shared_task

from compliance import demands, proofs


@shared_task
def draw_papers() -> None:
    """Draw every paper nobody has drawn."""
    while proofs.draw_next():
        pass


@shared_task
def tell_expiring_papers() -> None:
    """Leave an event for each paper that is about to expire."""
    proofs.tell_expiring()


@shared_task
def lapse_demands() -> None:
    """End every demand that nobody met in its time."""
    while demands.lapse_due():
        pass
