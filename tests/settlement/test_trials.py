"""Free trials: nothing is paid, one for each buyer and product, and they go on only where their buyer orders that."""

from __future__ import annotations

import datetime as dt
import threading

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client

from listings import discounts, offers, private_offers, product_page
from listings.catalogue import products
from listings.models import Offer, ShelfItem
from marketplace import clock, journal
from marketplace.errors import Invalid, Refused
from marketplace.models import Notification
from settlement import deliveries, library, renewals, seller_numbers, tasks, trades, trials
from settlement.models import Renewal, Trade
from settlement.states import GrantState, RenewalState, TradeState
from tests import factories, trading

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)
DAYS = 14
TERMS = {
    "purposes": ["internal_analysis"], "territory": ["*"], "term_months": None, "derived_works": "internal",
    "redistribution": "none", "seats": None, "personal_data": "none", "term_days": DAYS,
}  # fmt: skip


@pytest.fixture(autouse=True)
def own_storage(settings, tmp_path):
    settings.STORAGE_DIR = tmp_path / "storage"


@pytest.fixture
def paid():
    """A year for 1,250.00 HKD, of a product on sale."""
    return trading.make_offer()


@pytest.fixture
def trial(paid):
    return make_trial(paid)


def make_trial(paid, **changes):
    facts = {"name": "Two weeks", "price_minor": 0, "terms": TERMS, "converts_to": paid} | changes
    return trading.make_offer(paid.listing, **facts)


def taken(trial, *, converts, buyer=None):
    """A trial that was taken and delivered."""
    buyer = buyer or trading.make_verified()
    trade = trades.propose(trial, buyer=buyer, purpose="Research", converts=converts, by=buyer.created_by)
    trading.work()
    return trading.Deal(trade, buyer.created_by, trial.listing.seller.created_by)


def ended(deal, days=0):
    """So many days after the trial's end."""
    return clock.moved_to(deal.trade.grant.ends_at + days * DAY + dt.timedelta(minutes=1))


def refused(code, command):
    with pytest.raises(Refused) as refusal:
        command()
    assert refusal.value.code == code


def told(kind):
    while journal.seal():
        pass
    journal.follow()
    return [one.organisation_id for one in Notification.objects.filter(kind=kind)]


def test_a_trial_that_goes_on_buys_the_paid_plan_once_at_the_moment_it_ends(paid, trial):
    deal = taken(trial, converts=True)
    grant = deal.trade.grant
    assert (deal.state, deal.trade.price_minor, deal.trade.payments.count()) == (TradeState.DELIVERED, 0, 0)
    assert grant.ends_at == grant.opened_at + DAYS * DAY
    with clock.moved_to(grant.ends_at - dt.timedelta(minutes=1)):
        tasks.renew_licences()
        assert not Trade.objects.filter(renews=deal.trade).exists(), "it can be stopped until the last moment"
    with ended(deal):
        tasks.close_grants()
        deliveries.require_use(grant, by=deal.buyer)
        tasks.renew_licences()
        tasks.renew_licences()
        trading.work()
        new = trading.Deal(Trade.objects.get(renews=deal.trade), deal.buyer, deal.seller)
        assert (new.trade.offer, new.trade.price_minor, new.trade.is_trial) == (paid, 125_000, False)
        assert new.trade.proposed_by == deal.buyer
        deliveries.require_use(grant, by=deal.buyer)
        trading.pay(new)
        assert new.trade.grant.ends_at == deliveries.months_after(grant.ends_at, 12)
        tasks.close_grants()
    grant.refresh_from_db()
    assert grant.state == GrantState.CLOSED
    assert list(Renewal.objects.values_list("trade", "state")) == [(deal.trade.pk, RenewalState.RENEWED)]
    steps = seller_numbers.of(deal.trade.seller).whole()
    assert (steps.tried, steps.converted, steps.ordered, steps.renewed) == (1, 1, 1, 0)


def test_a_trial_without_an_order_ends_by_itself_and_one_that_is_stopped_does_too(trial):
    quiet, stopped = taken(trial, converts=False), taken(trial, converts=True)
    assert Renewal.objects.filter(trade=quiet.trade).count() == 0
    with clock.moved_to(stopped.trade.grant.ends_at - dt.timedelta(minutes=1)):
        renewals.stop(stopped.trade, by=stopped.buyer)
    with ended(stopped):
        tasks.renew_licences()
        tasks.close_grants()
        refused("grant_closed", lambda: deliveries.require_use(quiet.trade.grant, by=None))
    assert not Trade.objects.filter(is_trial=False).exists()
    assert {deal.reload().grant.state for deal in (quiet, stopped)} == {GrantState.CLOSED}


