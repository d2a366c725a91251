"""What waits for a seller in the studio: of each kind the oldest few and their age, in a fixed number of statements."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import Exists, F, Max, OuterRef, QuerySet, Subquery
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, npgettext

from compliance import proofs, reviews
from compliance.models import ReviewQuestion
from listings.models import Listing, Offer, Question, Release, ReleaseFile, Version
from listings.product_page import WITHOUT_CHANNEL
from listings.states import ListingState, ProfileState, VersionState
from marketplace import clock
from marketplace.models import Organisation
from marketplace.roles import MEMBER_ACTS
from settlement import licensee_notices

SHOWN = 5
ON_SALE_OR_NEARLY = (ListingState.REGISTERED, ListingState.LISTED)


@dataclass(frozen=True)
class Task:
    """One thing to do: what, about which product or paper, where; since when it waits, or until which day."""

    text: str
    about: str
    url: str
    since: dt.datetime | None = None
    until: dt.date | None = None
    is_last: bool = False  # more of this kind wait and are not shown

    @property
    def age(self) -> str:
        """How long it has waited, in whole days."""
        days = (clock.now() - self.since).days if self.since else 0
        if not days:
            return _("since today")
        return npgettext("something waits", "for %(days)s day", "for %(days)s days", days) % {"days": days}


def of(seller: Organisation, role: str | None) -> list[Task]:
    """What a person of this role can do next; what keeps others waiting first."""
    kinds: list[tuple[str, Callable[[Organisation], Iterable[Task]]]] = [
        ("edit_listing", questions),
        ("edit_listing", buyers_ask),
        ("edit_listing", sent_back),
        ("edit_listing", _failed),
        ("edit_listing", lambda seller: _drafts(seller, may_submit=role in MEMBER_ACTS["submit"])),
        ("edit_listing", _untold),
        ("edit_listing", _unsealed),
        ("offer", _without_offer),
        ("apply", _papers),
    ]
    found: list[Task] = []
    for act, tasks_of in kinds:
        if role in MEMBER_ACTS[act]:
            tasks = list(tasks_of(seller))
            found += tasks[: SHOWN - 1]
            found += [replace(task, is_last=len(tasks) > SHOWN) for task in tasks[SHOWN - 1 : SHOWN]]
    return found


def _first(rows: QuerySet[Any]) -> list[Any]:
    """One more than is shown, to know whether there are more."""
    return list(rows[: SHOWN + 1])


def _title(listing: Listing, version: Version | None) -> str:
    return (version.title if version else "") or str(listing)


def _version_url(version: Version) -> str:
    return reverse("studio_version", args=[version.listing.public_id, version.number])


def questions(seller: Organisation) -> Iterable[Task]:
    """Questions of the reviewers, each at its field."""
    waiting = ReviewQuestion.objects.filter(
        review__version__listing__seller=seller, answered_at=None, withdrawn_at=None
    )
    for question in _first(waiting.select_related("review__version__listing").order_by("asked_at", "pk")):
        version = question.review.version
        url = f"{_version_url(version)}#question-{question.pk}"
        yield Task(_("Answer the reviewers’ question"), version.title, url, since=question.asked_at)


def buyers_ask(seller: Organisation) -> Iterable[Task]:
    """Questions about its products that wait for an answer in public."""
    rows = Question.objects.open().filter(listing__seller=seller).select_related("listing__current_version")
    for question in _first(rows.order_by("asked_at", "pk")):
        listing = question.listing
        url = f"{reverse('product_questions', args=[listing.public_id])}#question-{question.pk}"
        about = _title(listing, listing.current_version)
        yield Task(_("Answer a question about a product"), about, url, since=question.asked_at)


def _of_newest(seller: Organisation, state: str) -> QuerySet[Version]:
    """The versions in this state that no newer one follows, of products that were not withdrawn."""
    rows = Version.objects.filter(listing__seller=seller, state=state).exclude(listing__state=ListingState.WITHDRAWN)
    return rows.annotate(newest=Max("listing__versions__number")).filter(number=F("newest"))


def sent_back(seller: Organisation) -> Iterable[Task]:
    """Manuals the reviewers sent back."""
    rows = _of_newest(seller, VersionState.CHANGES_REQUESTED).select_related("listing", "review")
    for version in _first(rows.order_by("pk")):
        url = reverse("studio_product", args=[version.listing.public_id])
        yield Task(_("Rework the manual that was sent back"), version.title, url, since=version.review.decided_at)


def _releases(seller: Organisation) -> QuerySet[Release]:
    """Releases of products that were not withdrawn, each with the newest titles of its product."""
    named = Version.objects.filter(listing=OuterRef("listing")).exclude(titles={}).order_by("-number")
    rows = Release.objects.filter(listing__seller=seller).exclude(listing__state=ListingState.WITHDRAWN)
    return rows.select_related("listing__current_version").annotate(titles=Subquery(named.values("titles")[:1]))


def _release_task(words: str, release: Any, since: dt.datetime | None) -> Task:
    about = f"{_title(release.listing, Version(titles=release.titles or {}))} · {release.label}"
    url = reverse("studio_release", args=[release.listing.public_id, release.pk])
    return Task(words, about, url, since=since)


def _failed(seller: Organisation) -> Iterable[Task]:
    """Releases that could not be measured, as long as no newer one of the product was opened."""
    newer = Release.objects.filter(listing=OuterRef("listing"), pk__gt=OuterRef("pk"))
    rows = _releases(seller).filter(~Exists(newer), profile__state=ProfileState.FAILED)
    for release in _first(rows.order_by("pk")):
        yield _release_task(_("See why a release could not be measured"), release, release.sealed_at)


def _drafts(seller: Organisation, *, may_submit: bool) -> Iterable[Task]:
    """Drafts, each with how much is left; one with nothing left only for who may hand it in."""
    rows = _of_newest(seller, VersionState.DRAFT).select_related("listing__seller", "release__profile")
    drafts: list[Version] = _first(rows.order_by("created_at", "pk"))
    left = reviews.left_of(drafts, seller)
    for version in drafts:
        count = len(left[version.pk])
        if not count and not may_submit:
            continue
        told = ngettext("%(count)s thing left", "%(count)s things left", count) % {"count": count}
        words = _("Go on with the draft") if count else _("Hand the draft in")
        about = f"{_title(version.listing, version)} · {told if count else _('Ready to hand in')}"
        yield Task(words, about, _version_url(version), since=version.created_at)


def _untold(seller: Organisation) -> Iterable[Task]:
    """Releases on sale that the licensees of an earlier one were not told of."""
    for listing in _first(licensee_notices.waiting_proposals(seller).order_by("pk")):
        url = reverse("studio_notices", args=[listing.public_id])
        yield Task(_("Tell licensees of the new release"), _title(listing, listing.current_version), url)


def _unsealed(seller: Organisation) -> Iterable[Task]:
    """Releases that hold files and are still open."""
    rows = _releases(seller).filter(Exists(ReleaseFile.objects.filter(release=OuterRef("pk"))), sealed_at=None)
    for release in _first(rows.order_by("created_at", "pk")):
        yield _release_task(_("Seal the release"), release, release.created_at)


def _without_offer(seller: Organisation) -> Iterable[Task]:
    """Products in the register that nobody can order, though the exchange could deliver them."""
    is_open = Offer.objects.filter(listing=OuterRef("pk"), closed_at=None)
    rows = Listing.objects.sold_by(seller).filter(~Exists(is_open), state__in=ON_SALE_OR_NEARLY)
    rows = rows.exclude(product_type__in=WITHOUT_CHANNEL).select_related("current_version")
    for listing in _first(rows.order_by(F("listed_at").asc(nulls_last=True), "pk")):
        url = reverse("studio_offer", args=[listing.public_id])
        yield Task(_("Make an offer"), _title(listing, listing.current_version), url, since=listing.listed_at)


def _papers(seller: Organisation) -> Iterable[Task]:
    """Papers of the organisation that are about to expire, or have."""
    for proof in _first(proofs.expiring().filter(organisation=seller)):
        yield Task(_("Show a newer paper"), str(proof), reverse("organisation_papers"), until=proof.expires_on)
