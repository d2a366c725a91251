"""Claim, call, record: how a worker takes a row that needs a call to the outside.

A claim is a short transaction with a lapse time; the call happens with no transaction open; a command records the
answer. A worker that dies leaves a claim that lapses, so another repeats the call with the same stable key.
"""

from __future__ import annotations

import datetime as dt
import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Self, TypeVar

from django.conf import settings
from django.db import DatabaseError, connection, models, transaction
from django.db.models import F, Q

from marketplace import clock

logger = logging.getLogger(__name__)
BACK_OFF_LIMIT_SECONDS = 300
Row = TypeVar("Row")
Held = TypeVar("Held", bound="Claimable")


class Claimable(models.Model):
    """A row of the to-do list: when it may next be tried, who has it now, and how it went so far."""

    claimed_until = models.DateTimeField(null=True, blank=True)
    tries = models.IntegerField(default=0)
    next_try_at = models.DateTimeField(default=clock.now)
    error = models.TextField(blank=True)

    class Meta:
        abstract = True

    @classmethod
    def claim_next(cls, due: models.QuerySet[Self], *, claim_seconds: int | None = None) -> Self | None:
        """Take the oldest row of `due` that nobody holds, or None. Never waits for another worker."""
        claimed = cls.claim_several(due, most=1, claim_seconds=claim_seconds)
        return claimed[0] if claimed else None

    @classmethod
    def claim_several(cls, due: models.QuerySet[Self], *, most: int, claim_seconds: int | None = None) -> list[Self]:
        """`claim_next` for up to `most` rows at once, oldest first: for work that needs no slow call a row."""
        now = clock.now()
        until = now + dt.timedelta(seconds=claim_seconds or settings.CLAIM_SECONDS)
        free = Q(claimed_until=None) | Q(claimed_until__lt=now)
        with transaction.atomic():
            rows = list(
                due.filter(free, next_try_at__lte=now)
                .order_by("next_try_at", "pk")
                .select_for_update(skip_locked=True, of=("self",))[:most]
            )
            if rows:
                taken = cls._default_manager.filter(pk__in=[row.pk for row in rows])
                taken.update(claimed_until=until, tries=F("tries") + 1)
        for row in rows:
            row.claimed_until, row.tries = until, row.tries + 1
        return rows

    def postpone(self, error: Exception | str) -> None:
        """Give the claim back and try again later, ever more seldom.

        A row that another worker took over meanwhile, or has done with, stays as that one left it.
        """
        delay = min(2 ** min(self.tries, 20), BACK_OFF_LIMIT_SECONDS)
        self.error = f"{type(error).__name__}: {error}" if isinstance(error, Exception) else error
        self.next_try_at = clock.now() + dt.timedelta(seconds=delay)
        self.claimed_until = None
        type(self)._default_manager.filter(pk=self.pk, tries=self.tries).update(
            error=self.error[:2000], next_try_at=self.next_try_at, claimed_until=None
        )


@contextmanager
def kept(row: Claimable) -> Iterator[None]:
    """Keep a claim for as long as the block lasts; that of a worker that dies in it lapses within CLAIM_SECONDS."""
    ended = threading.Event()

    def renew() -> None:
        try:
            while not ended.wait(settings.CLAIM_SECONDS / 4):
                until = clock.now() + dt.timedelta(seconds=settings.CLAIM_SECONDS)
                mine = type(row)._default_manager.filter(pk=row.pk, tries=row.tries, claimed_until__isnull=False)
                try:
                    mine.update(claimed_until=until)
                except DatabaseError as error:  # the next may be in time; if not, another worker repeats the work
                    logger.warning("the claim on %s %s was not renewed: %s", type(row).__name__, row.pk, error)
                    connection.close()
        finally:
            connection.close()

    renewer = threading.Thread(target=renew, name=f"claim on {type(row).__name__} {row.pk}", daemon=True)
    renewer.start()
    try:
        yield
    finally:
        ended.set()
        renewer.join()


@contextmanager
def postponed_on_failure(row: Claimable) -> Iterator[None]:
    """A row that fails backs off alone and shows on the desk of stuck work; its neighbours go on."""
    try:
        yield
    except Exception as error:
        trade = getattr(row, "trade_id", None)
        about = f"{type(row).__name__} {row.pk}" + (f" of trade {trade}" if trade else "")
        said = str(error).partition("\n")[0]  # what PostgreSQL adds below may quote the row
        logger.warning("%s postponed after try %s: %s: %s", about, row.tries, type(error).__name__, said[:500])
        row.postpone(error)


def while_it_holds(rows: Sequence[Held]) -> Iterator[Held]:
    """These rows, claimed together, one by one for a call each: those that half of the claim's time does not reach are
    given back untried, so that what is called may take the other half.
    """
    until = time.monotonic() + settings.CLAIM_SECONDS / 2
    for number, row in enumerate(rows):
        if number and time.monotonic() > until:
            untried = [one.pk for one in rows[number:]]
            mine = type(row)._default_manager.filter(pk__in=untried, claimed_until=row.claimed_until)
            mine.update(claimed_until=None, tries=F("tries") - 1)
            return
        yield row


def together_or_each(
    rows: Sequence[Row], together: Callable[[Sequence[Row]], object], each: Callable[[Row], object]
) -> None:
    """All rows in one transaction; where one of them is refused, each on its own, so that it backs off alone."""
    if len(rows) > 1:
        try:
            together(rows)
            return
        except Exception as error:
            logger.info("%d rows are taken one by one: %s", len(rows), type(error).__name__)
    for row in rows:
        each(row)
