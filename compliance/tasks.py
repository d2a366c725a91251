"""What workers do for vetting: draw papers, and tell of those about to expire."""

from __future__ import annotations

from celery import shared_task

from compliance import proofs


@shared_task
def draw_papers() -> None:
    """Draw every paper nobody has drawn."""
    while proofs.draw_next():
        pass


@shared_task
def tell_expiring_papers() -> None:
    """Leave an event for each paper that is about to expire."""
    proofs.tell_expiring()
