"""A participant in one view, notes of the staff, and tiers of membership."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, transaction
from django.test import Client

from compliance import notes, tiers
from compliance.models import Note, Tier, TierDecision
from marketplace import journal
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