def test_what_goes_on_unpaid_lapses_after_the_days_of_grace(trial, settings):
    deal = taken(trial, converts=True)
    with ended(deal):
        tasks.renew_licences()
        trading.work()
    with ended(deal, settings.RENEW_GRACE_DAYS + 1):
        tasks.expire_trades()
        tasks.close_grants()
    new = Trade.objects.get(renews=deal.trade)
    assert (new.state, deal.reload().grant.state) == (TradeState.EXPIRED, GrantState.CLOSED)


def test_a_paid_plan_that_was_closed_stops_the_trial_with_a_notice_and_takes_other_trials_along(paid, trial):
    deal = taken(trial, converts=True)
    offers.close_offer(paid, by=deal.seller)
    trial.refresh_from_db()
    assert trial.closed_at is not None
    buyer = trading.make_verified()
    refused("not_on_sale", lambda: trades.propose(trial, buyer=buyer, by=buyer.created_by))
    with ended(deal):
        tasks.renew_licences()
        tasks.close_grants()
        assert told("trial.stopped") == [deal.trade.buyer_id]
    order = Renewal.objects.get()
    assert (order.state, order.stopped_because) == (RenewalState.STOPPED, "not_on_sale")
    assert deal.reload().grant.state == GrantState.CLOSED


def test_the_buyer_is_told_before_the_end_what_happens_then(trial, settings):
    going, ending = taken(trial, converts=True), taken(trial, converts=False)
    with clock.moved_to(going.trade.grant.ends_at - (settings.TRIAL_WARNING_DAYS + 1) * DAY):
        tasks.tell_ending_grants()
        assert told("trial.converting") + told("trial.ending") == []
    with clock.moved_to(going.trade.grant.ends_at - (settings.TRIAL_WARNING_DAYS - 1) * DAY):
        tasks.tell_ending_grants()
        assert (told("trial.converting"), told("trial.ending")) == ([going.trade.buyer_id], [ending.trade.buyer_id])


def test_one_trial_for_each_buyer_and_product(paid, trial):
    deal = taken(trial, converts=False)
    other = make_trial(paid, name="Another")
    for again in (trial, other):
        refused("trial_taken", lambda again=again: taken(again, converts=False, buyer=deal.trade.buyer))
    refused("not_a_trial", lambda: trades.propose(paid, buyer=deal.trade.buyer, converts=True, by=deal.buyer))
    assert Trade.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_trials_taken_at_once_one_is(trial):
    buyer = trading.make_verified()
    met, outcomes = threading.Barrier(2), []

    def go():
        try:
            met.wait()
            trades.propose(trial, buyer=buyer, by=buyer.created_by)
            outcomes.append("taken")
        except trials.TrialTaken as refusal:
            outcomes.append(refusal.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=go) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["taken", "trial_taken"]


def test_a_seller_is_told_why_an_offer_is_no_trial(paid):
    def reasons(**changes):
        with pytest.raises(Invalid) as refusal:
            make_trial(**{"paid": paid} | changes)
        return [reason["code"] for reason in refusal.value.reasons]

    own = factories.owner_of(paid.listing.seller)
    year = {name: value for name, value in TERMS.items() if name != "term_days"} | {"term_months": 12}
    assert reasons(price_minor=1) == ["wrong_price_minor"]
    assert reasons(terms=year) == ["wrong_terms"]
    assert reasons(terms=TERMS | {"term_months": 1}) == ["two_terms"]
    assert reasons(terms=TERMS | {"term_days": 91}) == ["wrong_term_days"]
    assert reasons(converts_to=None) == ["wrong_terms"]
    assert reasons(currency="CNY") == ["wrong_converts_to"]
    assert reasons(audience="on_request") == ["wrong_converts_to"]
    assert reasons(converts_to=make_trial(paid)) == ["wrong_converts_to"]
    assert reasons(converts_to=trading.make_offer(trading.make_listed(trading.make_verified()))) == [
        "wrong_converts_to"
    ]
    short = trading.make_offer(paid.listing, open_until=clock.now() + DAY)
    assert reasons(converts_to=short) == ["wrong_converts_to"]
    offers.close_offer(paid, by=own)
    assert reasons() == ["wrong_converts_to"]


