"""Is the exchange ready, what waits to be done, and what is stuck.

Apps say what is due (`register`) and what else must be in order (`register_sign`) when they are loaded; this module
asks them all. What is due stands in the database, so it can be counted there, whoever should do it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import redis
from django.core.exceptions import FieldDoesNotExist
from django.db import DatabaseError, connection, models, transaction
from django.db.models import Count, F, Min, Q, Value
from django.db.models.expressions import Combinable
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _

from marketplace import clock, failures, heartbeats, journal, roles, webhook_sending
from marketplace.errors import Refused
from marketplace.models import Follower, Letter, Unsealed, User

SIGN_OF_LIFE_SECONDS = 30
SEAL_WITHIN_SECONDS = 60
DONE_WITHIN_SECONDS = 120
TRIES_WITHOUT_A_WORD = 3  # a row tried more often without leaving an error kills whoever takes it
SHOWN_AT_MOST = 200
DATABASE, REDIS = gettext_noop("database"), gettext_noop("redis")


class NoSuchWork(Refused):
    """There is no such row to be worked on; perhaps it was done meanwhile."""

    code = "not_found"
    status = 404
    says = _("There is no such row to be worked on; perhaps it was done meanwhile.")
    next = _("Load the list again.")


# --- what is due ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Work:
    """One kind of work: the rows that wait for it, since when, and within how many seconds it should be done."""

    name: str
    rows: Callable[[], models.QuerySet[Any]]
    since: str | Combinable
    within_seconds: int


@dataclass(frozen=True)
class Waiting:
    """How many rows of one kind of work are due and how long the oldest has been; rows that back off do not count."""

    work: Work
    count: int
    oldest_seconds: int

    @property
    def is_late(self) -> bool:
        return self.oldest_seconds > self.work.within_seconds


@dataclass(frozen=True)
class Stuck:
    """A row whose work failed, and when it will be tried again."""

    work: str
    row: Any
    error: str
    tries: int
    next_try_at: dt.datetime

    @property
    def kind(self) -> str:
        """The kind of the error, such as `OperationalError`; '' where nothing was said."""
        return failures.kind_of(self.error)

    @property
    def words(self) -> str:
        """What went wrong, for staff: never what a database or a stranger's server said word for word."""
        return failures.words_for(self.error)


_works: dict[str, Work] = {}


def register(
    name: str,
    rows: Callable[[], models.QuerySet[Any]],
    *,
    since: str | Combinable = "next_try_at",
    within_seconds: int = DONE_WITHIN_SECONDS,
) -> None:
    """Watch a kind of work. `rows` gives all that wait for it, those that back off included; `since` is when each
    fell due: a field of theirs or an expression.
    """
    _works[name] = Work(name, rows, since, within_seconds)


def waiting() -> list[Waiting]:
    """What is due of every kind of work, one statement each."""
    now = clock.now()
    answer = []
    for work in _works.values():
        since = F(work.since) if isinstance(work.since, str) else work.since
        due = work.rows().order_by().annotate(due_at=since).filter(due_at__lte=now)
        if _has(due.model, "claimed_until"):
            due = due.filter(Q(claimed_until=None) | Q(claimed_until__lt=now))
        if _has(due.model, "next_try_at"):
            due = due.filter(next_try_at__lte=now)
        found = due.aggregate(count=Count("pk"), oldest=Min("due_at"))
        age_seconds = int((now - found["oldest"]).total_seconds()) if found["count"] else 0
        answer.append(Waiting(work, found["count"], age_seconds))
    return answer


def stuck() -> Iterator[Stuck]:
    """Rows whose work failed or never came to an end, the longest waiting of each kind first."""
    for work, failed in _failed():
        for row in failed.order_by("next_try_at", "pk")[:SHOWN_AT_MOST]:
            yield Stuck(work.name, row, row.error, row.tries, row.next_try_at)


def stuck_count() -> int:
    """How many rows `stuck` would tell of, those beyond SHOWN_AT_MOST included. One statement."""
    first, *others = [rows.order_by().values_list(Value(work.name)).annotate(Count("pk")) for work, rows in _failed()]
    return sum(count for _name, count in first.union(*others, all=True))


