"""Where a member's money goes: a second person, a wait, a letter to every owner, and what PostgreSQL refuses."""

from __future__ import annotations

import datetime as dt
import time

import pytest
from django.db import DatabaseError, transaction
from django.test import Client

from compliance.verification import SamePerson
from marketplace import clock, tasks, tokens
from marketplace.errors import Refused, RoleNeeded, WrongState
from marketplace.models import Letter, Organisation, User
from settlement import payout_accounts
from settlement.models import Payout, PayoutAccount
from settlement.states import TradeState
from tests import factories, trading
from tests.races import together

pytestmark = pytest.mark.django_db


def named(organisation: Organisation, reference: str = "acct-new", by: User | None = None) -> PayoutAccount:
    by = by or factories.owner_of(organisation)
    return payout_accounts.name(organisation, gateway_name="sandbox", reference=reference, by=by)


def serves(organisation: Organisation) -> str:
    account = payout_accounts.account_of(organisation)
    return account.reference if account else ""


def signed_in(person: User, *, is_fresh: bool = True) -> Client:
    client = Client()
    client.force_login(person)
    if is_fresh:
        session = client.session
        session["account_authentication_methods"] = [{"method": "password", "at": time.time() + 3600}]
        session["account_authentication_methods_user"] = str(person.pk)
        session.save()
    return client


def test_a_first_account_serves_as_soon_as_a_second_person_confirms_it():
    seller = factories.make_verified()
    finance = factories.make_member(seller, "finance")
    account = named(seller)
    assert serves(seller) == ""
    with pytest.raises(SamePerson):
        payout_accounts.confirm(account, by=factories.owner_of(seller))
    payout_accounts.confirm(account, by=finance)
    assert serves(seller) == "acct-new"


def test_a_changed_account_waits_a_day_and_the_old_one_serves_meanwhile():
    seller = trading.make_verified()
    old = serves(seller)
    account = payout_accounts.confirm(named(seller), by=factories.make_member(seller, "owner"))
    assert account.effective_at == account.confirmed_at + dt.timedelta(hours=24)
    assert serves(seller) == old
    with clock.moved_to(account.effective_at - dt.timedelta(seconds=5)):
        assert serves(seller) == old
    with clock.moved_to(account.effective_at + dt.timedelta(seconds=1)):
        assert serves(seller) == "acct-new"


def test_staff_stand_in_only_where_the_organisation_has_nobody_else():
    seller, officer = factories.make_verified(), factories.make_staff("payments")
    account = named(seller)
    assert list(payout_accounts.waiting_for_staff()) == [account]
    finance = factories.make_member(seller, "finance")
    assert not payout_accounts.waiting_for_staff().exists()
    with pytest.raises(RoleNeeded) as refusal:
        payout_accounts.confirm(account, by=officer)
    assert refusal.value.code == "member_confirms"
    with pytest.raises(RoleNeeded):
        payout_accounts.confirm(account, by=factories.make_member(seller, "trader"))
    account.refresh_from_db()
    assert account.confirmed_at is None
    payout_accounts.confirm(account, by=finance)
    with pytest.raises(WrongState):
        payout_accounts.confirm(account, by=finance)


def test_every_owner_is_told_by_letter_and_may_stop_it_before_it_serves(mailoutbox):
    seller = trading.make_verified()
    second = factories.make_member(seller, "owner", "second@seller.example")
    factories.make_member(seller, "trader")
    Letter.objects.all().update(sent_at=clock.now())
    account = payout_accounts.confirm(named(seller), by=second)
    tasks.send_letters()
    owners = sorted([factories.owner_of(seller).email, "second@seller.example"])
    assert sorted(letter.to[0] for letter in mailoutbox) == sorted(owners * 2)
    assert all("acct-new" in letter.body for letter in mailoutbox)
    old = serves(seller)
    payout_accounts.drop(account, by=second)
    with clock.moved_to(clock.now() + dt.timedelta(days=2)):
        assert serves(seller) == old
    with pytest.raises(WrongState):
        payout_accounts.drop(account, by=second)


def test_one_account_waits_at_a_time():
    seller = trading.make_verified()
    named(seller)
    with pytest.raises(Refused) as refusal:
        named(seller, "acct-other")
    assert refusal.value.code == "account_waits"
    assert seller.payout_accounts.count() == 2


