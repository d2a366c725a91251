"""The bells of listings: each finds what is due in the database and may ring late, twice or in parallel."""

from __future__ import annotations

from celery import shared_task

from listings import profiling, registration, uploads


@shared_task
def profile_releases() -> None:
    """Measure every release that waits for it."""
    while profiling.profile_next():
        pass


@shared_task
def register_products() -> None:
    """Enter every approved version in the register and put its product on sale."""
    registration.register_due()


@shared_task
def remove_abandoned_uploads() -> None:
    """Take away what was never finished."""
    uploads.remove_abandoned()
