"""The bells of listings: each finds what is due in the database and may ring late, twice or in parallel."""

from __future__ import annotations

from celery import shared_task

from listings import arrivals, daily_counts, due, private_offers, profiling, registration, saved_searches, shelf


@shared_task
def profile_releases() -> None:
    """Measure every release that waits for it, and say what this worker's machine grants for that."""
    due.note_isolation()
    while profiling.profile_next():
        pass


@shared_task
def check_files() -> None:
    """Check every file that has arrived and waits for it."""
    while arrivals.check_next():
        pass


@shared_task
def register_products() -> None:
    """Enter every approved version in the register and put its product on sale."""
    registration.register_due()


@shared_task
def publish_products() -> None:
    """Put on sale every registered product whose publicity window has passed without an objection that stands."""
    registration.publish_due()


@shared_task
def remove_abandoned_uploads() -> None:
    """Take away what was never finished."""
    arrivals.remove_abandoned()


@shared_task
def write_counts_down() -> None:
    """Write down how often products were looked at."""
    daily_counts.write_down()


@shared_task
def close_lapsed_offers() -> None:
    """Close the offers whose time has run out."""
    while private_offers.close_lapsed():
        pass


@shared_task
def reprice_shelf() -> None:
    """Put the prices of the moment on the shelf where a discount has begun or ended."""
    while shelf.reprice():
        pass


@shared_task
def look_for_saved_searches() -> None:
    """Look which saved searches find what was newly listed, and tell their owners."""
    while saved_searches.look_next():
        pass