def test_the_database_refuses_what_the_commands_would_not_do():
    deal = trading.make_trade(TradeState.CLEARED)
    seller, payout = deal.trade.seller, Payout.objects.get()
    account = named(seller, by=deal.seller)
    now, officer = clock.now(), factories.make_staff("payments")
    mine = PayoutAccount.objects.filter(pk=account.pk)
    due = Payout.objects.filter(pk=payout.pk)
    for write in (
        lambda: mine.update(reference="acct-else"),
        lambda: mine.update(confirmed_at=now, effective_at=now),
        lambda: mine.update(confirmed_at=now, effective_at=now, confirmed_by=account.by),
        lambda: mine.update(confirmed_at=now, confirmed_by=officer),
        lambda: mine.delete(),
        lambda: due.update(gateway="sandbox", destination="acct-new", routed_at=now),
        lambda: due.update(gateway="sandbox", destination="acct-else", routed_at=now),
        lambda: due.update(state="sent"),
        lambda: PayoutAccount.objects.create(
            organisation=seller, gateway="sandbox", reference="x", by=officer, confirmed_at=now, effective_at=now
        ),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            write()
    confirmed = payout_accounts.confirm(account, by=officer)
    for write in (
        lambda: due.update(gateway="sandbox", destination="acct-new", routed_at=clock.now()),  # its wait is not over
        lambda: mine.update(effective_at=now),
        lambda: mine.update(dropped_at=confirmed.effective_at, dropped_by=officer),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            write()
    trading.work()
    payout.refresh_from_db()
    assert (payout.state, payout.destination) == ("paid", f"acct-{seller.pk}")


@pytest.mark.django_db(transaction=True)
def test_of_two_who_confirm_and_stop_at_once_the_account_ends_one_way():
    seller = trading.make_verified()
    people = [factories.make_member(seller, "owner"), factories.make_member(seller, "finance")]
    account = named(seller)
    answers = together(
        [
            lambda: payout_accounts.confirm(account, by=people[0]),
            lambda: payout_accounts.drop(account, by=people[1]),
        ]
    )
    account.refresh_from_db()
    assert account.dropped_at is not None
    assert sorted(answers) == (["done", "done"] if account.confirmed_at else ["done", "wrong_state"])
    assert serves(seller) == f"acct-{seller.pk}"


@pytest.mark.django_db(transaction=True)
def test_of_two_accounts_named_at_once_one_waits():
    seller = trading.make_verified()
    people = [factories.owner_of(seller), factories.make_member(seller, "finance")]
    answers = together([lambda person=person: named(seller, by=person) for person in people])
    assert sorted(answers) == ["account_waits", "done"]


def test_changing_it_on_the_page_takes_a_fresh_proof_and_two_people():
    seller = trading.make_verified()
    owner, finance = factories.owner_of(seller), factories.make_member(seller, "finance")
    form = {"gateway": "sandbox", "reference": "acct-page", "key": "the-key-of-this-form"}
    stale = signed_in(owner, is_fresh=False)
    assert "Confirm that it is you" in stale.get("/money/").content.decode()
    refused = stale.post("/money/", form)
    assert (refused.status_code, "reauthentication_needed" in refused.content.decode()) == (403, True)
    assert seller.payout_accounts.count() == 1
    assert signed_in(owner).post("/money/", form).url == "/money/"
    account = payout_accounts.coming(seller)
    assert account is not None
    page = signed_in(finance).get("/money/").content.decode()
    assert "acct-page" in page
    answer = signed_in(finance).post(f"/money/accounts/{account.pk}/confirm/", {"key": "the-key-of-that-form"})
    assert answer.url == "/money/"
    account.refresh_from_db()
    assert account.confirmed_by == finance


def test_a_key_cannot_change_an_account_over_the_api_but_may_name_the_first():
    for seller, status in ((factories.make_verified(), 201), (trading.make_verified(), 403)):
        owner = factories.owner_of(seller)
        _token, secret = tokens.create_token(
            user=owner, organisation=seller, name="Script", scopes=["read", "manage"], lapses_at=None, by=owner
        )
        answer = Client().post(
            "/api/v1/payout-accounts",
            {"gateway": "sandbox", "reference": "acct-script"},
            content_type="application/json",
            headers={"Authorization": f"Bearer {secret}", "Idempotency-Key": "one"},
        )
        assert answer.status_code == status, answer.content


def test_the_payments_desk_confirms_for_an_organisation_of_one():
    seller = factories.make_verified()
    account = named(seller)
    client = signed_in(factories.make_staff("payments"))
    assert "acct-new" in client.get("/admin/desks/payments/", {"show": "accounts"}).content.decode()
    said = {"act": "confirm_account", "row": account.pk, "key": "the-key-of-this-form"}
    assert client.post("/admin/desks/payments/act/", said).status_code == 302
    assert serves(seller) == "acct-new"
