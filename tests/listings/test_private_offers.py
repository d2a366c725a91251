"""Offers that end by themselves, and offers to named buyers that nobody else ever sees."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import IntegrityError, ProgrammingError, transaction
from django.test import Client

from listings import licence_contract, offers, pricing, private_offers
from listings import tasks as listings_tasks
from listings.models import Offer
from marketplace import clock
from marketplace.desks import todo
from marketplace.errors import Invalid, Refused
from marketplace.models import Event, Letter, Notification
from settlement import buying, trades
from settlement.models import Trade
from tests import factories, trading

pytestmark = pytest.mark.django_db
NOTE = "As agreed by telephone, for your pilot."


def signed_in(organisation) -> Client:
    client = Client()
    client.force_login(factories.owner_of(organisation))
    return client


def todos(organisation) -> list[str]:
    return [one.text for one in todo.of(organisation, "owner") if "offer made to you" in one.text]


def take(offer: Offer, buyer) -> Trade:
    return trades.propose(offer, buyer=buyer, purpose="A pilot", by=factories.owner_of(buyer))


def test_a_named_buyer_is_told_and_nobody_else_ever_sees_the_offer():
    listing = trading.make_listed()
    buyer, stranger = trading.make_verified("Named Limited"), trading.make_verified("Stranger Limited")
    until = clock.now() + dt.timedelta(days=10)
    offer = trading.make_offer(
        listing, audience="named", buyers=[buyer], name="Pilot price", price_minor=77_700, note=NOTE, open_until=until
    )
    told = Notification.objects.get(kind="offer.for_you")
    assert (told.to, told.facts["quote"]) == (factories.owner_of(buyer), NOTE)
    assert NOTE in Letter.objects.get(to=factories.owner_of(buyer).email, subject__contains="makes you an offer").body
    assert todos(buyer) == ["Look at an offer made to you"] and todos(stranger) == todos(listing.seller) == []

    page = f"/products/{listing.public_id}/"
    seen = signed_in(buyer).get(page).content.decode()
    assert "An offer for you" in seen and NOTE in seen and "777.00" in seen
    assert NOTE in signed_in(listing.seller).get(page).content.decode()
    for client in (Client(), signed_in(stranger)):
        for address in (page, "/catalogue/", f"/api/v1/products/{listing.public_id}"):
            shown = client.get(address).content.decode()
            assert "Pilot price" not in shown and NOTE not in shown and "777.00" not in shown and "77700" not in shown
    assert signed_in(stranger).get(f"/offers/{offer.public_id}/buy/").status_code == 404
    assert signed_in(stranger).get(f"/offers/{offer.public_id}/contract/").status_code == 404
    with pytest.raises(Refused) as refused:
        take(offer, stranger)
    assert (refused.value.code, Trade.objects.count()) == ("not_named", 0)

    trade = take(offer, buyer)
    assert todos(buyer) == []
    with pytest.raises(IntegrityError), transaction.atomic():  # a copy of the trade for somebody who is not named
        Trade.objects.create(**facts_of(trade) | {"buyer": stranger})
    with pytest.raises(IntegrityError), transaction.atomic():
        Trade.objects.create(**facts_of(trade) | {"proposed_at": until})


def facts_of(trade: Trade) -> dict[str, object]:
    names = (
        "offer", "listing", "version", "release", "seller", "buyer", "price_minor", "currency", "terms", "fee_schedule",
        "crossborder", "inspection_days", "proposed_by", "agree_until",
    )  # fmt: skip
    return {name: getattr(trade, name) for name in names}


def test_an_offer_takes_no_trade_once_its_time_has_run_out_and_is_then_closed_once():
    listing, buyer = trading.make_listed(), trading.make_verified()
    until = clock.now() + dt.timedelta(days=3)
    offer = trading.make_offer(listing, audience="named", buyers=[buyer], open_until=until)
    kept = trading.make_offer(listing, open_until=until + dt.timedelta(days=1))
    listings_tasks.close_lapsed_offers()
    assert Offer.objects.filter(closed_at=None).count() == 2
    with clock.moved_to(until):
        assert list(Offer.objects.visible_to(buyer)) == list(Offer.objects.visible_to(listing.seller)) == [kept]
        assert todos(buyer) == []
        assert signed_in(buyer).get(f"/offers/{offer.public_id}/buy/").status_code == 404
        whole = pricing.priced(offer, None)
        assert [one["code"] for one in buying.reasons_against_proposal(offer, buyer, whole, by=buyer.created_by)] == [
            "not_on_sale"
        ]
        with pytest.raises(Refused) as refused:
            take(offer, buyer)
        assert (refused.value.code, Trade.objects.count()) == ("offer_lapsed", 0)
        assert list(private_offers.lapsed()) == [offer]
        for _ in range(2):
            listings_tasks.close_lapsed_offers()
    offer.refresh_from_db()
    assert offer.closed_at is not None and offer.closed_at >= until
    assert Event.objects.filter(kind="offer.lapsed").count() == 1
    assert list(Offer.objects.filter(closed_at=None)) == [kept]
    with pytest.raises(Refused):
        offers.close_offer(offer, by=factories.owner_of(listing.seller))


def test_an_end_lies_ahead_and_a_note_is_for_named_buyers():
    listing = trading.make_listed()
    now = clock.now()
    for change, code in (
        ({"open_until": now}, "wrong_open_until"),
        ({"open_until": now + dt.timedelta(days=private_offers.LONGEST_DAYS + 1)}, "wrong_open_until"),
        ({"note": "Psst"}, "wrong_note"),
        ({"note": "A" * 2_001, "audience": "named", "buyers": [factories.make_organisation()]}, "wrong_note"),
    ):
        with pytest.raises(Invalid) as refused:
            trading.make_offer(listing, **change)
        assert [one["code"] for one in refused.value.reasons] == [code]
    assert not Offer.objects.exists()
    offer = trading.make_offer(listing, open_until=now + dt.timedelta(days=1))
    for change in ({"open_until": None}, {"note": "Later"}):
        with pytest.raises(ProgrammingError), transaction.atomic():
            Offer.objects.filter(pk=offer.pk).update(**change)


def test_the_form_ends_an_offer_with_its_last_day():
    listing = trading.make_listed()
    day = clock.today() + dt.timedelta(days=5)
    client = signed_in(listing.seller)
    page = client.get(f"/studio/{listing.public_id}/offers/new/?buyers=12345678").content.decode()
    assert ">\n12345678</textarea>" in page and '<option value="named" selected>' in page
    said = {
        "key": "a" * 20,
        "name": "Week",
        "price": "5",
        "currency": "HKD",
        "channel": "files",
        "inspection_days": "7",
        "jurisdiction": licence_contract.default_jurisdiction("HK"),
        "audience": "everyone",
        "purposes": "internal_analysis",
        "derived_works": "internal",
        "redistribution": "none",
        "anywhere": "on",
        "personal_data": "none",
        "open_until": day.isoformat(),
    }
    answer = client.post(f"/studio/{listing.public_id}/offers/new/", said)
    assert answer.status_code == 302, answer.content.decode()
    assert clock.timezone.localtime(Offer.objects.get().open_until).date() == day + dt.timedelta(days=1)
