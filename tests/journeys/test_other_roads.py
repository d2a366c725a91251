"""Every other road of a trade over real HTTP: what is asked, refused, paid wrongly, disputed, held or sent back."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from listings import storage
from marketplace.models import Organisation
from settlement import ledger
from settlement.models import Payout, Refund, Trade, Unmatched
from tests import factories, trading
from tests.journeys import whole_trade
from tests.journeys.conftest import signed_in, wait
from tests.journeys.visitor import Refusal, Visitor

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def listing(people) -> str:
    """A product of the seller's on sale; the whole road to it has a test of its own."""
    seller = factories.Organisation.objects.get(name="Yangshan Terminal Data")
    return trading.make_listed(seller).public_id


@pytest.fixture
def desk(live_server):
    """Signs in one of the staff in this role."""
    staff: list[Visitor] = []

    def sign_in(role: str) -> Visitor:
        staff.append(signed_in(live_server.url, factories.make_staff(role)))
        return staff[-1]

    yield sign_in
    for visitor in staff:
        visitor.close()


def walk_to(people, listing: str, state: str, **offer) -> str:
    """A trade that has come as far as this; its id."""
    trade = whole_trade.propose(people, whole_trade.offer(people, listing, **offer))
    if state in ("proposed", "agreed"):
        return trade
    wait(lambda: whole_trade.state_of(people.buyer, trade) == "registered", "the register")
    if state == "registered":
        return trade
    whole_trade.act_at_the_bank(people, trade, wait)
    wait(lambda: whole_trade.state_of(people.buyer, trade) == "delivered", "the delivery")
    if state == "accepted":
        people.buyer.post(f"trades/{trade}/acceptance")
    return trade


def books_are_right() -> None:
    assert ledger.reconcile() == []
    assert all(sum(kinds.values()) == 0 for kinds in ledger.totals().values())


def refused(call, code: str) -> None:
    with pytest.raises(Refusal) as refusal:
        call()
    assert refusal.value.code == code, refusal.value


def test_on_request_the_seller_agrees_or_declines(people, listing):
    offer = whole_trade.offer(people, listing, audience="on_request")
    first, second = whole_trade.propose(people, offer), whole_trade.propose(people, offer)
    refused(lambda: people.buyer.post(f"trades/{first}/agreement"), "not_found")
    assert people.seller.post(f"trades/{first}/agreement")["state"] == "agreed"
    assert people.seller.post(f"trades/{second}/refusal", {"reason": "Not this year."})["state"] == "declined"
    refused(lambda: people.seller.post(f"trades/{second}/agreement"), "wrong_state")


def test_yen_and_dinars_go_the_same_road_and_no_statement_mixes_them(people, listing):
    """No decimals and three of them; the fee of 2.5 % is rounded to the whole minor unit of each."""
    prices = {"JPY": 12_345, "KWD": 12_345}
    fees = {"JPY": 309, "KWD": 309}
    for currency, price_minor in prices.items():
        trade = walk_to(people, listing, "accepted", price_minor=price_minor, currency=currency)
        written = {"JPY": "JPY 12,345", "KWD": "KWD 12.345"}[currency]
        assert written in people.buyer.http.get(f"/trades/{trade}/").text
    for currency in prices:
        whole_trade.clear(people, currency)
    wait(lambda: Payout.objects.filter(state="paid").count() == 2, "both payouts")
    statements = people.seller.get("statements")["results"]
    assert {one["currency"]: (one["gross_minor"], one["fee_minor"], one["net_minor"]) for one in statements} == {
        currency: (gross, fees[currency], gross - fees[currency]) for currency, gross in prices.items()
    }
    books_are_right()