def test_the_database_refuses_a_trial_that_is_none(paid, trial):
    other = trading.make_offer(trading.make_listed(trading.make_verified()))
    free = trading.make_offer(paid.listing, price_minor=0)
    year = {name: value for name, value in TERMS.items() if name != "term_days"} | {"term_months": 12}

    def inserted(**changes):
        with transaction.atomic():
            copy = Offer.objects.get(pk=trial.pk)
            copy.pk, copy.public_id = None, "another"
            for name, value in changes.items():
                setattr(copy, name, value)
            copy.save(force_insert=True)

    for changes in (
        {"price_minor": 100},
        {"terms": year},
        {"converts_to": None},
        {"converts_to": other},
        {"converts_to": free},
        {"converts_to": trial},
        {"channel": "else"},
        {"currency": "CNY"},
        {"audience": "on_request"},
    ):
        with pytest.raises(IntegrityError, match="is no free trial of a paid offer that is open"):
            inserted(**changes)
    with pytest.raises(IntegrityError, match="which is closed"), transaction.atomic():
        Offer.objects.filter(pk=paid.pk).update(closed_at=clock.now())
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    offers.close_offer(paid, by=factories.owner_of(paid.listing.seller))
    with pytest.raises(IntegrityError, match="is no free trial of a paid offer that is open"):
        inserted(closed_at=None)


def test_the_database_refuses_a_second_trial_a_flag_that_lies_and_a_trial_extended_by_another_offer(paid, trial):
    deal = taken(trial, converts=False)
    other = trading.make_offer(paid.listing)

    def inserted(**changes):
        with transaction.atomic():
            copy = Trade.objects.get(pk=deal.trade.pk)
            copy.pk, copy.public_id, copy.state, copy.register_number = None, "another", TradeState.PROPOSED, None
            copy.registered_at = None
            for name, value in changes.items():
                setattr(copy, name, value)
            copy.save(force_insert=True)

    with pytest.raises(IntegrityError, match="one_trial_per_buyer_and_product"):
        inserted()
    with pytest.raises(IntegrityError, match="is taken for a trial, or is one"):
        inserted(is_trial=False)
    with pytest.raises(IntegrityError, match="holds no licence that this one could extend"):
        inserted(is_trial=False, offer=other, price_minor=other.price_minor, renews=deal.trade)
    with pytest.raises(IntegrityError, match="holds no licence that this one could extend"):
        inserted(renews=deal.trade, buyer=trading.make_verified())


def test_a_trial_of_named_buyers_names_whom_the_paid_offer_names(paid):
    one, two = trading.make_verified(), trading.make_verified()
    named = trading.make_offer(paid.listing, audience="named", buyers=[one], name="For one")
    with pytest.raises(Invalid):
        make_trial(named, audience="named", buyers=[one, two])
    trial = make_trial(named, audience="named", buyers=[one])
    with pytest.raises(IntegrityError, match="names a buyer its paid offer does not"), transaction.atomic():
        trial.buyers.add(two)


def test_offers_whose_time_ran_out_are_closed_with_their_trials(paid):
    until = clock.now() + DAY
    short = trading.make_offer(paid.listing, open_until=until, name="Short")
    trial = make_trial(short, open_until=until)
    with clock.moved_to(until + DAY):
        private_offers.close_lapsed()
    assert not Offer.objects.filter(pk__in=[short.pk, trial.pk], closed_at=None).exists()


def test_a_trial_is_no_price_of_the_catalogue(paid, trial):
    shelf = ShelfItem.objects.get(listing=paid.listing)
    assert (shelf.price_minor, "free" in shelf.prices) == (125_000, False)
    [found] = products([paid.listing.public_id], reader=None)
    assert found.offers == [paid, trial]
    listing = found.listing
    listing.rows, listing.has_sample = None, False
    card = product_page.card(listing)
    assert (card["price"], card["traits"][-1]) == (paid.price, "Free trial")


def test_the_last_paid_licence_is_taken_at_the_conversion_and_given_back_where_it_lapses(paid):
    last = trading.make_offer(paid.listing, licences_total=1, name="One alone")
    first, second = (taken(make_trial(last), converts=True) for _ in range(2))
    with ended(second):
        tasks.renew_licences()
    new = Trade.objects.get(renews__isnull=False)
    assert {order.stopped_because for order in Renewal.objects.filter(state="stopped")} == {"sold_out"}
    with ended(second):
        trades.cancel(new, by=new.proposed_by)
    last.refresh_from_db()
    assert last.licences_left == 1
    assert Trade.objects.get(pk=first.trade.pk).holds_licence is True


