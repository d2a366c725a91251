"""Licences that are renewed: by hand or by a standing order, with grace while money is on its way, never twice."""

from __future__ import annotations

import datetime as dt
import threading

import pytest
from django.conf import settings
from django.core import mail
from django.db import IntegrityError, connection, transaction
from django.test import Client

from compliance import holds
from listings import offers
from listings.models import Offer
from marketplace import clock, journal, webhook_kinds
from marketplace import tasks as marketplace_tasks
from marketplace.errors import Refused, RoleNeeded, WrongState
from marketplace.models import Event, Notification
from marketplace.told_facts import kept
from settlement import deliveries, extensions, library, renewals, tasks, trades
from settlement.gateways import sandbox_bank
from settlement.models import Renewal, Trade
from settlement.states import GrantState, RenewalState, TradeState
from tests import factories, trading

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


@pytest.fixture(autouse=True)
def own_storage(settings, tmp_path):
    settings.STORAGE_DIR = tmp_path / "storage"


@pytest.fixture
def deal():
    """A licence of a year, accepted, of an offer open to everyone."""
    deal = trading.propose()
    trading.work()
    trading.pay(deal)
    trades.accept(deal.reload(), by=deal.buyer)
    deal.reload()
    return deal


def end_of(deal):
    deal.trade.grant.refresh_from_db()
    return deal.trade.grant.ends_at


def days_before(deal, days):
    return clock.moved_to(end_of(deal) - days * DAY)


def renewal_of(deal):
    trade = Trade.objects.get(renews=deal.trade)
    return trading.Deal(trade, deal.buyer, deal.seller)


def refused(code, command):
    with pytest.raises(Refused) as refusal:
        command()
    assert refusal.value.code == code


def test_a_standing_order_buys_the_licence_again_and_the_new_term_begins_where_the_old_one_ends(deal):
    end = end_of(deal)
    order = renewals.keep(deal.trade, by=deal.buyer)
    with pytest.raises(WrongState):
        renewals.keep(deal.trade, by=deal.buyer)
    with days_before(deal, settings.RENEW_BEFORE_DAYS + 1):
        tasks.renew_licences()
        assert not Trade.objects.filter(renews=deal.trade).exists()
    with days_before(deal, settings.RENEW_BEFORE_DAYS - 1):
        tasks.renew_licences()
        tasks.renew_licences()
        trading.work()
        new = renewal_of(deal)
        assert (new.trade.price_minor, new.trade.proposed_by) == (deal.trade.price_minor, deal.buyer)
        assert (new.trade.purpose, new.state) == (deal.trade.purpose, TradeState.REGISTERED)
        order.refresh_from_db()
        assert order.state == RenewalState.RENEWED
        assert Renewal.objects.get(trade=new.trade).state == RenewalState.STANDING
        assert new.trade.fund_until == end + settings.RENEW_GRACE_DAYS * DAY
        trading.pay(new)
        assert new.state == TradeState.DELIVERED
        assert end_of(new) == deliveries.months_after(end, 12)
    deal.trade.grant.refresh_from_db()
    assert deal.trade.grant.state == GrantState.OPEN, "the old term runs to its end"


def test_an_unpaid_renewal_keeps_the_old_access_open_for_the_days_of_grace_and_no_longer(deal):
    renewals.keep(deal.trade, by=deal.buyer)
    with days_before(deal, 5):
        tasks.renew_licences()
        trading.work()
    with days_before(deal, -1):
        tasks.close_grants()
        deliveries.require_use(deal.trade.grant, by=deal.buyer)
        assert [one.pk for one in library.held(deal.trade.buyer, "valid")] == [deal.trade.grant.pk]
    with days_before(deal, -settings.RENEW_GRACE_DAYS - 1):
        refused("licence_ended", lambda: deliveries.require_use(deal.trade.grant, by=deal.buyer))
        tasks.expire_trades()
        tasks.close_grants()
        assert renewal_of(deal).state == TradeState.EXPIRED
    deal.trade.grant.refresh_from_db()
    assert deal.trade.grant.state == GrantState.CLOSED