def test_a_block_of_calls_is_bought_used_up_and_bought_again(people, listing):
    """A buyer's program: find out what a block costs by what is refused, take one, use it, and take another."""
    steps = [{"from_quantity": 1, "unit_price_minor": 2_000}, {"from_quantity": 2, "unit_price_minor": 1_500}]
    offer = whole_trade.offer(people, listing, price_minor=None, steps=steps, most_quantity=10)
    ask = {"offer": offer, "purpose": "Berth planning"}
    refused(lambda: people.buyer.post("trades", ask), "quantity_needed")
    refused(lambda: people.buyer.post("trades", ask | {"quantity": 11}), "quantity_out_of_range")
    bought = people.buyer.post("trades", ask | {"quantity": 2})
    assert (bought["price_minor"], bought["unit_price_minor"]) == (3_000, 1_500)
    trade = bought["public_id"]
    wait(lambda: whole_trade.state_of(people.buyer, trade) == "registered", "the register")
    whole_trade.act_at_the_bank(people, trade, wait)
    wait(lambda: whole_trade.state_of(people.buyer, trade) == "delivered", "the delivery")
    fetched = set()
    while len(fetched) < 3:  # a link made in the same second is the same link
        access = people.buyer.get(f"trades/{trade}/access")
        url = next(file["url"] for file in access["files"] if file["path"] != "SHA256SUMS")
        answer = people.buyer.http.get(url, headers={"Accept": "application/json"})
        fetched.add(url)
        assert access["calls_used"] <= 2
        assert answer.status_code == (200 if len(fetched) <= 2 else 403)
    assert answer.json()["code"] == "calls_used_up"
    again = people.buyer.post("trades", ask | {"quantity": 1})
    assert (again["price_minor"], again["quantity"]) == (2_000, 1)
    books_are_right()


def test_the_last_licence_is_sold_once_and_comes_back(people, listing):
    offer = whole_trade.offer(people, listing, licences_total=1)
    trade = whole_trade.propose(people, offer)
    refused(lambda: whole_trade.propose(people, offer), "sold_out")
    people.buyer.post(f"trades/{trade}/cancellation", {"reason": "Changed plans."})
    whole_trade.propose(people, offer)


@pytest.mark.parametrize("state", ["proposed", "agreed", "registered"])
def test_the_buyer_cancels_while_no_money_has_arrived(people, listing, state):
    trade = walk_to(people, listing, state, audience="on_request" if state == "proposed" else "everyone")
    assert people.buyer.post(f"trades/{trade}/cancellation")["state"] == "cancelled"
    wait(lambda: all(p["state"] == "stopped" for p in people.buyer.get(f"trades/{trade}")["payments"]), "the stop")


@pytest.mark.parametrize(("state", "field"), [("proposed", "agree_until"), ("registered", "fund_until")])
def test_a_trade_expires_where_it_waits_too_long(people, listing, state, field):
    trade = walk_to(people, listing, state, audience="on_request" if state == "proposed" else "everyone")
    Trade.objects.filter(public_id=trade).update(**{field: timezone.now() - dt.timedelta(minutes=1)})
    wait(lambda: whole_trade.state_of(people.buyer, trade) == "expired", "the end")


def test_a_wrong_amount_is_returned_by_the_desk_and_the_rest_applied(people, listing, desk):
    officer = desk("payments")
    trade = walk_to(people, listing, "registered")
    whole_trade.act_at_the_bank(people, trade, wait, "pay", amount_minor=100_000)
    wait(lambda: officer.get("unmatched")["results"], "the money in suspense")
    refused(lambda: officer.post(f"trades/{trade}/funding-from-suspense"), "too_little")
    whole_trade.act_at_the_bank(people, trade, wait, "pay", amount_minor=40_000)
    wait(lambda: Unmatched.objects.count() == 2, "the second part")
    officer.post(f"trades/{trade}/funding-from-suspense")
    wait(lambda: Refund.objects.filter(state="paid", amount_minor=15_000).exists(), "the surplus")
    wait(lambda: whole_trade.state_of(people.buyer, trade) == "delivered", "the delivery")
    books_are_right()