def test_pages_name_the_price_in_force_and_say_that_the_one_at_the_end_counts(paid, trial):
    buyer = trading.make_verified()
    until = clock.now() + dt.timedelta(days=30)
    discounts.set_discount(paid, percent=20, valid_until=until, by=paid.listing.seller.created_by)
    client = Client()
    client.force_login(buyer.created_by)
    buying = client.get(f"/offers/{trial.public_id}/buy/").content.decode()
    assert "HKD 1,000.00 by today’s" in buying and "the price in force when the trial ends" in buying
    assert (
        "at the price in force then, HKD 1,000.00 today" in client.get(paid.listing.get_absolute_url()).content.decode()
    )
    trade = trades.propose(trial, buyer=buyer, purpose="Look", converts=True, by=buyer.created_by)
    trading.work()
    page = client.get(trade.get_absolute_url()).content.decode()
    assert "1,000.00" in page and "the price in force when the trial ends" in page


def test_pages_and_api_say_what_follows_and_ask_for_an_order(paid, trial):
    buyer = trading.make_verified()
    client = Client()
    client.force_login(buyer.created_by)
    page = client.get(f"/offers/{trial.public_id}/buy/").content.decode()
    assert "After the trial" in page and "HKD 1,250.00" in page and "14 days from delivery" in page
    assert 'name="converts"' in page and "checked" not in page.split('name="converts"')[1].split(">")[0]
    client.post(f"/offers/{trial.public_id}/buy/", {"purpose": "Look", "accept": "on", "key": "a" * 20})
    trade = Trade.objects.get()
    assert (trade.is_trial, Renewal.objects.count()) == (True, 0)
    trading.work()
    act = f"/trades/{trade.public_id}"
    client.post(f"{act}/convert/", {"key": "b" * 20})
    assert Renewal.objects.get().state == RenewalState.STANDING
    shown = client.get("/library/").content.decode()
    assert "Goes on with the paid plan on" in shown and f"{act}/stop_converting/" in shown
    assert f"/offers/{paid.public_id}/buy/?renews={trade.public_id}" in shown
    client.post(f"{act}/stop_converting/", {"key": "c" * 20})
    assert Renewal.objects.get().state == RenewalState.STOPPED
    assert "trial_taken" in client.get(f"/offers/{trial.public_id}/buy/").content.decode()
    [row] = client.get("/api/v1/licences").json()["results"]
    assert (row["offer"], row["price_minor"], row["renews_on"]) == (paid.public_id, 125_000, None)
    assert client.get(f"/api/v1/trades/{trade.public_id}").json()["converts_to"] == paid.public_id
    [held] = library.licences(list(library.held(buyer)), buyer)
    assert held.days_left == DAYS - 1
    renewing = client.get(f"/offers/{paid.public_id}/buy/", {"renews": trade.public_id}).content.decode()
    assert "This goes on where your trial ends" in renewing


def test_a_seller_makes_a_trial_by_the_api_and_in_the_studio(paid):
    client = Client()
    client.force_login(factories.owner_of(paid.listing.seller))
    body = {"name": "Trial", "price_minor": 0, "currency": "HKD", "terms": TERMS, "converts_to": paid.public_id}
    address = f"/api/v1/listings/{paid.listing.public_id}/offers"

    def posted(key, **changes):
        headers = {"Idempotency-Key": key}
        return client.post(address, body | changes, content_type="application/json", headers=headers)

    answer = posted("trial-1")
    assert (answer.status_code, answer.json()["converts_to"]) == (201, paid.public_id)
    answer = posted("trial-2", converts_to="nothing")
    assert (answer.status_code, answer.json()["reasons"][0]["code"]) == (422, "wrong_converts_to")
    form = {
        "name": "In the studio", "currency": "HKD", "channel": "files", "inspection_days": 7, "jurisdiction": "seat",
        "audience": "everyone", "purposes": "internal_analysis", "derived_works": "internal", "redistribution": "none",
        "anywhere": "on", "personal_data": "none", "converts_to": paid.public_id, "trial_days": 7, "key": "d" * 20,
    }  # fmt: skip
    address = f"/studio/{paid.listing.public_id}/offers/new/"
    assert client.post(address, form | {"trial_days": ""}).status_code == 422
    assert client.post(address, form).status_code == 302
    made = Offer.objects.get(name="In the studio")
    assert (made.converts_to, made.terms["term_days"], made.terms["term_months"]) == (paid, 7, None)
    assert "Trial of" in client.get(f"/studio/{paid.listing.public_id}/").content.decode()
