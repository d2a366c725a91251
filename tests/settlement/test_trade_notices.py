"""Each step of a trade is told, once, to the party that acts next or waited for it; what is overtaken asks nobody."""

from __future__ import annotations

import datetime as dt

import pytest

from compliance import holds
from marketplace import clock, journal, notifications
from marketplace.models import Letter, Notification, User
from settlement import deliveries, tasks, trades
from settlement.models import Dispute, Grant
from settlement.states import TradeState
from tests import factories, trading

pytestmark = pytest.mark.django_db
OF_TRADES = ("trade.", "payout.", "refund.", "dispute.", "payment.", "grant.")


def follow() -> None:
    while journal.seal():
        pass
    journal.follow()


def told(person: User) -> list[str]:
    """What the person was told of trades and money, in order."""
    follow()
    kinds = Notification.objects.filter(to=person).order_by("pk").values_list("kind", flat=True)
    return [kind for kind in kinds if kind.startswith(OF_TRADES)]


def test_the_main_road_tells_each_party_what_it_waits_for():
    deal = trading.propose(trading.make_offer(audience="on_request"))
    assert told(deal.seller) == ["trade.proposed"] and told(deal.buyer) == []
    for step, walk in trading.ROAD.items():
        walk(deal)
        follow()
        if step == TradeState.SETTLED:
            break
    assert told(deal.buyer) == ["trade.agreed", "trade.to_pay", "trade.delivered"]
    assert told(deal.seller) == [
        "trade.proposed", "trade.funded", "trade.accepted", "trade.cleared", "payout.paid",
    ]  # fmt: skip
    seen = [notifications.words_of(one.kind, one.facts) for one in Notification.objects.filter(to=deal.buyer)]
    assert all("%(" not in f"{one.subject}{one.text}{one.next_step}" for one in seen)
    letters = Letter.objects.filter(to=deal.seller.email)
    assert not letters.filter(subject__contains="is cleared").exists()  # in the app alone, unless one chooses
    assert letters.filter(subject__contains="proposes a trade").count() == 1


def test_what_was_overtaken_asks_nobody_and_an_open_offer_tells_the_seller_it_is_sold():
    deal = trading.propose(trading.make_offer())
    assert told(deal.seller) == ["trade.bought"] and told(deal.buyer) == []
    asked = trading.propose(trading.make_offer(audience="on_request"))
    trades.decline(asked.trade, reason="Not now.", by=asked.seller)
    assert told(asked.seller) == [] and told(asked.buyer) == ["trade.declined"]
    assert (
        notifications.words_of(
            "trade.declined", Notification.objects.get(to=asked.buyer, kind="trade.declined").facts
        ).quote
        == "Not now."
    )


def test_a_dispute_is_told_to_who_answers_and_its_decision_to_both():
    deal = trading.make_trade(TradeState.DELIVERED)
    trades.dispute(deal.trade, reason="The dates are wrong.", by=deal.buyer)
    assert told(deal.seller)[-1] == "trade.disputed"
    dispute = Dispute.objects.get()
    trades.answer_dispute(dispute, answer="They are right.", by=deal.seller)
    assert told(deal.buyer)[-1] == "dispute.answered"
    trades.resolve(dispute, refund_minor=25_000, resolution="Half a month.", by=factories.make_staff("disputes"))
    assert told(deal.seller)[-1] == told(deal.buyer)[-1] == "dispute.decided"
    last = Notification.objects.filter(to=deal.buyer).latest("pk")
    words = notifications.words_of(last.kind, last.facts)
    assert "250.00" in words.text and words.quote == "Half a month."


def test_an_access_that_ends_soon_is_told_once_and_its_end_too():
    deal = trading.make_trade(TradeState.SETTLED)
    grant = Grant.objects.get()
    now = clock.now()
    Grant.objects.filter(pk=grant.pk).update(ends_at=now + dt.timedelta(days=15))
    assert deliveries.tell_ending() == 0
    with clock.moved_to(now + dt.timedelta(days=2)):
        assert deliveries.tell_ending() == 1
        tasks.tell_ending_grants()
        assert told(deal.buyer).count("grant.ending") == 1
    with clock.moved_to(now + dt.timedelta(days=16)):
        tasks.close_grants()
        assert told(deal.buyer)[-1] == "grant.ended"


def test_a_hold_is_told_to_those_it_lies_on_in_the_sentence_written_for_them():
    deal = trading.make_trade(TradeState.AGREED)
    officer = factories.make_staff("vetting", email="officer@exchange.example")
    upon = {"organisation": deal.trade.seller_id, "listing": deal.trade.listing_id, "trade": deal.trade.pk}
    for kind, number in upon.items():
        said = {"reason_code": "authority_order", "reason": f"We look into this {kind}.", "by": officer}
        holds.lift(holds.place(kind, number, **said), reason="Found to be nothing.", by=officer)
    follow()
    told_of = Notification.objects.filter(kind__regex=r"\.(held|released)$").order_by("pk")
    told = {person: [one for one in told_of if one.to_id == person.pk] for person in (deal.seller, deal.buyer)}
    assert [one.kind for one in told[deal.seller]] == [
        f"{kind}.{what}" for kind in upon for what in ("held", "released")
    ]
    assert [one.kind for one in told[deal.buyer]] == ["trade.held", "trade.released"]
    seen = [notifications.words_of(one.kind, one.facts) for one in told[deal.seller]]
    assert [one.quote for one in seen][::2] == [f"We look into this {kind}." for kind in upon]
    letters = [
        f"{one.subject}{one.body}" for one in Letter.objects.filter(to__in=[deal.seller.email, deal.buyer.email])
    ]
    assert any("We look into this trade." in letter for letter in letters)
    inside = ("authority_order", "officer@exchange.example", "Found to be nothing.")
    assert not [letter for letter in letters for word in inside if word in letter]
