"""Questions only: may this organisation list, may these two trade, is anything here held?

`reasons_against_…` give everything that stands in the way, each with code, detail and what to do next;
`require_…` raise NotCleared with the same reasons. Nothing is changed here.
"""

from __future__ import annotations

from collections.abc import Collection

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from compliance import crossborder, holds
from compliance.models import Verification
from compliance.states import VerificationState
from listings import personal_found
from listings.models import Listing, Offer, Version
from marketplace.errors import NotCleared, Text
from marketplace.models import Organisation

Reason = dict[str, str]

NOT_VERIFIED: dict[str | None, tuple[Text, Text]] = {
    None: (
        _("has not applied to the exchange"),
        _("An owner applies under “Organisation” and accepts the exchange's rules."),
    ),
    VerificationState.APPLIED: (
        _("has applied and is being vetted"),
        _("Wait for the exchange's answer; it stands on the organisation's page."),
    ),
    VerificationState.MORE_REQUESTED: (
        _("was asked for more before it can be verified"),
        _("An owner answers what is asked on the organisation's page and applies again."),
    ),
    VerificationState.REFUSED: (
        _("was refused by the exchange"),
        _("See the reason on the organisation's page; once it is remedied an owner may apply again."),
    ),
    VerificationState.SUSPENDED: (
        _("is suspended"),
        _("See the reason on the organisation's page and write to the exchange."),
    ),
    VerificationState.EXPELLED: (_("was expelled from the exchange"), _("There is no way to trade with it here.")),
}

# What a hold lies on, where it is not told by name.
THIS = {"listing": _("This listing"), "trade": _("This trade")}


def reasons_against_trade(buyer: Organisation, offer: Offer, *, version: Version | None = None) -> list[Reason]:
    """Everything compliance has against `buyer` taking this offer of the listing's current (or the given) version."""
    return _weigh_trade(buyer, offer, version)[0]


def require_trade(buyer: Organisation, offer: Offer, *, version: Version | None = None) -> crossborder.Decision:
    """The cross-border decision of a trade compliance has nothing against. Raises NotCleared. Three statements."""
    reasons, decision = _weigh_trade(buyer, offer, version)
    if reasons or decision is None:
        raise NotCleared(_("Compliance does not clear this trade: %(why)s"), reasons=reasons, why=reasons[0]["detail"])
    return decision


def _weigh_trade(
    buyer: Organisation, offer: Offer, version: Version | None
) -> tuple[list[Reason], crossborder.Decision | None]:
    listing = offer.listing
    seller = listing.seller
    reasons = _reasons({"buyer": buyer, "seller": seller}, listing)
    version = version or listing.current_version
    if version is None:
        reasons.append(
            {
                "code": "no_version",
                "detail": gettext("This product has no reviewed version."),
                "next": gettext("Wait for its review."),
            }
        )
        return reasons, None
    measured = personal_found.columns_of(version)
    reasons += [
        {
            "code": contradiction["code"],
            "detail": contradiction["detail"],
            "next": gettext("The seller corrects the manual in a new version, which is reviewed before it is traded."),
        }
        for contradiction in personal_found.contradictions(version, measured)
    ]
    decision = crossborder.decide(facts_of(buyer, offer, version, has_measured_persons=bool(measured)))
    return [*reasons, *decision.reasons], decision


def facts_of(
    buyer: Organisation, offer: Offer, version: Version, *, has_measured_persons: bool = False
) -> crossborder.Facts:
    """The facts the cross-border decision is made from; personal data counts whether the manual admits it or not."""
    return crossborder.Facts(
        seller_country=offer.listing.seller.country,
        buyer_country=buyer.country,
        classification=version.classification,
        has_personal_data=(
            version.has_personal_data or version.has_sensitive_data or version.persons_count > 0 or has_measured_persons
        ),
        channel=offer.channel,
    )


