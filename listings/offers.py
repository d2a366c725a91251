"""Offers: at what price, under which terms and through which channel a product may be had, and how many licences."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from listings import licence_contract, payment_plans, plain_text, pricing, private_offers, shelf, trials
from listings import terms as licence_terms
from listings.models import Classification, Listing, Offer, OfferBuyer, Version
from listings.states import ListingState, VersionState
from marketplace import clock, journal, roles
from marketplace.errors import Invalid, SoldOut, WrongState
from marketplace.models import Organisation, User
from marketplace.money import LARGEST_MINOR

LONGEST_INSPECTION_DAYS = 60
MOST_LICENCES = 1_000_000
MOST_NAMED_BUYERS = 500
MOST_OPEN_OFFERS = 50
# Data of these classes is never handed over as files; a buyer may only ask questions of it where it is kept.
NEVER_AS_FILES = (Classification.CORE, Classification.IMPORTANT, Classification.GENERAL_4)
_STANDING = [VersionState.DRAFT, VersionState.SUBMITTED, VersionState.IN_REVIEW]


def channel_choices() -> list[tuple[str, Any]]:
    """The ways of delivery of this exchange, as a seller chooses one."""
    return [(name, _("as files") if name == "files" else name) for name in settings.CHANNELS]


@transaction.atomic
def make_offer(
    listing: Listing,
    *,
    name: str,
    price_minor: int | None = None,
    currency: str,
    steps: list[pricing.Step] | None = None,
    most_quantity: int | None = None,
    instalments: list[payment_plans.Part] | None = None,
    is_postpaid: bool = False,
    terms: licence_terms.Terms,
    by: User,
    channel: str = "files",
    inspection_days: int = 7,
    jurisdiction: str = "",
    audience: str = Offer.Audience.EVERYONE,
    buyers: Iterable[Organisation] = (),
    licences_total: int | None = None,
    open_until: dt.datetime | None = None,
    note: str = "",
    converts_to: Offer | None = None,
) -> Offer:
    """Offer a product. `price_minor` is in minor units of `currency`, 0 is free; `licences_total` None is unlimited.
    Priced per call it has `steps` and `most_quantity` instead (see `pricing`); `is_postpaid` bills the calls monthly.
    Its price is paid in `instalments`, at once where there are none (see `payment_plans`).

    `buyers` are the organisations a named offer names; they are told of it and read `note`. `open_until` ends the
    offer by itself; None keeps it until it is closed. `jurisdiction` is one of `licence_contract.jurisdictions`, the
    nearest to the seller's seat by default. Publishing an offer agrees to the licence contract in force. A free trial
    names the paid offer it `converts_to`, and its terms give `term_days`.

    Raises RoleNeeded, WrongState for a withdrawn product, and Invalid with every reason at once.
    """
    listing = Listing.objects.select_for_update(no_key=True).select_related("seller").get(pk=listing.pk)
    roles.require(by, listing.seller, "offer")
    if listing.state == ListingState.WITHDRAWN:
        raise WrongState(_("This product was withdrawn; it takes no new offer."))
    buyers = list(buyers)
    jurisdiction = jurisdiction or licence_contract.default_jurisdiction(listing.seller.country)
    reasons: list[dict[str, str]] = [
        *pricing.wrong_steps(steps, most_quantity, price_minor, is_postpaid=is_postpaid),
        *_wrong_price(0 if steps else price_minor, currency),
        *_wrong_conditions(name, channel, inspection_days, licences_total),
        *_wrong_jurisdiction(jurisdiction),
        *_wrong_audience(listing, audience, buyers),
        *private_offers.wrong_end(open_until),
        *private_offers.wrong_note(note, audience),
        *(
            {"code": problem["code"], "detail": problem["detail"], "field": "terms"}
            for problem in licence_terms.problems(terms)
        ),
    ]
    if not reasons:
        paid = trials.locked_target(converts_to)
        trial = Offer(
            listing=listing,
            price_minor=price_minor or 0,
            steps=steps or [],
            currency=currency,
            channel=channel,
            audience=audience,
            open_until=open_until,
            converts_to=paid,
        )
        reasons += [*trials.wrong_trial(trial, buyers, terms), *payment_plans.wrong_plan(instalments, trial)]
    if not reasons:
        for version in standing_versions(listing):
            reasons += contradictions(version, channel=channel, terms=terms)
    if listing.offers.filter(closed_at=None).count() >= MOST_OPEN_OFFERS:
        detail = gettext("A product has at most %(most_open_offers)s open offers; close one first.") % {
            "most_open_offers": MOST_OPEN_OFFERS
        }
        reasons.append({"code": "too_many_offers", "detail": detail, "field": ""})
    if reasons:
        raise Invalid(
            _("The offer was not made: %(why)s"), code="wrong_offer", reasons=reasons, why=reasons[0]["detail"]
        )
    offer = Offer.objects.create(
        listing=listing,
        name=name.strip(),
        price_minor=pricing.least_price_minor(steps) if steps else price_minor or 0,
        currency=currency,
        steps=steps or [],
        most_quantity=most_quantity,
        instalments=instalments or [],
        is_postpaid=is_postpaid,
        terms=terms,
        channel=channel,
        inspection_days=inspection_days,
        jurisdiction=jurisdiction,
        contract_version=licence_contract.CURRENT_VERSION,
        audience=audience,
        licences_total=licences_total,
        licences_left=licences_total,
        created_by=by,
        open_until=open_until,
        note=note.strip(),
        converts_to=converts_to,
    )
    OfferBuyer.objects.bulk_create([OfferBuyer(offer=offer, organisation=buyer) for buyer in buyers])
    private_offers.tell(offer, buyers)
    shelf.put(listing)
    journal.record(
        "offer.made",
        offer,
        by=by,
        listing=listing.pk,
        price_minor=offer.price_minor,
        currency=currency,
        **({"steps": steps, "most_quantity": most_quantity} if steps else {}),
        **({"instalments": instalments} if instalments else {}),
        **({"is_postpaid": True} if is_postpaid else {}),
        licences_total=licences_total,
        jurisdiction=jurisdiction,
        contract_version=offer.contract_version,
        open_until=open_until.isoformat() if open_until else "",
        **({"converts_to": converts_to.pk} if converts_to else {}),
    )
    return offer


@transaction.atomic
def close_offer(offer: Offer, *, by: User) -> Offer:
    """Take an offer off sale, and its trials; trades made under it go on. Raises RoleNeeded, WrongState."""
    offer = (
        Offer.objects.select_for_update(no_key=True, of=("self",)).select_related("listing__seller").get(pk=offer.pk)
    )
    roles.require(by, offer.listing.seller, "offer")
    if offer.closed_at is not None:
        raise WrongState(_("This offer is closed already."))
    for one in trials.with_trials(offer):
        one.closed_at = clock.now()
        one.save(update_fields=["closed_at"])
        journal.record("offer.closed", one, by=by, listing=one.listing_id)
    shelf.put(offer.listing)
    return offer


def close_all(listing: Listing, *, by: User | None) -> None:
    """Take every open offer of a listing off sale, in the caller's transaction."""
    for offer in listing.offers.filter(closed_at=None).select_for_update(no_key=True).order_by("pk"):
        offer.closed_at = clock.now()
        offer.save(update_fields=["closed_at"])
        journal.record("offer.closed", offer, by=by, listing=listing.pk)
    shelf.put(listing)