def _failed() -> Iterator[tuple[Work, models.QuerySet[Any]]]:
    for work in _works.values():
        rows = work.rows()
        if _has(rows.model, "error"):
            yield work, rows.filter(~Q(error="") | Q(tries__gt=TRIES_WITHOUT_A_WORD))


def row_of(work_name: str, pk: str) -> Any:
    """The row of this work. Raises NoSuchWork."""
    work = _works.get(work_name)
    try:
        row = work.rows().filter(pk=pk).first() if work and _has(work.rows().model, "error") else None
    except ValueError:
        row = None
    if row is None:
        raise NoSuchWork()
    return row


@transaction.atomic
def try_now(row: Any, *, by: User) -> None:
    """Staff let a row that backs off be tried at once. A worker that has it just now keeps it. Raises RoleNeeded."""
    roles.require_staff(by, "try_again")
    type(row)._default_manager.filter(pk=row.pk).update(next_try_at=clock.now())
    kind, subject = str(row._meta.model_name), row if isinstance(row.pk, int) else by
    journal.record(f"{kind}.hurried", subject, by=by, row=row.pk)


def _has(model: type[models.Model], field: str) -> bool:
    try:
        model._meta.get_field(field)
    except FieldDoesNotExist:
        return False
    return True


# --- signs ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Sign:
    """One thing that must be in order. One that is not, but is not needed either, is a warning."""

    name: str
    is_ok: bool
    detail: str = ""
    is_needed: bool = True


_signs: list[Callable[[], Sign]] = []


def register_sign(look: Callable[[], Sign]) -> None:
    """Ask this too whether the exchange is ready."""
    if look not in _signs:
        _signs.append(look)


def signs() -> list[Sign]:
    """Everything that must be in order, whether or not it is."""
    found = [_database(), _redis(), _alive(heartbeats.WORKER), _alive(heartbeats.BEAT)]
    if found[0].is_ok:
        found += [_sealed(), *(_done_in_time(one) for one in waiting())]
    return [*found, *(look() for look in _signs)]


def is_ready(found: list[Sign]) -> bool:
    return all(sign.is_ok for sign in found if sign.is_needed)


def _database() -> Sign:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        return Sign(
            gettext_noop("database"), False, gettext("does not answer (%(error)s)") % {"error": type(error).__name__}
        )
    return Sign(DATABASE, True)


def _redis() -> Sign:
    try:
        heartbeats.age_seconds(heartbeats.BEAT)
    except redis.RedisError as error:
        return Sign(
            gettext_noop("redis"), False, gettext("does not answer (%(error)s)") % {"error": type(error).__name__}
        )
    return Sign(REDIS, True)


def _alive(name: str) -> Sign:
    try:
        age_seconds = heartbeats.age_seconds(name)
    except redis.RedisError:
        return Sign(name, False, gettext("cannot be heard of while Redis does not answer"))
    if age_seconds is None:
        return Sign(name, False, gettext("was not heard of within a day"))
    return Sign(
        name,
        age_seconds <= SIGN_OF_LIFE_SECONDS,
        gettext("last heard of %(seconds)s s ago") % {"seconds": f"{age_seconds:.0f}"},
    )


def seal_lag_seconds() -> int:
    """How long the oldest committed event has waited for its place in the tree."""
    oldest = Unsealed.objects.aggregate(oldest=Min("event__at"))["oldest"]
    return int((clock.now() - oldest).total_seconds()) if oldest else 0


def _sealed() -> Sign:
    lag_seconds = seal_lag_seconds()
    detail = (
        gettext("the oldest event that is not sealed is %(seconds)s s old") % {"seconds": lag_seconds}
        if lag_seconds
        else ""
    )
    return Sign(gettext_noop("journal"), lag_seconds <= SEAL_WITHIN_SECONDS, detail)


def _done_in_time(one: Waiting) -> Sign:
    detail = (
        gettext("%(due)s due, the oldest for %(seconds)s s") % {"due": one.count, "seconds": one.oldest_seconds}
        if one.count
        else ""
    )
    return Sign(one.work.name, not one.is_late, detail)


register(gettext_noop("letters to send"), lambda: Letter.objects.filter(sent_at=None))
register(gettext_noop("webhooks to send"), webhook_sending.watched)
register(gettext_noop("followers of the journal"), lambda: Follower.objects.exclude(error=""))
