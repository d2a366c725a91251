"""Members who are paid through Stripe: an account there is opened, filled in and named; who cannot be is told why."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, transaction
from django.test import Client
from django.urls import reverse

from marketplace.errors import Invalid
from settlement import payout_accounts
from settlement.models import PayoutAccount, StripeAccount
from tests import bank_messages, factories
from tests.contracts.stripe_world import configure_stripe
from tests.stripe_server import StripeServer

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def server(settings):
    settings.GATEWAYS = {
        "stripe": "settlement.gateways.stripe.Stripe",
        "bank": "settlement.gateways.bank.Bank",
    }
    settings.DEFAULT_GATEWAY, settings.BANK_ACCOUNTS = "stripe", bank_messages.ACCOUNTS
    with StripeServer() as running:
        configure_stripe(settings, running)
        yield running


def signed_in(organisation) -> Client:
    client = Client()
    client.force_login(organisation.created_by)
    return client


def test_a_member_opens_an_account_fills_it_in_and_names_it_with_a_second_person(server):
    member = factories.make_verified("A Seller Limited", country="HK")
    client, page = signed_in(member), reverse("stripe_account")
    assert client.get(page).status_code == 404 == client.get(reverse("stripe_account_back")).status_code
    assert b"Open an account at Stripe" in client.get(reverse("money")).content
    for _twice in range(2):
        assert client.post(page).headers["Location"] == reverse("money")
    account = StripeAccount.objects.get()
    assert [account.reference] == list(server.accounts) and not account.takes_transfers
    assert client.get(page).headers["Location"] == f"https://connect.stripe.com/setup/e/{account.reference}"
    by = member.created_by
    name = {"gateway_name": "stripe", "by": by}
    with pytest.raises(Invalid, match="does not let this account take money yet"):
        payout_accounts.name(member, reference=account.reference, **name)
    assert b"Continue at Stripe" in client.get(reverse("money")).content

    server.open_account(account.reference)  # what it asked for was given
    assert client.get(reverse("stripe_account_back")).headers["Location"] == reverse("money")
    account.refresh_from_db()
    assert account.takes_transfers and account.pays_out
    assert f'value="{account.reference}"'.encode() in client.get(reverse("money")).content
    with pytest.raises(Invalid, match="not your organisation"):
        payout_accounts.name(member, reference="acct_ofsomebodyelse", **name)
    assert not PayoutAccount.objects.exists()
    named = payout_accounts.name(member, reference=account.reference, **name)
    payout_accounts.confirm(named, by=factories.make_staff("payments"))
    assert payout_accounts.account_of(member) == named
    assert client.get(page).status_code == 403  # who changes where money goes signs in anew
    for change in ({"reference": "acct_another0001"}, {"opened_by": factories.make_user()}):
        with pytest.raises(DatabaseError), transaction.atomic():
            StripeAccount.objects.update(**change)


def test_a_member_stripe_does_not_serve_is_told_where_it_names_its_account(server, settings):
    member = factories.make_verified("A Mainland Company", country="CN")
    client = signed_in(member)
    shown = client.get(reverse("money")).content.decode()
    assert "Stripe pays no members in" in shown and "pays you by bank transfer" in shown
    with pytest.raises(Invalid) as refusal:
        payout_accounts.name(member, gateway_name="stripe", reference="acct_1234567890", by=member.created_by)
    assert refusal.value.code == "country_not_served" and "account at a bank" in str(refusal.value.next)
    assert client.post(reverse("stripe_account")).status_code == 422
    settings.GATEWAYS = {"stripe": settings.GATEWAYS["stripe"]}
    assert b"Ask the exchange how it can pay you" in client.get(reverse("money")).content
    assert not StripeAccount.objects.exists() and server.asked == []


def test_a_stripe_that_refuses_or_is_down_leaves_no_account(server):
    for country, why in (("JP", "Stripe refused: country unsupported"), ("SG", "Stripe does not answer")):
        client = signed_in(factories.make_verified(f"A Member in {country}", country=country))
        server.is_down = country == "SG"
        assert why in client.post(reverse("stripe_account"), follow=True).content.decode()
    assert not StripeAccount.objects.exists()