def test_a_renewal_paid_in_its_grace_leaves_no_gap(deal):
    renewals.keep(deal.trade, by=deal.buyer)
    end = end_of(deal)
    with days_before(deal, 5):
        tasks.renew_licences()
        trading.work()
    new = renewal_of(deal)
    with days_before(deal, -3):
        trading.pay(new)
        assert end_of(new) == deliveries.months_after(end, 12)


def test_what_would_be_refused_tomorrow_too_ends_the_order_and_the_buyer_is_told_a_hold_only_delays_it(deal):
    order = renewals.keep(deal.trade, by=deal.buyer)
    hold = holds.place(
        "listing",
        deal.trade.listing_id,
        reason_code="complaint",
        reason="Looked into.",
        by=factories.make_staff("review"),
    )
    with days_before(deal, 5):
        tasks.renew_licences()
        order.refresh_from_db()
        assert order.state == RenewalState.STANDING and "Held" in order.error or order.tries == 1
        holds.lift(hold, reason="Nothing found.", by=factories.make_staff("review"))
        offers.close_offer(deal.trade.offer, by=deal.seller)
        Renewal.objects.update(next_try_at=clock.now())
        tasks.renew_licences()
    order.refresh_from_db()
    assert (order.state, order.stopped_because, order.stopped_by) == (RenewalState.STOPPED, "not_on_sale", None)
    assert not Trade.objects.filter(renews=deal.trade).exists()
    refused("not_on_sale", lambda: renewals.keep(deal.trade, by=deal.buyer))
    while journal.seal():
        pass
    journal.follow()
    marketplace_tasks.send_letters()
    told = Notification.objects.filter(kind="renewal.stopped")
    assert [one.organisation_id for one in told] == [deal.trade.buyer_id]
    kind, event = webhook_kinds.known("renewal.stopped"), Event.objects.get(kind="renewal.stopped")
    [(organisation_id, said)] = kind.tell(event)
    assert (organisation_id, said["trade"]) == (deal.trade.buyer_id, deal.trade.public_id)
    assert (said["renewal"], said["because"]) == ("stopped", "not_on_sale")
    assert any("is not renewed" in letter.subject for letter in mail.outbox)


def test_the_notice_before_the_end_says_that_it_is_renewed_and_for_how_much(deal):
    renewals.keep(deal.trade, by=deal.buyer)
    with days_before(deal, 12):
        tasks.tell_ending_grants()
        while journal.seal():
            pass
        journal.follow()
        told = Notification.objects.get(kind="grant.renewing")
    assert told.organisation_id == deal.trade.buyer_id


def test_the_last_licence_is_taken_over_and_comes_back_when_the_renewal_lapses(deal):
    del deal
    alone = trading.propose(trading.make_offer(licences_total=1))
    trading.work()
    trading.pay(alone)
    offer = Offer.objects.get(pk=alone.trade.offer_id)
    assert offer.licences_left == 0
    with days_before(alone, 5):
        new = trades.propose(offer, buyer=alone.trade.buyer, renews=alone.trade, by=alone.buyer)
        assert (alone.reload().holds_licence, new.holds_licence) == (False, True)
        trades.cancel(new, by=alone.buyer)
        new.refresh_from_db()
        offer.refresh_from_db()
        assert (alone.reload().holds_licence, new.holds_licence, offer.licences_left) == (True, False, 0)
    with days_before(alone, -1):
        tasks.close_grants()
    offer.refresh_from_db()
    assert (alone.reload().holds_licence, offer.licences_left) == (False, 1)


