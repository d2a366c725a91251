"""Tiers of membership: decided by the staff, with a reason; every decision is kept."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from compliance.models import Tier, TierDecision
from compliance.reasons import require_sentence
from marketplace import journal, roles
from marketplace.errors import Invalid, RoleNeeded
from marketplace.models import Membership, Organisation, User


def tier_of(organisation: Organisation) -> Tier | None:
    """The tier the organisation is in; None before the staff decided on one."""
    decision = TierDecision.objects.filter(organisation=organisation).select_related("tier").first()
    return decision.tier if decision else None


def codes_of(organisations: Iterable[Organisation]) -> dict[int, str]:
    """The codes of the tiers these are in, by the organisation's id; without those nobody decided on. One statement."""
    rows = TierDecision.objects.filter(organisation__in=organisations).order_by("pk")
    return dict(rows.values_list("organisation_id", "tier__code"))


@transaction.atomic
def decide(organisation: Organisation, *, tier: str, reason: str, by: User) -> TierDecision:
    """Put the organisation into the tier of this code. Raises RoleNeeded, Invalid `no_such_tier` or `same_tier`."""
    roles.require_staff(by, "vet")
    reason = require_sentence(reason)
    organisation = Organisation.objects.select_for_update(no_key=True).get(pk=organisation.pk)
    if Membership.objects.filter(user=by, organisation=organisation).exists():
        raise RoleNeeded(
            _("Nobody decides on an organisation they belong or belonged to."),
            code="own_organisation",
            next=_("Let a colleague who does not decide."),
        )
    found = Tier.objects.filter(code=tier).first()
    if found is None:
        raise Invalid(_("There is no such tier."), code="no_such_tier", next=_("Choose one that the desk offers."))
    before = tier_of(organisation)
    if before == found:
        raise Invalid(_("It is in this tier already."), code="same_tier")
    decision = TierDecision.objects.create(organisation=organisation, tier=found, reason=reason, by=by)
    journal.record(
        "organisation.tier_decided", organisation, by=by, tier=found.code, before=before.code if before else "",
    )  # fmt: skip
    return decision