def take_licence(offer: Offer) -> None:
    """Take one licence, in the caller's transaction; nothing happens where their number is not limited.

    One conditional UPDATE: of six buyers of the last licence one gets it. Raises SoldOut.
    """
    if offer.licences_total is None:
        return
    if not Offer.objects.filter(pk=offer.pk, licences_left__gt=0).update(licences_left=F("licences_left") - 1):
        raise SoldOut(_("No licence of the offer “%(offer)s” is left."), offer=offer.name)


def give_back_licence(offer: Offer) -> None:
    """Put one licence back on sale, in the caller's transaction. Whoever calls this knows that it was taken."""
    if offer.licences_total is None:
        return
    Offer.objects.filter(pk=offer.pk).update(licences_left=F("licences_left") + 1)


def standing_versions(listing: Listing) -> list[Version]:
    """The versions an offer must agree with: the one on sale and those on their way."""
    coming = list(listing.versions.filter(state__in=_STANDING))
    return ([listing.current_version] if listing.current_version else []) + coming


def contradictions(version: Version, *, channel: str, terms: licence_terms.Terms) -> list[dict[str, str]]:
    """Why data like this manual's must not be offered through this channel, or under these terms."""
    found = []
    if channel == "files" and version.classification in NEVER_AS_FILES:
        detail = gettext("%(classification)s is never delivered as files.") % {
            "classification": version.get_classification_display()
        }
        found.append({"code": "never_as_files", "detail": detail, "field": "channel"})
    if version.has_personal_data and terms["personal_data"] == "none":
        detail = gettext("The manual says that the data contains personal information, the terms say that it does not.")
        found.append({"code": "terms_deny_personal_data", "detail": detail, "field": "terms"})
    return found


