"""A member's account at Stripe: opened by who manages its payouts, and what Stripe says of it."""

from __future__ import annotations

from django.db import transaction

from marketplace import journal, roles
from marketplace.models import Organisation, User
from settlement.gateways.stripe_members import Standing
from settlement.models import StripeAccount


@transaction.atomic
def record_opened(organisation: Organisation, reference: str, *, by: User) -> StripeAccount:
    """Stripe opened the account; one a member. Raises RoleNeeded."""
    roles.require(by, organisation, "manage_payout")
    account, is_new = StripeAccount.objects.get_or_create(
        organisation=organisation, defaults={"reference": reference, "opened_by": by}
    )
    if is_new:
        journal.record("stripe_account.opened", account, by=by, organisation=organisation.pk)
    return account


@transaction.atomic
def record_standing(account: StripeAccount, said: Standing) -> StripeAccount:
    """What Stripe lets the account do now."""
    account = StripeAccount.objects.select_for_update().get(pk=account.pk)
    if (account.takes_transfers, account.pays_out) != (said.takes_transfers, said.pays_out):
        account.takes_transfers, account.pays_out = said.takes_transfers, said.pays_out
        account.save(update_fields=["takes_transfers", "pays_out"])
        journal.record("stripe_account.changed", account, by=None, **vars(said))
    return account