def reasons_against_listing(seller: Organisation) -> list[Reason]:
    """Everything compliance has against this organisation offering products."""
    return _reasons({"organisation": seller})


def require_listing(seller: Organisation) -> None:
    """Raises NotCleared with every reason. Two statements."""
    if reasons := reasons_against_listing(seller):
        raise NotCleared(
            _("Compliance does not clear this organisation to list: %(why)s"), reasons=reasons, why=reasons[0]["detail"]
        )


def require_member(organisation: Organisation) -> None:
    """Raises NotCleared with every reason unless it is a member in good standing. Two statements."""
    if reasons := _reasons({"organisation": organisation}):
        raise NotCleared(
            _("Compliance does not clear this organisation: %(why)s"), reasons=reasons, why=reasons[0]["detail"]
        )


def is_verified(organisation: Organisation) -> bool:
    """Whether the exchange has verified it, and has not suspended or expelled it since."""
    return Verification.objects.filter(organisation=organisation, state=VerificationState.VERIFIED).exists()


def are_held(*, listing: Listing, buyer: Organisation, seller: Organisation, trade_id: int | None = None) -> bool:
    """Whether a hold lies on any of these. One statement."""
    return bool(
        holds.lying_on(
            organisations=[buyer.pk, seller.pk],
            listings=[listing.pk],
            trades=[] if trade_id is None else [trade_id],
        )
    )


def is_held(organisation: Organisation) -> bool:
    """Whether this organisation is held, suspended or expelled."""
    return bool(holds.lying_on(organisations=[organisation.pk]))


def require_not_held(
    *, listing: Listing, buyer: Organisation, seller: Organisation, trade_id: int | None = None
) -> None:
    """Raises NotCleared when a hold lies on the trade, its listing, buyer or seller. One statement."""
    reasons = _held([buyer, seller], listing, trade_id)
    if reasons:
        raise NotCleared(_("This stands still: %(why)s"), reasons=reasons, why=reasons[0]["detail"])


def _standing(organisations: dict[str, Organisation]) -> dict[int, str | None]:
    """The verification state of each organisation, None for one that never applied. One statement."""
    states = dict(
        Verification.objects.filter(organisation__in=organisations.values()).values_list("organisation_id", "state")
    )
    return {organisation.pk: states.get(organisation.pk) for organisation in organisations.values()}


def _reasons(organisations: dict[str, Organisation], listing: Listing | None = None) -> list[Reason]:
    """One reason for each organisation, by its part, that is not verified; and one for each hold. Two statements."""
    standing = _standing(organisations)
    unverified = [
        {
            "code": f"{part}_not_verified",
            "detail": gettext("%(organisation)s %(standing)s.")
            % {"organisation": organisation, "standing": NOT_VERIFIED[standing[organisation.pk]][0]},
            "next": str(NOT_VERIFIED[standing[organisation.pk]][1]),
        }
        for part, organisation in organisations.items()
        if standing[organisation.pk] != VerificationState.VERIFIED
    ]
    barred = {pk for pk, state in standing.items() if state in holds.HELD_STATES}  # told already
    return unverified + _held(list(organisations.values()), listing, without=barred)


def _held(
    organisations: list[Organisation],
    listing: Listing | None = None,
    trade_id: int | None = None,
    *,
    without: Collection[int] = (),
) -> list[Reason]:
    names = {("organisation", organisation.pk): str(organisation) for organisation in organisations}
    lying = holds.lying_on(
        organisations=[organisation.pk for organisation in organisations],
        listings=[listing.pk] if listing else [],
        trades=[] if trade_id is None else [trade_id],
    )
    return [
        {
            "code": f"{kind}_held",
            "detail": gettext("%(name)s is held by the exchange's compliance.")
            % {"name": names.get((kind, pk), THIS.get(kind, kind))},
            "next": gettext("Wait until it is lifted, or write to the exchange."),
        }
        for kind, pk in sorted(set(lying))
        if not (kind == "organisation" and pk in without)
    ]