def _reason(field: str, detail: str) -> dict[str, str]:
    return {"code": f"wrong_{field}", "detail": detail, "field": field}


def _is_count(value: object, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _wrong_price(price_minor: Any, currency: Any) -> list[dict[str, str]]:
    found = []
    if not _is_count(price_minor, 0, LARGEST_MINOR):
        found.append(_reason("price_minor", gettext("The price is a whole number of minor units, 0 for free.")))
    if currency not in settings.CURRENCIES:
        found.append(
            _reason("currency", gettext("Choose one of %(known)s.") % {"known": ", ".join(settings.CURRENCIES)})
        )
    return found


def _wrong_conditions(name: Any, channel: Any, inspection_days: Any, licences_total: Any) -> list[dict[str, str]]:
    found = []
    try:
        plain_text.cleaned(name, 120, shortest=1, is_one_line=True)
    except plain_text.NotPlain as wrong:
        found.append(_reason("name", gettext("The offer's name: %(wrong)s") % {"wrong": wrong}))
    if channel not in list(settings.CHANNELS):
        found.append(_reason("channel", gettext("Choose one of %(known)s.") % {"known": ", ".join(settings.CHANNELS)}))
    if not _is_count(inspection_days, 1, LONGEST_INSPECTION_DAYS):
        detail = gettext("The buyer inspects the data for 1 to %(longest_inspection_days)s days.") % {
            "longest_inspection_days": LONGEST_INSPECTION_DAYS
        }
        found.append(_reason("inspection_days", detail))
    if licences_total is not None and not _is_count(licences_total, 1, MOST_LICENCES):
        detail = gettext("Give a number of licences from 1 to %(most_licences)s, or none for no limit.") % {
            "most_licences": f"{MOST_LICENCES:,}"
        }
        found.append(_reason("licences_total", detail))
    return found


def _wrong_jurisdiction(jurisdiction: Any) -> list[dict[str, str]]:
    known = licence_contract.jurisdictions()
    if isinstance(jurisdiction, str) and jurisdiction in known:
        return []
    return [_reason("jurisdiction", gettext("Choose one of %(known)s.") % {"known": ", ".join(known)})]


def _wrong_audience(listing: Listing, audience: Any, buyers: list[Organisation]) -> list[dict[str, str]]:
    if audience not in Offer.Audience.values:
        return [_reason("audience", gettext("Choose one of %(known)s.") % {"known": ", ".join(Offer.Audience.values)})]
    if audience != Offer.Audience.NAMED:
        return [_reason("buyers", gettext("Only an offer to named buyers names buyers."))] if buyers else []
    if not 1 <= len(buyers) <= MOST_NAMED_BUYERS or len(set(buyers)) != len(buyers):
        return [
            _reason(
                "buyers",
                gettext("Name 1 to %(most_named_buyers)s different buyers.") % {"most_named_buyers": MOST_NAMED_BUYERS},
            )
        ]
    if listing.seller in buyers:
        return [_reason("buyers", gettext("The seller cannot be its own buyer."))]
    return []