def test_who_may_order_and_what_cannot_be_renewed(deal):
    stranger, reader = trading.make_verified(), factories.make_member(deal.trade.buyer, "finance")
    with pytest.raises(RoleNeeded):
        renewals.keep(deal.trade, by=reader)
    with pytest.raises(RoleNeeded):
        renewals.keep(deal.trade, by=deal.seller)
    with pytest.raises(WrongState):
        renewals.stop(deal.trade, by=deal.buyer)

    def bought_again(buyer, by, offer=deal.trade.offer):
        return trades.propose(offer, buyer=buyer, renews=deal.trade, by=by)

    refused("not_renewable", lambda: bought_again(stranger, stranger.created_by))
    other = trading.make_offer(deal.trade.listing)
    refused("not_renewable", lambda: bought_again(deal.trade.buyer, deal.buyer, other))
    bought_again(deal.trade.buyer, deal.buyer)
    refused("renewed_already", lambda: bought_again(deal.trade.buyer, deal.buyer))
    refused("renewed_already", lambda: renewals.keep(deal.trade, by=deal.buyer))
    with days_before(deal, -1):
        Trade.objects.filter(renews=deal.trade).update(state=TradeState.CANCELLED)
        refused("not_renewable", lambda: bought_again(deal.trade.buyer, deal.buyer))


def test_the_database_refuses_a_second_renewal_another_buyers_and_one_of_a_licence_that_is_none(deal):
    new = trades.propose(deal.trade.offer, buyer=deal.trade.buyer, renews=deal.trade, by=deal.buyer)

    def inserted(**changes):
        with transaction.atomic():
            copy = Trade.objects.get(pk=new.pk)
            copy.pk, copy.public_id, copy.state = None, "", TradeState.PROPOSED
            copy.agreed_at = None
            for name, value in {"public_id": "another", **changes}.items():
                setattr(copy, name, value)
            copy.save(force_insert=True)

    with pytest.raises(IntegrityError, match="licence_is_renewed_by_one_trade"):
        inserted()
    with pytest.raises(IntegrityError, match="holds no licence that this one could extend"):
        inserted(buyer=trading.make_verified())
    with pytest.raises(IntegrityError, match="holds no licence that this one could extend"):
        inserted(renews=new)
    order = Renewal.objects.create(trade=new, set_by=deal.buyer)
    with pytest.raises(IntegrityError, match="is renewed by no other"), transaction.atomic():
        Renewal.objects.filter(pk=order.pk).update(state=RenewalState.RENEWED)
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    with pytest.raises(IntegrityError, match="stopped_renewal_says_when_and_why"), transaction.atomic():
        Renewal.objects.filter(pk=order.pk).update(state=RenewalState.STOPPED)


def test_the_pages_and_the_api_order_stop_and_renew_by_hand(deal):
    trading.clear_now()
    assert deal.state == TradeState.SETTLED, "most licences are renewed long after their trade"
    client = Client()
    client.force_login(deal.buyer)
    page = client.get(f"/trades/{deal.trade.public_id}/").content.decode()
    assert "Renew automatically" in page and "Stop renewing" not in page
    answer = client.post(f"/api/v1/trades/{deal.trade.public_id}/renewal", headers={"Idempotency-Key": "keep-1"})
    assert answer.status_code == 200 and [a["name"] for a in answer.json()["possible_acts"]][-1] == "stop_renewing"
    [row] = client.get("/api/v1/licences").json()["results"]
    assert row["renews_on"] == (end_of(deal) - settings.RENEW_BEFORE_DAYS * DAY).astimezone().date().isoformat()
    assert "Renewed automatically on" in client.get("/library/").content.decode()
    for key, status in (("stop-1", 200), ("stop-2", 409)):
        answer = client.post(
            f"/api/v1/trades/{deal.trade.public_id}/renewal/stopping", headers={"Idempotency-Key": key}
        )
        assert answer.status_code == status
    client.post(f"/trades/{deal.trade.public_id}/keep_renewed/", {"key": "a" * 20})
    assert Renewal.objects.get().state == RenewalState.STANDING
    buy = f"/offers/{deal.trade.offer.public_id}/buy/"
    assert f'href="{buy}?renews={deal.trade.public_id}"' in client.get("/library/").content.decode()
    shown = client.get(buy, {"renews": deal.trade.public_id}).content.decode()
    assert "This renews a licence you hold" in shown and deal.trade.purpose in shown
    said = {"purpose": "Again", "accept": "on", "renews": deal.trade.public_id, "key": "b" * 20}
    client.post(buy, said)
    new = renewal_of(deal)
    assert Renewal.objects.get(trade=new.trade).set_by == deal.buyer, "the standing order goes on with the new licence"
    told = client.get(f"/api/v1/trades/{new.trade.public_id}").json()
    assert told["renews"] == deal.trade.public_id
    assert str(deal.trade) in client.get(f"/trades/{new.trade.public_id}/").content.decode()
    client.force_login(trading.make_verified().created_by)
    assert "This renews" not in client.get(buy, {"renews": deal.trade.public_id}).content.decode()
    answer = client.post(f"/api/v1/trades/{deal.trade.public_id}/renewal", headers={"Idempotency-Key": "keep-2"})
    assert answer.status_code == 404


