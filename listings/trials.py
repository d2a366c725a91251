"""Free trials: an offer of some days at no price that names the paid offer it goes on with.

A trial goes on only where its buyer orders that; closing the paid offer closes its trials.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import QuerySet
from django.utils.translation import gettext

from listings.models import Listing, Offer
from listings.terms import Terms
from marketplace.models import Organisation


def locked_target(converts_to: Offer | None) -> Offer | None:
    """The paid offer of a trial that is being made, locked so that nobody closes it meanwhile."""
    if converts_to is None:
        return None
    return Offer.objects.select_for_update(no_key=True).get(pk=converts_to.pk)


def wrong_trial(trial: Offer, buyers: Sequence[Organisation], terms: Terms) -> list[dict[str, str]]:
    """Why this offer, not saved yet, cannot be a trial; of one that is none, why it cannot have days as its term."""
    paid = trial.converts_to
    has_days = isinstance(terms, dict) and "term_days" in terms
    if paid is None:
        return [_reason("terms", gettext("Only a free trial lasts days; give the term in months."))] if has_days else []
    found = []
    if not has_days:
        found.append(_reason("terms", gettext("Say how many days the trial lasts.")))
    if trial.price_minor or trial.steps:
        found.append(_reason("price_minor", gettext("A trial is free.")))
    if paid.listing_id != trial.listing_id:
        return [*found, _target(gettext("A trial goes on with an offer of the same product."))]
    if paid.closed_at is not None or paid.has_lapsed:
        found.append(_target(gettext("The paid offer is not open any more.")))
    if paid.is_trial or not paid.price_minor or paid.steps:
        found.append(_target(gettext("A trial goes on with an offer that has one price, neither free nor per call.")))
    if paid.instalments:
        found.append(_target(gettext("A trial goes on with an offer that is paid at once.")))
    if (paid.channel, paid.currency, paid.audience) != (trial.channel, trial.currency, trial.audience):
        found.append(_target(gettext("Delivery, currency and who may buy are those of the paid offer.")))
    elif trial.audience == Offer.Audience.NAMED and not set(buyers) <= set(paid.buyers.all()):
        found.append(_target(gettext("A trial names only buyers whom the paid offer names.")))
    if paid.open_until is not None and (trial.open_until is None or trial.open_until > paid.open_until):
        found.append(_target(gettext("The paid offer must be open for as long as its trial.")))
    return found


def with_trials(offer: Offer) -> list[Offer]:
    """A locked offer and its open trials, which are closed together."""
    trials = Offer.objects.filter(converts_to=offer, closed_at=None).select_for_update(no_key=True, of=("self",))
    return [offer, *trials.order_by("pk")]


def possible_targets(listing: Listing) -> QuerySet[Offer]:
    """The offers of a product that a trial may go on with."""
    return listing.offers.still_open().filter(converts_to=None, price_minor__gt=0, steps=[], instalments=[])


def _target(detail: str) -> dict[str, str]:
    return _reason("converts_to", detail)


def _reason(field: str, detail: str) -> dict[str, str]:
    return {"code": f"wrong_{field}", "detail": detail, "field": field}
