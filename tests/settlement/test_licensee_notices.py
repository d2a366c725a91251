"""Notices to licensees: typed, told to those who hold an open access, kept for good, seen by whom they concern."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from listings import publishing, registration
from marketplace import clock
from marketplace.desks import studio_todo
from marketplace.errors import Invalid, Refused, RoleNeeded, WrongState
from marketplace.models import Event, Notification
from settlement import licensee_notices
from settlement.models import LicenseeNotice
from tests import factories, trading

pytestmark = pytest.mark.django_db
DAY = dt.date(2026, 12, 1)
# The flying time is gone, and the year is a text.
LATER_CSV = b"year,month,day,carrier,flight,origin,dest\nMMXIII,1,1,UA,1545,EWR,IAH\nMMXIII,1,2,B6,725,JFK,BQN\n"


def delivered(listing) -> trading.Deal:
    deal = trading.propose(trading.make_offer(listing, price_minor=0))
    trading.work()
    return deal


def give(listing, by=None, **changes) -> LicenseeNotice:
    facts = {"kind": "delay", "text": "A week late.", "language": "en", "effective_on": DAY} | changes
    return licensee_notices.give(listing, by=by or factories.owner_of(listing.seller), **facts)


def page(listing, person=None) -> str:
    client = Client()
    if person:
        client.force_login(person)
    return client.get(f"/products/{listing.public_id}/").content.decode()


def test_licensees_are_told_and_a_delay_concerns_nobody_else():
    listing = trading.make_listed()
    deal, stranger = delivered(listing), trading.make_verified()
    seller = factories.owner_of(listing.seller)
    delay, end = give(listing), give(listing, kind="end_of_life", text="停止更新。", language="zh-hans")
    assert (delay.licensees, end.licensees) == (1, 1)
    told = list(Notification.objects.filter(kind__startswith="licensees.").order_by("pk").values_list("kind", "to"))
    assert told == [("licensees.delay", deal.buyer.pk), ("licensees.end_of_life", deal.buyer.pk)]
    assert Event.objects.filter(kind="licensee_notice.given").count() == 2
    for person, sees in ((deal.buyer, True), (seller, True), (stranger.created_by, False), (None, False)):
        shown = page(listing, person)
        assert ("A week late." in shown, '<p lang="zh-hans">停止更新。' in shown) == (sees, True)
    later = delivered(listing)  # a licensee of afterwards reads what is public
    assert list(licensee_notices.of(listing, later.trade.buyer)) == [end]
    client = Client()
    client.force_login(deal.buyer)
    assert "A week late." in client.get(f"/trades/{deal.trade.public_id}/").content.decode()

    for change in (lambda: LicenseeNotice.objects.update(text="Never mind."), delay.delete):
        with pytest.raises(ProgrammingError), transaction.atomic():
            change()
    kept = {"listing": listing, "language": "en", "effective_on": DAY, "licensees": 0, "by": seller}
    other = trading.make_listed().current_version.release
    for wrong in (
        {"kind": "delay", "text": ""},
        {"kind": "new_release", "text": "New."},
        {"kind": "delay", "text": "Late.", "release": listing.current_version.release},
        {"kind": "new_release", "text": "New.", "release": other},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            LicenseeNotice.objects.create(**kept | wrong)


def test_as_many_statements_tell_one_licensee_and_several():
    counts = []
    for licensees in (1, 4):
        listing = trading.make_listed()
        deals = [delivered(listing) for _one in range(licensees)]
        factories.make_member(deals[0].trade.buyer, "viewer")
        with CaptureQueriesContext(connection) as seen:
            assert give(listing, by=factories.owner_of(listing.seller)).licensees == licensees
        counts.append(len(seen))
        told = Notification.objects.filter(kind="licensees.delay", organisation__in=[one.trade.buyer for one in deals])
        assert told.count() == licensees + 1
        assert {(one.organisation_id, one.to_id) for one in told} >= {
            (one.trade.buyer_id, one.buyer.pk) for one in deals
        }
    assert counts[0] == counts[1]


def test_a_new_release_is_proposed_with_what_it_breaks_and_told_once():
    listing = trading.make_listed()
    deal = delivered(listing)
    assert licensee_notices.proposals(listing) == []
    seller = factories.owner_of(listing.seller)
    release = factories.make_release(listing, files={"flights.csv": LATER_CSV}, label="2026-12")
    version = publishing.edit(publishing.draft(listing, by=seller), by=seller, release=release)
    trading.review(version)
    registration.register_due()
    listing.refresh_from_db()
    assert [one.kind for one in licensee_notices.proposals(listing)] == ["new_release", "schema_change"]
    assert "Tell licensees of the new release" in [one.text for one in studio_todo.of(listing.seller, "owner")]
    change = give(listing, kind="schema_change", text="No flying time any more.", release=release)
    assert change.changes["removed"] == ["flights.csv: air_time"]
    assert [line.split(" (")[0] for line in change.changes["retyped"]] == ["flights.csv: year"]

    client = Client()
    client.force_login(seller)
    said = {"key": "n" * 20, "kind": "new_release", "release": release.pk, "language": "en", "text": "It is here."}
    address = f"/studio/{listing.public_id}/notices/"
    assert client.post(address, said | {"effective_on": "2026-12-01"}).status_code == 302
    assert licensee_notices.proposals(listing) == []
    assert "Tell licensees of the new release" not in [one.text for one in studio_todo.of(listing.seller, "owner")]
    with pytest.raises(WrongState):
        give(listing, kind="new_release", text="Again.", release=release)
    shown = page(listing)
    assert "It is here." in shown and "flights.csv: air_time" in shown
    assert Notification.objects.filter(to=deal.buyer, kind__startswith="licensees.").count() == 2


def test_what_is_no_notice_is_refused_and_nothing_is_told():
    listing, draft = trading.make_listed(), factories.make_draft()
    viewer = factories.make_member(listing.seller, "viewer")
    release = listing.current_version.release
    for refusal, wrong in (
        (RoleNeeded, {"by": viewer}),
        (Invalid, {"kind": "joke"}),
        (Invalid, {"language": "la"}),
        (Invalid, {"text": " "}),
        (Invalid, {"text": "A" * 4_001}),
        (Invalid, {"kind": "new_release"}),
        (Invalid, {"release": release}),
        (Invalid, {"kind": "new_release", "release": draft.release}),
        (Invalid, {"effective_on": clock.today() + dt.timedelta(days=4_000)}),
    ):
        with pytest.raises(refusal):
            give(listing, **wrong)
    with pytest.raises(Refused):
        give(draft.listing)
    assert not LicenseeNotice.objects.exists() and not Event.objects.filter(kind="licensee_notice.given").exists()
