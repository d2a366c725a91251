"""Members' own accounts at Stripe: opened, filled in on Stripe's page, and looked at. Each function asks Stripe."""

from __future__ import annotations

from django.conf import settings
from django.urls import reverse

from marketplace.models import Organisation
from settlement.gateways.stripe_facts import KEY
from settlement.gateways.stripe_line import asking, services
from settlement.gateways.stripe_members import Standing
from settlement.models import StripeAccount


def open_account(organisation: Organisation) -> str:
    """Open the member's account, once; Stripe's id of it. Raises Declined, TryLater.

    The exchange bears fees and losses, Stripe asks the member for its papers. A member elsewhere than the exchange's
    own account only receives.
    """
    ask = services()
    with asking():
        home = str(ask.accounts.retrieve_current().country)
        made = ask.accounts.create(
            {
                "country": organisation.country,
                "controller": {
                    "fees": {"payer": "application"},
                    "losses": {"payments": "application"},
                    "stripe_dashboard": {"type": "express"},
                },
                "capabilities": {"transfers": {"requested": True}},
                "metadata": {KEY: organisation.public_id},
                **({} if home == organisation.country else {"tos_acceptance": {"service_agreement": "recipient"}}),
            },
            {"idempotency_key": f"account-{organisation.public_id}"},
        )
    return str(made.id)


def page_to_fill_in(account: StripeAccount) -> str:
    """Where the member gives Stripe what it asks for; serves once, for some minutes. Raises Declined, TryLater."""
    with asking():
        link = services().account_links.create(
            {
                "account": account.reference,
                "type": "account_onboarding",
                "refresh_url": f"{settings.BASE_URL}{reverse('stripe_account')}",
                "return_url": f"{settings.BASE_URL}{reverse('stripe_account_back')}",
            }
        )
    return str(link.url)


def standing_of(reference: str) -> Standing:
    """What Stripe says of the account now. Raises Declined, TryLater."""
    with asking():
        said = services().accounts.retrieve(reference).to_dict()
    transfers = (said.get("capabilities") or {}).get("transfers")
    return Standing(takes_transfers=transfers == "active", pays_out=bool(said.get("payouts_enabled")))