def test_money_paid_twice_or_late_goes_back(people, listing, desk):
    officer = desk("payments")
    trade = walk_to(people, listing, "registered")
    whole_trade.act_at_the_bank(people, trade, wait, "pay_twice")
    wait(lambda: officer.get("unmatched")["results"], "the second payment")
    late = walk_to(people, listing, "registered")
    people.buyer.post(f"trades/{late}/cancellation")
    wait(lambda: people.buyer.get(f"trades/{late}")["payments"][0]["state"] == "stopped", "the stop")
    whole_trade.act_at_the_bank(people, late, wait, "pay_late")
    wait(lambda: Unmatched.objects.count() == 2, "the late payment")
    assert sorted(row["why"] for row in officer.get("unmatched")["results"]) == ["paid_twice", "too_late"]
    for row in officer.get("unmatched")["results"]:
        officer.post(f"unmatched/{row['id']}/return")
    wait(lambda: Refund.objects.filter(state="paid").count() == 2, "the refunds")
    assert whole_trade.state_of(people.buyer, late) == "cancelled"
    books_are_right()


def test_a_payment_that_fails_can_be_started_again(people, listing):
    trade = walk_to(people, listing, "registered")
    whole_trade.act_at_the_bank(people, trade, wait, "fail")
    wait(lambda: people.buyer.get(f"trades/{trade}")["payments"][0]["state"] == "failed", "the failure")
    people.buyer.post(f"trades/{trade}/payments")
    wait(lambda: people.buyer.get(f"trades/{trade}")["payments"][-1]["pay_at_url"], "the new payment")
    whole_trade.act_at_the_bank(people, trade, wait)
    wait(lambda: whole_trade.state_of(people.buyer, trade) == "delivered", "the delivery")


@pytest.mark.parametrize(("award", "ends"), [(125_000, "refunded"), (25_000, "accepted"), (0, "accepted")])
def test_a_dispute_is_decided_either_way(people, listing, desk, award, ends):
    trade = walk_to(people, listing, "delivered")
    people.buyer.post(f"trades/{trade}/dispute", {"reason": "Half of it is missing."})
    people.seller.post(f"trades/{trade}/dispute/answer", {"answer": "It is in the second file."})
    award_url = f"trades/{trade}/dispute/award"
    refused(lambda: people.seller.post(award_url, {"refund_minor": 0, "resolution": "x"}), "role_needed")
    body = {"refund_minor": award, "resolution": "The manual promised all of it."}
    assert desk("disputes").post(award_url, body)["state"] == ends
    if award:
        wait(lambda: Refund.objects.filter(state="paid", amount_minor=award).exists(), "the refund")
    if ends == "refunded":
        wait(lambda: people.buyer.get(f"trades/{trade}/access")["state"] == "closed", "the closing")
    books_are_right()


@pytest.mark.parametrize(("act", "ends"), [("lose_chargeback", "refunded"), ("win_chargeback", "settled")])
def test_a_chargeback_freezes_the_trade_until_the_bank_decides(people, listing, act, ends):
    trade = walk_to(people, listing, "accepted")
    whole_trade.act_at_the_bank(people, trade, wait, "charge_back")
    wait(lambda: people.buyer.get(f"trades/{trade}")["is_frozen"], "the chargeback")
    refused(lambda: whole_trade.clear(people), "nothing_to_clear")
    assert whole_trade.state_of(people.buyer, trade) == "accepted"
    whole_trade.act_at_the_bank(people, trade, wait, act)
    wait(lambda: not people.buyer.get(f"trades/{trade}")["is_frozen"], "the bank's word")
    if ends == "settled":
        whole_trade.clear(people)
    wait(lambda: whole_trade.state_of(people.buyer, trade) == ends, "the end")
    books_are_right()


