"""A participant in one view, notes of the staff, and tiers of membership."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from compliance import holds, notes, tiers
from compliance.models import Note, Tier, TierDecision
from marketplace import journal
from marketplace.desks import participant_lists
from marketplace.errors import Invalid, RoleNeeded
from settlement.states import TradeState
from tests import trading
from tests.factories import make_organisation, make_staff, make_verified, owner_of

pytestmark = pytest.mark.django_db


def page_for(role: str, organisation) -> str:
    client = Client()
    client.force_login(make_staff(role))
    return client.get(f"/admin/desks/participants/{organisation.public_id}/").content.decode()


def test_each_of_the_staff_sees_of_a_participant_what_their_desks_show():
    deal = trading.make_trade(TradeState.FUNDED)
    seller = deal.trade.seller
    trade = str(deal.trade.public_id)
    pages = {role: page_for(role, seller) for role in ("vetting", "payments", "audit")}
    told = {role: 'id="dossier"' in page for role, page in pages.items()}
    assert told == {"vetting": True, "payments": False, "audit": True}
    assert all(trade in page for page in pages.values())
    in_escrow = {role: "in escrow" in page for role, page in pages.items()}
    assert in_escrow == {"vetting": False, "payments": True, "audit": True}
    assert "1,250.00" in pages["payments"]


def test_holds_on_a_participant_its_products_and_trades_stand_with_who_when_and_why():
    deal = trading.make_trade(TradeState.SETTLED)
    seller, officer = deal.trade.seller, make_staff("disputes", "vetting", "review")
    said = {"reason_code": "complaint", "by": officer}
    upon_trade = holds.place("trade", deal.trade.pk, reason="The buyer asks the police.", **said)
    holds.lift(upon_trade, reason="They found nothing.", by=officer)
    holds.place("listing", deal.trade.listing_id, reason="Its rights are unclear.", **said)
    holds.place("organisation", seller.pk, reason="Its seat has moved.", **said)
    reasons = ("The buyer asks the police.", "Its rights are unclear.", "Its seat has moved.")
    seen = {
        role: [reason in page_for(role, seller) for reason in reasons]
        for role in ("payments", "review", "vetting", "audit")
    }
    assert seen == {
        "payments": [True, False, False],
        "review": [True, True, False],
        "vetting": [True, True, True],
        "audit": [True, True, True],
    }
    page = page_for("audit", seller)
    assert page.index("Its seat has moved.") < page.index("They found nothing.")  # what lies stands first
    cycle, review = deal.trade.cycle, deal.trade.version.review
    for name, number in (
        ("desk_cycle", cycle.number),
        ("desk_review", review.pk),
        ("desk_trade", deal.trade.public_id),
    ):
        assert f'href="{reverse(name, args=[number])}"' in page
    assert f'href="{reverse("desk_cycle", args=[cycle.number])}"' not in page_for("payments", seller)


def test_a_long_list_of_a_participant_leads_to_all_of_it():
    organisation, officer = make_verified(), make_staff("support")
    for number in range(21):
        notes.write(organisation, text=f"Call {number}.", by=officer)
    path = reverse("desk_participant_list", args=[organisation.public_id, "notes"])
    page = page_for("payments", organisation)
    assert f'href="{path}"' in page and "Call 1." in page and "Call 0." not in page
    client = Client()
    client.force_login(make_staff("payments"))
    assert "Call 0." in client.get(path).content.decode()
    for name in ("people", "nothing"):  # of another desk, and of none
        assert client.get(reverse("desk_participant_list", args=[organisation.public_id, name])).status_code == 404
    client.force_login(make_staff("audit"))
    for name in participant_lists.LISTS:
        assert client.get(reverse("desk_participant_list", args=[organisation.public_id, name])).status_code == 200
    with CaptureQueriesContext(connection) as counted:
        client.get(reverse("desk_participant", args=[organisation.public_id]))
    assert len(counted) <= 25


def test_a_note_is_for_the_staff_and_stays():
    organisation, officer = make_verified(), make_staff("support")
    client = Client()
    client.force_login(officer)
    path = f"/admin/desks/participants/{organisation.public_id}/"
    said = {"act": "note", "reason": "Called them: all is well.", "key": "the-key-of-this-form"}
    assert client.post(f"{path}note/", said).url == path
    assert "Called them: all is well." in client.get(path).content.decode()
    member = Client()
    member.force_login(owner_of(organisation))
    assert "Called them" not in member.get("/organisation/").content.decode()
    assert member.get(path).status_code == 404
    with pytest.raises(RoleNeeded):
        notes.write(organisation, text="Mine.", by=owner_of(organisation))
    note = Note.objects.get()
    for write in (lambda: Note.objects.filter(pk=note.pk).update(text="x"), note.delete):
        with pytest.raises(DatabaseError), transaction.atomic():
            write()


def test_a_tier_is_decided_with_a_reason_and_its_history_is_kept():
    organisation, officer = make_verified(), make_staff("vetting")
    assert tiers.tier_of(organisation) is None
    tiers.decide(organisation, tier="basic", reason="Admitted.", by=officer)
    tiers.decide(organisation, tier="premier", reason="Trades every day.", by=officer)
    assert tiers.tier_of(organisation) == Tier.objects.get(code="premier")
    assert [decision.tier.code for decision in organisation.tier_decisions.all()] == ["premier", "basic"]
    assert list(journal.of(organisation).values_list("kind", flat=True))[-1] == "organisation.tier_decided"
    for wrong, code in (("premier", "same_tier"), ("golden", "no_such_tier")):
        with pytest.raises(Invalid) as refusal:
            tiers.decide(organisation, tier=wrong, reason="Because.", by=officer)
        assert refusal.value.code == code
    with pytest.raises(RoleNeeded):
        tiers.decide(organisation, tier="basic", reason="Because.", by=make_staff("payments"))
    assert TierDecision.objects.count() == 2
    with pytest.raises(DatabaseError), transaction.atomic():
        TierDecision.objects.update(reason="x")
    client = Client()
    client.force_login(owner_of(organisation))
    client.cookies["django_language"] = "zh-hant"
    assert "高級會員" in client.get("/organisation/").content.decode()
    told = client.get(f"/api/v1/organisations/{organisation.public_id}/application").json()
    assert (told["tier"]["code"], told["tier"]["rank"]) == ("premier", 3)


def test_a_participant_is_found_by_name_and_number():
    organisation = make_organisation("Lakeside Research")
    client = Client()
    client.force_login(make_staff("payments"))
    for asked in ("lakeside", organisation.registration_number, organisation.public_id):
        assert "Lakeside Research" in client.get("/admin/desks/participants/", {"q": asked}).content.decode()
    assert "Lakeside" not in client.get("/admin/desks/participants/", {"q": "nobody"}).content.decode()
