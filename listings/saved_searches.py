"""Saved searches: kept by a person, looked after by a worker, who tells of each new product once.

A worker looks only where a product was listed since the last look, and only at those products; what it found, that it
looked, and the notification are written in one transaction.
"""

from __future__ import annotations

import datetime as dt

from django.core import signing
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce
from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from listings import plain_text, search_question, shelf_queries
from listings.filters import NARROWING, Filters, sort_of
from listings.models import FoundProduct, Listing, SavedSearch
from listings.search_question import LONGEST
from listings.shelf_queries import Asked
from marketplace import clock, notifications
from marketplace.claims import postponed_on_failure
from marketplace.errors import Invalid, Refused
from marketplace.models import Membership, Organisation, User

MOST = 50  # of one person
STOP_SALT = "listings.saved_searches.stop"
# A product is listed at a moment before its transaction ends; what was listed this long ago is looked at once more.
OVERLAP = dt.timedelta(hours=1)
NEW_AT_ONCE = 500  # products one look takes
CLAIMED_AT_ONCE = 100
SHOWN = 20  # titles in one notification
PERIODS = {
    SavedSearch.Frequency.AT_ONCE: dt.timedelta(0),
    SavedSearch.Frequency.DAILY: dt.timedelta(days=1),
    SavedSearch.Frequency.WEEKLY: dt.timedelta(days=7),
}


class TooManySearches(Refused):
    """You have as many saved searches as one may."""

    code = "too_many_saved_searches"
    status = 429
    says = _("You have as many saved searches as one may.")
    next = _("Delete one you no longer need.")


# --- what a search asks --------------------------------------------------------------------------------------------


def canonical(query: str) -> str:
    """The query of a catalogue's address as it is kept: only what the catalogue knows, in one order.

    Raises Invalid for what the catalogue's own filters refuse, and for a search among other exchanges' entries.
    """
    if len(query) > 4000 or "\0" in query:
        raise Invalid(_("This search is too long to be saved."), code="wrong_search")
    asked = QueryDict(query)
    text, filters = asked.get("q", "").strip(), Filters.asked(asked)
    if len(text) > LONGEST or any(not sign.isprintable() for sign in text):
        raise Invalid(_("Search for at most %(most)s characters.") % {"most": LONGEST}, code="wrong_search")
    sort = sort_of(asked.get("sort", ""))
    if filters.show == "entries":
        raise Invalid(
            _("Only searches for products of this exchange can be saved."),
            code="entries_are_not_watched",
            next=_("Choose products, or everything."),
        )
    kept = QueryDict(mutable=True)
    if text:
        kept["q"] = text
    for name in NARROWING:
        kept.setlist(name, sorted(getattr(filters, name)))
    if filters.show:
        kept["show"] = filters.show
    if sort != "best":
        kept["sort"] = sort
    if text and asked.get("as") == "typed":
        kept["as"] = "typed"
    return kept.urlencode()


def address(search: SavedSearch) -> str:
    """The catalogue's page that shows what it finds."""
    return reverse("catalogue") + (f"?{search.query}" if search.query else "")


def _asked(search: SavedSearch) -> Asked:
    query = QueryDict(search.query)
    question = search_question.read(query.get("q", ""), is_as_typed=query.get("as") == "typed")
    return Asked(question, Filters.asked(query), _reader(search))


def _reader(search: SavedSearch) -> Organisation | None:
    """The organisation it looks for, while its owner still belongs to it."""
    if search.organisation_id is None:
        return None
    own = Membership.objects.filter(user=search.user_id, organisation=search.organisation_id, ended_at=None)
    return search.organisation if own.exists() else None


# --- what its owner does -------------------------------------------------------------------------------------------


@transaction.atomic
def save(*, name: str, query: str, frequency: str, reader: Organisation | None, by: User) -> SavedSearch:
    """Keep a search; one that is kept already is renamed and told of as often as now asked. Raises Invalid,
    TooManySearches.
    """
    # The person's row is locked, so that of two at once not both are the last one allowed.
    User.objects.select_for_update(no_key=True).get(pk=by.pk)
    kept, name = canonical(query), _name(name)
    found = SavedSearch.objects.of(by).filter(query=kept).first()
    if found is not None:
        return change(found, name=name, frequency=frequency, by=by)
    if SavedSearch.objects.of(by).count() >= MOST:
        raise TooManySearches()
    return SavedSearch.objects.create(
        user=by, organisation=reader, name=name, query=kept, frequency=_frequency(frequency)
    )


@transaction.atomic
def change(search: SavedSearch, *, name: str, frequency: str, by: User) -> SavedSearch:
    """Another name, or how often one is told. Raises Invalid."""
    found = SavedSearch.objects.of(by).select_for_update(no_key=True, of=("self",)).get(pk=search.pk)
    found.name = _name(name)
    if frequency != found.frequency:
        found.frequency, found.next_alert_at = _frequency(frequency), clock.now()
    found.save(update_fields=["name", "frequency", "next_alert_at"])
    return found