def renewed_early(deal):
    """A renewal that is paid and open while the old term runs."""
    renewals.keep(deal.trade, by=deal.buyer)
    with days_before(deal, 5):
        tasks.renew_licences()
        trading.work()
        new = renewal_of(deal)
        trading.pay(new)
        trades.accept(new.reload(), by=new.buyer)
        new.reload()
    return new


def charged_back(deal):
    for what in ("charge_back", "lose_chargeback"):
        trading.pay(deal, what)
    assert deal.state == TradeState.REFUNDED


def test_the_new_term_begins_where_the_old_access_was_taken_back(deal):
    new = renewed_early(deal)
    with days_before(deal, 5):
        third = trades.propose(new.trade.offer, buyer=new.trade.buyer, renews=new.trade, by=new.buyer)
        third = trading.Deal(third, new.buyer, new.seller)
        trading.work()
        trading.pay(third)
    with days_before(deal, 4):
        now = clock.now()
        charged_back(deal)
        end = end_of(new)
        assert dt.timedelta() <= end - deliveries.months_after(now, 12) < dt.timedelta(minutes=1), "one term, paid once"
        assert end_of(third) == deliveries.months_after(end, 12), "and the one after it"
        moved = Event.objects.filter(kind="grant.end_moved").order_by("pk")
        assert [event.subject_id for event in moved] == [new.trade.grant.pk, third.trade.grant.pk]
        deliveries.require_use(new.trade.grant, by=deal.buyer)
        tasks.close_grants()
        journal.seal()
        journal.follow()
    assert not Notification.objects.filter(kind="grant.ended").exists(), "a refund is told as one"
    told = Notification.objects.filter(kind="grant.end_moved", to=deal.buyer).order_by("pk")
    assert [one.facts["until"] for one in told] == [kept(end), kept(end_of(third))]


def test_a_renewal_taken_back_before_it_began_leaves_the_next_one_where_it_would_have_begun(deal):
    end, new = end_of(deal), renewed_early(deal)
    with days_before(deal, 4):
        third = trades.propose(new.trade.offer, buyer=new.trade.buyer, renews=new.trade, by=new.buyer)
        third = trading.Deal(third, new.buyer, new.seller)
        trading.work()
        trading.pay(third)
        charged_back(new)
    assert (end_of(deal), end_of(new), end_of(third)) == (end, end, deliveries.months_after(end, 12))


def test_the_term_of_a_renewal_that_opens_after_the_refund_begins_as_it_opens(deal):
    renewals.keep(deal.trade, by=deal.buyer)
    with days_before(deal, 5):
        tasks.renew_licences()
        trading.work()
        new = renewal_of(deal)
        trading.pay(deal, "charge_back")
        now = clock.now()
        for whose, what in ((deal, "lose_chargeback"), (new, "pay")):
            sandbox_bank.act(whose.payment.reference, what)
        trading.work()  # which opens the new access before it closes the old one
        assert dt.timedelta() <= end_of(new) - deliveries.months_after(now, 12) < dt.timedelta(minutes=1)


@pytest.mark.django_db(transaction=True)
def test_of_two_who_renew_at_once_one_does(deal):
    met, outcomes = threading.Barrier(2), []

    def go():
        try:
            met.wait()
            trades.propose(deal.trade.offer, buyer=deal.trade.buyer, renews=deal.trade, by=deal.buyer)
            outcomes.append("proposed")
        except extensions.NotRenewable as refusal:
            outcomes.append(refusal.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=go) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["proposed", "renewed_already"]
    assert Trade.objects.filter(renews=deal.trade).count() == 1