def test_what_is_lost_in_storage_is_refunded(people, listing):
    trade = whole_trade.propose(people, whole_trade.offer(people, listing))
    release = Trade.objects.get(public_id=trade).release
    stored = storage.path_of(release.files.get().stored_as)
    kept = stored.read_bytes()
    stored.unlink()
    try:
        whole_trade.act_at_the_bank(people, trade, wait)
        wait(lambda: whole_trade.state_of(people.buyer, trade) == "refunded", "the refund")
        wait(lambda: Refund.objects.filter(state="paid", amount_minor=125_000).exists(), "the money back")
    finally:
        stored.write_bytes(kept)
    books_are_right()


def test_a_refund_that_bounces_is_sent_again(people, listing, desk):
    officer = desk("payments")
    trade = walk_to(people, listing, "registered")
    whole_trade.act_at_the_bank(people, trade, wait, "pay", account="bounce-always")
    wait(lambda: whole_trade.state_of(people.buyer, trade) == "delivered", "the delivery")
    people.buyer.post(f"trades/{trade}/dispute", {"reason": "Wrong file."})
    body = {"refund_minor": 125_000, "resolution": "Indeed."}
    desk("disputes").post(f"trades/{trade}/dispute/award", body)
    wait(lambda: officer.get("refunds/bounced")["results"], "the bounce")
    bounced = officer.get("refunds/bounced")["results"][0]["key"]
    officer.post(f"refunds/{bounced}/resending", {"payer_reference": "mended"})
    [mending] = officer.get("mendings")["results"]
    desk("payments").post(f"mendings/{mending['id']}/confirmation")
    wait(lambda: Refund.objects.filter(state="paid").exists(), "the refund")
    assert officer.get("refunds/bounced")["results"] == []
    books_are_right()


def test_a_payout_that_bounces_goes_out_when_the_account_is_mended(people, listing):
    seller = Organisation.objects.get(public_id=people.seller.get("me")["acting"])
    trading.set_account(seller, "bounce-always", by=seller.created_by)
    trade = walk_to(people, listing, "accepted")
    whole_trade.clear(people)
    wait(lambda: Payout.objects.filter(state="bounced").exists(), "the bounce")
    assert whole_trade.state_of(people.seller, trade) == "cleared"
    trading.set_account(seller, "mended", by=seller.created_by)
    wait(lambda: whole_trade.state_of(people.seller, trade) == "settled", "the settlement")
    assert sorted(row["state"] for row in people.seller.get("payouts")["results"]) == ["bounced", "paid"]
    books_are_right()


def test_a_hold_closes_access_at_once_and_lifting_it_lets_the_trade_go_on(people, listing, desk):
    reviewer = desk("review")
    trade = walk_to(people, listing, "delivered")
    url = people.buyer.get(f"trades/{trade}/access")["files"][0]["url"]
    assert people.buyer.http.get(url).status_code == 200
    body = {"reason_code": "complaint", "reason": "A complaint came in."}
    hold = reviewer.post(f"trades/{trade}/hold", body)["id"]
    assert people.buyer.http.get(url).status_code == 403
    refused(lambda: people.buyer.post(f"trades/{trade}/acceptance"), "not_cleared")
    reviewer.post(f"holds/{hold}/lifting", {"reason": "Unfounded."})
    wait(lambda: people.buyer.get(f"trades/{trade}/access")["state"] == "open", "the access")
    assert people.buyer.http.get(url).status_code == 200
    assert people.buyer.post(f"trades/{trade}/acceptance")["state"] == "accepted"


def test_a_cycle_released_twice_is_cleared_once(people, listing):
    trade = walk_to(people, listing, "accepted")
    number = people.officer.post("cycles/current/closing", {"currency": "CNY"})["number"]
    people.officer.post(f"cycles/{number}/release")
    before = ledger.totals()
    refused(lambda: people.officer.post(f"cycles/{number}/release"), "wrong_state")
    assert ledger.totals() == before
    wait(lambda: people.buyer.get(f"trades/{trade}")["certificate"], "the certificate")