def stop_path(search: SavedSearch) -> str:
    """Where whoever holds a letter of it ends its letters: the address is signed, and needs nobody signed in."""
    return reverse("saved_search_stop", args=[signing.Signer(salt=STOP_SALT).sign(str(search.pk))])


def of_token(token: str) -> SavedSearch | None:
    """The search whose letters a signed address ends; None for a wrong one, or one that was deleted."""
    try:
        number = signing.Signer(salt=STOP_SALT).unsign(token)
    except signing.BadSignature:
        return None
    return SavedSearch.objects.filter(pk=int(number)).first()


def stop(search: SavedSearch) -> None:
    """Its owner is told of it no more; it is kept, and counts what is new."""
    SavedSearch.objects.filter(pk=search.pk).update(frequency=SavedSearch.Frequency.NEVER)


def mark_seen(search: SavedSearch) -> None:
    """Its owner looks at what it finds: nothing of it is new any more."""
    SavedSearch.objects.filter(pk=search.pk).update(seen_at=clock.now())


def delete(search: SavedSearch) -> None:
    """It is looked after no longer."""
    search.delete()


def _name(name: str) -> str:
    return plain_text.needed(" ".join(name.split()), _("Give the search a name."), 80, code="name_needed")


def _frequency(frequency: str) -> str:
    if frequency not in SavedSearch.Frequency.values:
        known = ", ".join(SavedSearch.Frequency.values)
        raise Invalid(_("How often is one of %(known)s."), code="wrong_frequency", known=known)
    return frequency


# --- what a worker does --------------------------------------------------------------------------------------------


def due() -> QuerySet[SavedSearch]:
    """Searches with products to look at, or with some found whose owner is to be told now."""
    newest = Listing.objects.on_sale().order_by("-listed_at").values_list("listed_at", flat=True)[:1]
    untold = Exists(FoundProduct.objects.filter(search=OuterRef("pk"), told_at=None))
    moment = list(newest)
    unlooked = Q(looked_until__lt=moment[0]) if moment else Q(pk=None)
    to_tell = Q(untold, next_alert_at__lte=clock.now()) & ~Q(frequency=SavedSearch.Frequency.NEVER)
    return SavedSearch.objects.filter(unlooked | to_tell)


def due_since() -> Combinable:
    """Since when a search that is due has been so."""
    after = Listing.objects.on_sale().filter(listed_at__gt=OuterRef("looked_until")).order_by("listed_at")
    return Coalesce(Subquery(after.values("listed_at")[:1]), F("next_alert_at"))


def look_next() -> int:
    """Look for some of those that are due, each in a transaction of its own. How many were taken."""
    claimed = SavedSearch.claim_several(due(), most=CLAIMED_AT_ONCE)
    for search in claimed:
        with postponed_on_failure(search):
            look(search)
    return len(claimed)


@transaction.atomic
def look(search: SavedSearch) -> None:
    """Note which products listed since the last look it finds, and tell its owner if they are to be told now."""
    locked = SavedSearch.objects.select_for_update(no_key=True, of=("self",))
    found = locked.select_related("user", "organisation").filter(pk=search.pk).first()
    if found is None:  # deleted meanwhile
        return
    since = max(found.looked_until - OVERLAP, found.created_at)
    new = Listing.objects.on_sale().filter(listed_at__gt=since).order_by("listed_at", "pk")
    rows = list(new.values_list("pk", "listed_at")[:NEW_AT_ONCE])
    if rows:
        hits = shelf_queries.among(_asked(found), [pk for pk, _at in rows])
        FoundProduct.objects.bulk_create(
            [FoundProduct(search=found, listing_id=pk) for pk in hits], ignore_conflicts=True
        )
        found.looked_until = max(found.looked_until, rows[-1][1] or found.looked_until)
    now = clock.now()
    if found.frequency != SavedSearch.Frequency.NEVER and found.next_alert_at <= now:
        _tell(found, now)
    found.claimed_until, found.error, found.tries = None, "", 0
    found.save(update_fields=["looked_until", "next_alert_at", "claimed_until", "error", "tries"])


def _tell(search: SavedSearch, now: dt.datetime) -> None:
    """Tell of what was not told yet and is still on sale."""
    untold = FoundProduct.objects.filter(search=search, told_at=None)
    on_sale = Listing.objects.on_sale().filter(pk__in=untold.values("listing")).select_related("current_version")
    listings = list(on_sale.order_by("-listed_at", "-pk"))
    untold.update(told_at=now)
    if not listings:
        return
    titles = [one.current_version.titles for one in listings[:SHOWN] if one.current_version]
    languages = sorted({language for title in titles for language in title})
    named = {
        language: "\n".join(title.get(language) or next(iter(title.values()), "") for title in titles)
        for language in languages
    }
    notifications.tell(
        "saved_search.found",
        people=[search.user],
        path=f"{reverse('saved_searches')}#search-{search.pk}",
        facts={"name": search.name, "count": len(listings), "quote": named},
        unsubscribe_path=stop_path(search),
    )
    search.next_alert_at = now + PERIODS[SavedSearch.Frequency(search.frequency)]
