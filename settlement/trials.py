"""Free trials as they are taken: one for each buyer and product, and only while what it goes on with is on sale."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from listings.models import Listing, Offer
from marketplace.errors import Invalid, Refused
from marketplace.models import Organisation
from settlement import extensions
from settlement.models import Trade


class TrialTaken(Refused):
    """Your organisation has had a trial of this product."""

    code = "trial_taken"
    says = _("Your organisation has had a trial of this product.")
    next = _("Look at the product's other offers.")


def taken(listing: Listing, buyer: Organisation) -> bool:
    """Whether this buyer took a trial of the product that came to be, or may yet."""
    own = Trade.objects.filter(buyer=buyer, listing=listing, is_trial=True)
    return own.exclude(state__in=extensions.FAILED).exists()


def require_first(offer: Offer, *, buyer: Organisation, converts: bool) -> None:
    """What is asked before a trade of this offer is made; of two trials at once the second waits here for the first.

    Raises TrialTaken, and Invalid `not_a_trial` where an offer that is none is to go on with another.
    """
    if not offer.is_trial:
        if converts:
            raise Invalid(
                _("This offer is no trial, so it goes on with no other."),
                code="not_a_trial",
                next=_("Leave out that it converts."),
            )
        return
    Organisation.objects.select_for_update(no_key=True).get(pk=buyer.pk)
    if taken(offer.listing, buyer):
        raise TrialTaken()
