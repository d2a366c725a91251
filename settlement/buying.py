"""What stands in the way of buying an offer, told before anybody commits. `trades.propose` asks it all again."""

from __future__ import annotations

from django.utils.translation import gettext

from compliance import clearance
from compliance.clearance import Reason
from listings.models import Offer
from listings.pricing import Priced
from listings.states import ListingState
from marketplace import joint_merchants, roles
from marketplace.errors import Refused, Text, in_words
from marketplace.models import Organisation, User
from marketplace.participants import NoOrganisation
from settlement import defaults, fees, metering, trials
from settlement.channels import channel
from settlement.gateways import amounts


def reasons_against_proposal(offer: Offer, buyer: Organisation | None, block: Priced, *, by: User) -> list[Reason]:
    """Everything that would make `propose` refuse `block` of this offer now: `{code, detail, next}` each. Empty when
    nothing would.

    `offer` is one that `buyer` may see, with its listing, seller and current version.
    """
    if buyer is None:
        return [reason(NoOrganisation.code, str(NoOrganisation.says), NoOrganisation.next)]
    if joint_merchants.are_one_party(offer.listing.seller, buyer):
        return [
            reason("own_product", gettext("This is your own product."), gettext("Act for the organisation that buys."))
        ]
    reasons = [*_not_on_sale(offer), *_not_paid(offer, block), *_barred(offer, buyer)]
    if offer.is_postpaid and metering.taken(offer.listing, buyer):
        reasons.append(reason(metering.UsageTaken.code, metering.UsageTaken.says, metering.UsageTaken.next))
    if offer.is_trial and trials.taken(offer.listing, buyer):
        reasons.append(reason(trials.TrialTaken.code, trials.TrialTaken.says, trials.TrialTaken.next))
    if not roles.may(by, buyer, "propose"):
        roles_that_may = in_words(*sorted((role.label for role in roles.MEMBER_ACTS["propose"]), key=str))
        detail = gettext("Buying for %(buyer)s takes the role of %(roles_that_may)s.") % {
            "buyer": buyer,
            "roles_that_may": roles_that_may,
        }
        reasons.append(reason("role_needed", detail, gettext("Ask an owner of your organisation.")))
    if offer.listing.current_version is not None:
        next_step = gettext("Ask the seller for another way of delivery.")
        reasons += [reason("not_deliverable", problem, next_step) for problem in channel(offer.channel).check(offer)]
    return [*reasons, *clearance.reasons_against_trade(buyer, offer)]


def _not_on_sale(offer: Offer) -> list[Reason]:
    version = offer.listing.current_version
    is_listed = offer.listing.state == ListingState.LISTED and version is not None and version.release_id is not None
    if offer.closed_at is not None or offer.has_lapsed or not is_listed:
        return [
            reason("not_on_sale", gettext("This offer is not on sale."), gettext("Look at the product's other offers."))
        ]
    if offer.licences_left == 0:
        return [
            reason(
                "sold_out", gettext("No licence of this offer is left."), gettext("Ask the seller for another offer.")
            )
        ]
    return []


def _not_paid(offer: Offer, block: Priced) -> list[Reason]:
    """What keeps the price and the buyer's fee from being paid: no gateway, or none for this currency or this sum."""
    if not block.price_minor and not offer.is_postpaid:
        return []
    try:
        schedule = fees.schedule_for(offer.listing, offer.currency)
        if offer.is_postpaid:
            metering.require_payable(offer, block.unit_price_minor or 0, schedule)
            return []
        fee_minor = schedule.buyer_fee_minor(block.price_minor, block.currency)
        amounts.require_all_taken(block.price_minor, fee_minor, block.currency, offer.instalments)
    except Refused as refusal:
        return [reason(refusal.code, refusal.detail, refusal.next)]
    return []


def _barred(offer: Offer, buyer: Organisation) -> list[Reason]:
    try:
        if offer.price_minor:
            defaults.require_not_barred(buyer)
    except defaults.TooManyUnpaid as refusal:
        return [reason(refusal.code, refusal.detail, refusal.next)]
    return []


def reason(code: str, detail: Text, next_step: Text) -> Reason:
    """Something that stands in the way, with what one does then."""
    return {"code": code, "detail": str(detail), "next": str(next_step)}
