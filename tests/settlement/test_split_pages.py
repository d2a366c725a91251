"""Revenue splits as people and scripts lay them down, agree to them and read of them."""

from __future__ import annotations

import time

import pytest
from django.test import Client

from listings.models import Listing
from marketplace import journal
from marketplace.desks import todo
from marketplace.models import Notification, Organisation
from settlement import splits
from settlement.models import RevenueSplit
from settlement.splits import Kind, Wanted
from settlement.states import SplitState
from tests import factories, trading

pytestmark = pytest.mark.django_db
KEY = {"key": "the-key-of-that-form"}


def browser_of(organisation: Organisation) -> Client:
    """The owner, who has just proved who they are."""
    client = Client()
    client.force_login(organisation.created_by)
    session = client.session
    session["account_authentication_methods"] = [{"method": "password", "at": time.time() + 3600}]
    session["account_authentication_methods_user"] = str(organisation.created_by.pk)
    session.save()
    return client


def told(organisation: Organisation) -> list[str]:
    """What its owner was told of splits."""
    while journal.seal():
        pass
    journal.follow()
    said = Notification.objects.filter(to=organisation.created_by, kind__startswith="split.").order_by("pk")
    return list(said.values_list("kind", flat=True))


def rows_of(*shares: tuple[str, str, str]) -> dict[str, object]:
    """The form as it is posted, and two rows that were left empty."""
    said: dict[str, object] = {"form-TOTAL_FORMS": len(shares) + 2, "form-INITIAL_FORMS": 0}
    for number, (kind, who, percent) in enumerate(shares):
        said |= {f"form-{number}-kind": kind, f"form-{number}-who": who, f"form-{number}-percent": percent}
    return said


def number_of(listing: Listing) -> str:
    return listing.current_version.registration.number


def test_a_seller_lays_a_split_down_and_those_named_agree_on_their_page():
    derived, upstream, holder = trading.make_listed(), trading.make_listed(), trading.make_verified()
    address = f"/studio/{derived.public_id}/split/"
    seller = browser_of(derived.seller)
    assert "All that a trade brings" in seller.get(address).content.decode()
    said = rows_of(("upstream", number_of(upstream), "25"), ("right_holder", holder.registration_number, "10.01"))
    assert seller.post(address, KEY | said).status_code == 302
    assert seller.post(address, KEY | said).status_code == 302  # sent twice, done once
    split = RevenueSplit.objects.get()
    assert sorted(split.shares.values_list("payee", "upstream", "basis_points")) == sorted(
        [(upstream.seller_id, upstream.pk, 2_500), (holder.pk, None, 1_001)]
    )
    page = seller.get(address).content.decode()
    assert "Waits for agreement" in page and "64.99 %" in page and 'id="new"' not in page
    for payee in (upstream.seller, holder):
        assert told(payee) == ["split.proposed"]
        assert [one.url for one in todo.of(payee, "owner")] == ["/money/shares/"]
        client = browser_of(payee)
        page = client.get("/money/shares/").content.decode()
        assert derived.current_version.title in page and derived.seller.shown_name in page
        other = holder if payee == upstream.seller else upstream.seller
        assert other.shown_name not in page
        assert client.post(f"/money/splits/{split.pk}/agreement/", KEY).status_code == 302
        assert not todo.of(payee, "owner")
    assert splits.in_force(derived) == split
    assert told(derived.seller) == ["split.in_force"]
    assert f'value="{number_of(upstream)}"' in seller.get(address).content.decode()  # who has a share is named again


def test_what_is_wrong_with_a_split_stands_beside_it_and_nothing_is_laid_down():
    listing, holder = trading.make_listed(), trading.make_verified()
    address, seller = f"/studio/{listing.public_id}/split/", browser_of(listing.seller)
    split = splits.propose(listing, [Wanted(Kind.RIGHT_HOLDER, 100, holder)], by=listing.seller.created_by)
    splits.agree(split, payee=holder, by=holder.created_by)
    number = holder.registration_number
    for said, word in (
        (rows_of(("broker", "N 0", "1")), "Nobody here has the number N 0."),
        (rows_of(("upstream", number, "1")), f"No product here has the number {number}."),
        (rows_of(("broker", number, "100"), ("right_holder", number, "1")), "more than 100 percent"),
        (rows_of(("broker", number, "101")), "100"),
        (rows_of(), "between 1 and 20"),
        (rows_of(("broker", trading.make_verified().registration_number, "1")), "Somebody who has a share now"),
    ):
        answer = seller.post(address, KEY | said)
        assert answer.status_code == 422 and word in answer.content.decode()
    assert RevenueSplit.objects.count() == 1


def test_only_who_proved_anew_who_they_are_gives_revenue_away():
    listing, holder = trading.make_listed(), trading.make_verified()
    client = Client()
    client.force_login(listing.seller.created_by)
    page = client.get(f"/studio/{listing.public_id}/split/").content.decode()
    assert "Confirm that it is you" in page
    said = rows_of(("right_holder", holder.registration_number, "100"))
    assert client.post(f"/studio/{listing.public_id}/split/", KEY | said).status_code == 403
    assert not RevenueSplit.objects.exists()


def test_the_api_lays_down_answers_and_takes_back():
    derived, upstream, holder = trading.make_listed(), trading.make_listed(), trading.make_verified()
    seller, payee = browser_of(derived.seller), browser_of(holder)
    said = {
        "shares": [
            {"kind": "upstream", "basis_points": 2_500, "product": upstream.public_id},
            {"kind": "right_holder", "basis_points": 100, "organisation": holder.public_id},
        ]
    }
    address = f"/api/v1/listings/{derived.public_id}/splits"

    def post(client: Client, path: str, body: object, key: str) -> object:
        return client.post(path, body, content_type="application/json", headers={"Idempotency-Key": key})

    made = post(seller, address, said, "one-key-of-sixteen")
    assert made.status_code == 201, made.content
    split = made.json()["id"]
    assert made.json()["state"] == SplitState.PROPOSED and len(made.json()["shares"]) == 2
    again = post(seller, address, said, "another-key-of-16")
    assert (again.status_code, again.json()["code"]) == (409, "split_waits")
    [own] = payee.get("/api/v1/revenue-shares").json()["results"]
    assert (own["split"], own["of_product"], own["basis_points"]) == (split, derived.public_id, 100)
    agreed = post(payee, f"/api/v1/splits/{split}/agreement", {}, "third-key-of-sixteen")
    assert agreed.status_code == 200 and agreed.json()["shares"][0]["agreed_at"]
    taken = post(seller, f"/api/v1/splits/{split}/withdrawal", {}, "fourth-key-of-sixteen")
    assert taken.json()["state"] == SplitState.WITHDRAWN
    unknown = {"shares": [{"kind": "broker", "basis_points": 1, "organisation": "nobody"}]}
    assert post(seller, address, unknown, "fifth-key-of-sixteen").json()["code"] == "wrong_split"
    stranger = browser_of(factories.make_verified())
    assert post(stranger, f"/api/v1/splits/{split}/agreement", {}, "sixth-key-of-sixteen").status_code == 404
