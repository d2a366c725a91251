"""The pages of trade and money, as buyer, seller, colleague, stranger and nobody see them."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from compliance import holds
from listings import offers, pricing, publishing, terms
from marketplace.models import Event, Organisation, User
from marketplace.roles import Role
from settlement import buying, payouts, tasks, trades
from settlement.models import Dispute, Payment, PayoutAccount, Statement, Trade
from settlement.states import TradeState
from tests import factories, trading
from tests.trading import Deal, make_trade, work

pytestmark = pytest.mark.django_db


def signed_in(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def key_in(page: str, act: str = "") -> str:
    """The key of the form that posts to this act (or of the page's own form)."""
    form = page.split(act)[1] if act else page
    return re.search(r'name="key" value="([^"]+)"', form)[1]


def act_url(trade: Trade, act: str) -> str:
    return reverse("trade_act", args=[trade.public_id, act])


def proposal(client: Client, offer: object, **changes: str) -> dict[str, str]:
    page = client.get(reverse("propose", args=[offer.public_id])).content.decode()
    digest = re.search(r'name="text_digest" value="([^"]+)"', page)[1]
    said = {"key": key_in(page, 'id="confirm"'), "text_digest": digest, "purpose": "Route planning", "accept": "on"}
    return said | changes


# --- propose -------------------------------------------------------------------------------------------------------


def test_the_page_of_an_offer_says_price_fee_and_licence_before_one_commits():
    offer, buyer = trading.make_offer(), trading.make_verified()
    page = signed_in(buyer.created_by).get(reverse("propose", args=[offer.public_id]))
    words = page.content.decode()
    assert page.status_code == 200 and not Trade.objects.exists()
    assert "Buy for HKD 1,250.00" in words
    assert "The seller bears the exchange’s fee of 2.5 % (HKD 31.25)" in words
    assert words.count("button-primary") == 1
    assert "You may not" in words and "enforced by the exchange" in words


def test_one_page_tells_the_plans_the_total_and_where_the_terms_leave_the_standard():
    offer, buyer = trading.make_offer(), trading.make_verified()
    other = trading.make_offer(
        offer.listing, name="Research, free", price_minor=0, terms=terms.default_terms() | {"purposes": ["research"]}
    )
    client = signed_in(buyer.created_by)
    url = reverse("propose", args=[offer.public_id])
    words = " ".join(re.sub(r"<[^>]+>", " ", client.get(url).content.decode()).split())
    for said in ("You pay in all", "Tax added by the exchange none", "Fee of the exchange none for you"):
        assert said in words
    assert "Changed You may Use it in the Chinese mainland. Use it anywhere in the world." in words.replace("≠ ", "")
    typed = {"purpose": "Planning of routes", "purchase_order": "PO 9", "plan": other.public_id, "key": "x"}
    chosen = client.post(url, typed)
    page = chosen.content.decode()
    assert chosen.status_code == 200 and not Trade.objects.exists()
    assert f'action="{reverse("propose", args=[other.public_id])}#confirm"' in page
    assert "Planning of routes</textarea>" in page and 'value="PO 9"' in page
    assert "Added" in page and "Use the data for scientific research and statistics." in page
    assert client.post(url, typed | {"plan": "nowhere"}).status_code == 404
    [pressed_by_enter, *_others] = re.findall(r'<button[^>]*form="buy"[^>]*>', page)
    assert 'name="show"' in pressed_by_enter
    shown = client.post(url, {**typed, "plan": "", "show": "total"}).content.decode()
    assert "Planning of routes</textarea>" in shown and offer.name in shown and not Trade.objects.exists()


def test_a_refusal_stands_on_the_page_and_nothing_typed_is_lost():
    offer, buyer = trading.make_offer(licences_total=1), trading.make_verified()
    client, url = signed_in(buyer.created_by), reverse("propose", args=[offer.public_id])
    said = proposal(client, offer, purchase_order="PO 11")
    assert said["text_digest"].startswith("sha256:")
    changed = client.post(url, said | {"text_digest": "sha256:of another text"})
    assert changed.status_code == 409 and "contract_changed" in changed.content.decode()
    assert "Route planning</textarea>" in changed.content.decode()
    assert f'name="text_digest" value="{said["text_digest"]}"' in changed.content.decode()
    trading.propose(offer)
    gone = client.post(url, said)
    page = gone.content.decode()
    assert gone.status_code == 409 and "sold_out" in page
    assert "Route planning</textarea>" in page and 'value="PO 11"' in page
    assert not Trade.objects.filter(buyer=buyer).exists()
    other = trading.make_offer(offer.listing, name="Another plan")
    page = client.get(reverse("propose", args=[other.public_id])).content.decode()
    assert "Every licence is taken." in page and f'value="{offer.public_id}"' not in page


def test_one_form_makes_one_trade_however_often_it_is_sent():
    offer, buyer = trading.make_offer(), trading.make_verified()
    client = signed_in(buyer.created_by)
    said = proposal(client, offer, purchase_order="PO 7")
    first, second = (client.post(reverse("propose", args=[offer.public_id]), said) for _ in range(2))
    trade = Trade.objects.get()
    assert first.url == second.url == trade.get_absolute_url()
    assert (trade.state, trade.purpose, trade.purchase_order) == (TradeState.AGREED, "Route planning", "PO 7")
    other = client.post(reverse("propose", args=[offer.public_id]), said | {"purpose": "Something else"})
    assert other.status_code == 422 and b"key_reused" in other.content
    assert Trade.objects.count() == 1


def test_a_form_without_use_or_acceptance_or_key_buys_nothing():
    offer, buyer = trading.make_offer(), trading.make_verified()
    client, url = signed_in(buyer.created_by), reverse("propose", args=[offer.public_id])
    said = proposal(client, offer)
    for missing in ("purpose", "accept"):
        answer = client.post(url, {name: value for name, value in said.items() if name != missing})
        assert answer.status_code == 422 and b"look at the marked fields" in answer.content
    assert client.post(url, said | {"key": "x"}).status_code == 400
    assert client.post(url, said | {"purpose": "a\0b"}).status_code == 422
    assert not Trade.objects.exists()


FORETOLD: dict[str, Callable[[], tuple[object, Organisation, User]]] = {}


def foretold(code: str) -> Callable[[Callable[[], tuple[object, Organisation, User]]], None]:
    def keep(case: Callable[[], tuple[object, Organisation, User]]) -> None:
        FORETOLD[code] = case

    return keep


@foretold("buyer_not_verified")
def _not_verified() -> tuple[object, Organisation, User]:
    buyer = factories.make_organisation()
    return trading.make_offer(), buyer, buyer.created_by


@foretold("own_product")
def _own() -> tuple[object, Organisation, User]:
    offer = trading.make_offer()
    return offer, offer.listing.seller, offer.listing.seller.created_by


@foretold("role_needed")
def _viewer() -> tuple[object, Organisation, User]:
    buyer = trading.make_verified()
    return trading.make_offer(), buyer, factories.make_member(buyer, Role.VIEWER)


@foretold("sold_out")
def _sold_out() -> tuple[object, Organisation, User]:
    offer, buyer = trading.make_offer(licences_total=1), trading.make_verified()
    trading.propose(offer)
    return offer, buyer, buyer.created_by


@foretold("not_on_sale")
def _closed() -> tuple[object, Organisation, User]:
    offer, buyer = trading.make_offer(), trading.make_verified()
    offers.close_offer(offer, by=offer.listing.seller.created_by)
    return offer, buyer, buyer.created_by


@foretold("currency_not_taken")
def _currency() -> tuple[object, Organisation, User]:
    buyer = trading.make_verified()
    return trading.make_offer(currency="MOP"), buyer, buyer.created_by


@foretold("listing_held")
def _held() -> tuple[object, Organisation, User]:
    offer, buyer = trading.make_offer(), trading.make_verified()
    officer = factories.make_staff("review")
    holds.place("listing", offer.listing_id, reason_code="complaint", reason="Looked into.", by=officer)
    return offer, buyer, buyer.created_by


@foretold("no_gateway")
def _no_gateway() -> tuple[object, Organisation, User]:
    buyer = trading.make_verified()
    return trading.make_offer(), buyer, buyer.created_by


@pytest.mark.parametrize("code", FORETOLD)
def test_what_would_refuse_a_proposal_is_told_before(code, settings):
    offer, buyer, by = FORETOLD[code]()
    offer.refresh_from_db()
    if code == "no_gateway":
        settings.DEFAULT_GATEWAY = ""
    if code == "currency_not_taken":
        settings.CURRENCIES = ["HKD"]
    reasons = buying.reasons_against_proposal(offer, buyer, pricing.priced(offer, None), by=by)
    assert code in [reason["code"] for reason in reasons]
    assert all(reason["detail"] and reason["next"] for reason in reasons)
    with pytest.raises(trades.Refused):
        trades.propose(offer, buyer=buyer, by=by)


def test_a_buyer_who_is_not_cleared_reads_why_and_gets_no_button():
    offer, buyer = trading.make_offer(), factories.make_organisation()
    page = signed_in(buyer.created_by).get(reverse("propose", args=[offer.public_id]))
    assert page.status_code == 200
    assert b"buyer_not_verified" in page.content and b"accepts the exchange" in page.content
    assert b"button-primary" not in page.content


def test_somebody_without_an_organisation_is_told_to_register_one():
    page = signed_in(factories.make_user()).get(reverse("propose", args=[trading.make_offer().public_id]))
    assert page.status_code == 200 and b"no_organisation" in page.content and b"button-primary" not in page.content


def test_a_named_offer_does_not_exist_for_others():
    named, other = trading.make_verified(), trading.make_verified()
    offer = trading.make_offer(audience="named", buyers=[named])
    url = reverse("propose", args=[offer.public_id])
    assert signed_in(named.created_by).get(url).status_code == 200
    assert signed_in(other.created_by).get(url).status_code == 404


# --- the page of a trade -------------------------------------------------------------------------------------------


def page_of(deal: Deal, person: User) -> str:
    answer = signed_in(person).get(deal.trade.get_absolute_url())
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_two_parties_see_the_same_story_and_each_their_own_acts():
    deal = make_trade(TradeState.PROPOSED)
    for person, acts in ((deal.seller, {"agree", "decline"}), (deal.buyer, {"cancel"})):
        page = page_of(deal, person)
        assert set(re.findall(rf"/trades/{deal.trade.public_id}/(\w+)/", page)) == acts | {"contract"}
        assert "The buyer proposed the trade." in page and "The seller agrees or declines." in page
        assert page.count("button-primary") <= 1
    assert f"you, for {deal.trade.seller}" in page_of(deal, deal.seller)
    assert f"Who acts next: <strong>{deal.trade.seller}</strong>" in page_of(deal, deal.buyer)
    link = f'<a href="{deal.trade.listing.get_absolute_url()}">Open its page</a>'
    assert link in page_of(deal, deal.seller) and link in page_of(deal, deal.buyer)
    publishing.suspend(deal.trade.listing, reason="A complaint.", by=factories.make_staff("review"))
    assert link in page_of(deal, deal.seller) and link not in page_of(deal, deal.buyer)  # who would find no page there


def test_each_act_of_the_page_runs_its_command():
    deal = make_trade(TradeState.PROPOSED)
    seller, buyer = signed_in(deal.seller), signed_in(deal.buyer)

    def act(client: Client, name: str, **said: str) -> None:
        url = act_url(deal.trade, name)
        page = client.get(deal.trade.get_absolute_url()).content.decode()
        answer = client.post(url, {"key": key_in(page, url)} | said)
        assert answer.status_code == 302 and answer.url == deal.trade.get_absolute_url()

    act(seller, "agree")
    assert deal.state == TradeState.AGREED
    work()
    trading.pay(deal)
    act(buyer, "dispute", reason="Column missing.")
    assert (deal.state, deal.trade.dispute.reason) == (TradeState.DISPUTED, "Column missing.")
    act(seller, "answer", answer="It is in the second file.")
    assert Dispute.objects.get().answer == "It is in the second file."
    accepted = make_trade(TradeState.DELIVERED)
    deal = accepted
    act(signed_in(accepted.buyer), "accept")
    assert accepted.state == TradeState.ACCEPTED
    declined = make_trade(TradeState.PROPOSED)
    deal = declined
    act(signed_in(declined.seller), "decline", reason="Not this year.")
    assert (declined.state, declined.trade.end_reason) == (TradeState.DECLINED, "Not this year.")
    assert "Not this year." in page_of(declined, declined.buyer)
    cancelled = make_trade(TradeState.REGISTERED)
    deal = cancelled
    act(signed_in(cancelled.buyer), "cancel")
    assert cancelled.state == TradeState.CANCELLED


def test_a_failed_payment_can_be_started_again_once():
    deal = make_trade(TradeState.REGISTERED)
    trading.pay(deal, "fail")
    client, url = signed_in(deal.buyer), act_url(deal.trade, "pay_again")
    key = key_in(client.get(deal.trade.get_absolute_url()).content.decode(), url)
    for _ in range(2):
        assert client.post(url, {"key": key}).status_code == 302
    assert Payment.objects.filter(trade=deal.trade).count() == 2


def test_a_double_click_acts_once():
    deal = make_trade(TradeState.PROPOSED)
    client, url = signed_in(deal.seller), act_url(deal.trade, "agree")
    key = key_in(client.get(deal.trade.get_absolute_url()).content.decode(), url)
    answers = [client.post(url, {"key": key}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [302, 302]
    assert Event.objects.filter(kind="trade.agreed", subject_id=deal.trade.pk).count() == 1


def test_a_refused_act_says_code_reason_and_next_step_and_changes_nothing():
    deal = make_trade(TradeState.DELIVERED)
    client, url = signed_in(deal.buyer), act_url(deal.trade, "accept")
    key = key_in(client.get(deal.trade.get_absolute_url()).content.decode(), url)
    trades.dispute(deal.trade, reason="Wrong year.", by=deal.buyer)
    answer = client.post(url, {"key": key})
    assert answer.status_code == 409
    assert b"wrong_state" in answer.content and b"What to do:" in answer.content
    assert deal.state == TradeState.DISPUTED


def test_an_objection_without_words_is_asked_for_again():
    deal = make_trade(TradeState.DELIVERED)
    client, url = signed_in(deal.buyer), act_url(deal.trade, "dispute")
    key = key_in(client.get(deal.trade.get_absolute_url()).content.decode(), url)
    answer = client.post(url, {"key": key, "reason": " "})
    assert answer.status_code == 422 and b'<details class="dialog" open>' in answer.content
    assert deal.state == TradeState.DELIVERED


def test_the_buyer_gets_links_and_digests_the_seller_only_digests():
    deal = make_trade(TradeState.DELIVERED)
    file = deal.trade.release.files.get()
    buyers, sellers = page_of(deal, deal.buyer), page_of(deal, deal.seller)
    assert file.sha256 in buyers and file.sha256 in sellers
    assert "/data/" in buyers and "/data/" not in sellers
    link = re.search(r'href="[^"]*?(/data/[^"]+)"', buyers)[1]
    assert b"".join(signed_in(deal.buyer).get(link).streaming_content) == factories.FLIGHTS_CSV
    assert "Receipts of use" in page_of(deal, deal.seller)


def test_a_held_trade_says_why_its_files_cannot_be_fetched():
    deal = make_trade(TradeState.DELIVERED)
    officer = factories.make_staff("review")
    holds.place("listing", deal.trade.listing_id, reason_code="complaint", reason="Looked into.", by=officer)
    page = page_of(deal, deal.buyer)
    assert "The files cannot be fetched now" in page and "listing_held" in page and "/data/" not in page


def test_a_settled_trade_shows_papers_to_both_and_the_payout_to_the_seller_alone():
    deal = make_trade(TradeState.SETTLED)
    buyers, sellers = page_of(deal, deal.buyer), page_of(deal, deal.seller)
    for page in (buyers, sellers):
        assert deal.trade.register_number in page
        assert deal.trade.version.registration.number in page
        assert reverse("paper", args=[deal.trade.certificate.number]) in page
        assert "position " in page
    assert "1,218.75" in sellers and "Cleared to you" in sellers
    assert "1,218.75" not in buyers and "31.25" not in buyers


# --- who may -------------------------------------------------------------------------------------------------------


@pytest.fixture
def settled() -> Deal:
    return make_trade(TradeState.SETTLED)


def test_nobody_signed_in_is_sent_to_the_sign_in_page(settled):
    statement = Statement.objects.get()
    pages = [
        reverse("propose", args=[settled.trade.offer.public_id]),
        reverse("orders"),
        reverse("sales"),
        settled.trade.get_absolute_url(),
        reverse("money"),
        reverse("statement_csv", args=[statement.pk]),
    ]
    for url in pages:
        answer = Client().get(url)
        assert answer.status_code == 302 and answer.url.startswith(reverse("account_login")), url
    answer = Client().post(act_url(settled.trade, "accept"))
    assert answer.status_code == 302 and answer.url.startswith(reverse("account_login"))


def test_a_stranger_finds_nothing(settled):
    stranger = signed_in(trading.make_verified().created_by)
    assert stranger.get(settled.trade.get_absolute_url()).status_code == 404
    assert stranger.get(reverse("statement_csv", args=[Statement.objects.get().pk])).status_code == 404
    for act in ("agree", "accept", "cancel", "dispute", "answer", "decline", "pay_again"):
        assert stranger.post(act_url(settled.trade, act), {"key": "k" * 20, "reason": "x"}).status_code == 404, act
    for listed in ("orders", "sales"):
        assert settled.trade.public_id not in stranger.get(reverse(listed)).content.decode()


def test_the_other_side_cannot_do_what_is_not_its_own():
    deal = make_trade(TradeState.PROPOSED)
    assert signed_in(deal.buyer).post(act_url(deal.trade, "agree"), {"key": "k" * 20}).status_code == 404
    assert signed_in(deal.seller).post(act_url(deal.trade, "cancel"), {"key": "k" * 20}).status_code == 404
    assert signed_in(deal.seller).post(act_url(deal.trade, "settle"), {"key": "k" * 20}).status_code == 404
    assert deal.state == TradeState.PROPOSED


def test_a_viewer_looks_but_is_told_the_role_an_act_needs():
    deal = make_trade(TradeState.DELIVERED)
    viewer = signed_in(factories.make_member(deal.trade.buyer, Role.VIEWER))
    page = viewer.get(deal.trade.get_absolute_url()).content.decode()
    assert "/data/" not in page and act_url(deal.trade, "accept") not in page
    answer = viewer.post(act_url(deal.trade, "accept"), {"key": "k" * 20})
    assert answer.status_code == 403 and b"role_needed" in answer.content
    assert deal.state == TradeState.DELIVERED


def test_money_is_for_the_roles_that_see_it(settled):
    seller = settled.trade.seller
    answer = signed_in(factories.make_member(seller, Role.DATA_STEWARD)).get(reverse("money"))
    assert answer.status_code == 403 and b"role_needed" in answer.content
    trader = signed_in(factories.make_member(seller, Role.TRADER))
    page = trader.get(reverse("money"))
    assert page.status_code == 200 and b'name="reference"' not in page.content
    refused = trader.post(reverse("money"), {"gateway": "sandbox", "reference": "x", "key": "k" * 20})
    assert refused.status_code == 403
    assert PayoutAccount.objects.filter(organisation=seller).count() == 1


# --- lists and money -----------------------------------------------------------------------------------------------


def test_lists_say_who_acts_next_and_count_what_waits():
    deal = make_trade(TradeState.PROPOSED)
    sales = signed_in(deal.seller).get(reverse("sales"), {"show": "waiting"}).content.decode()
    assert f"trade-{deal.trade.public_id}" in sales and "<strong>You</strong>" in sales
    orders = signed_in(deal.buyer)
    assert f"trade-{deal.trade.public_id}" not in orders.get(reverse("orders"), {"show": "waiting"}).content.decode()
    assert f"trade-{deal.trade.public_id}" in orders.get(reverse("orders")).content.decode()
    assert orders.get(reverse("orders"), {"page": "nonsense", "show": "nonsense"}).status_code == 200


def statements_for(client: Client, url: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as counted:
        assert client.get(url).status_code == 200
    return len(counted)


def test_lists_cost_the_same_however_many_rows_they_show():
    offer, buyer = trading.make_offer(audience="on_request"), trading.make_verified()
    trading.propose(offer, buyer=buyer)
    clients = {"orders": signed_in(buyer.created_by), "sales": signed_in(offer.listing.seller.created_by)}
    before = {name: statements_for(client, reverse(name)) for name, client in clients.items()}
    for _ in range(6):
        trading.propose(offer, buyer=buyer)
    after = {name: statements_for(client, reverse(name)) for name, client in clients.items()}
    assert after == before
    assert max(after.values()) <= 12


def test_a_statement_and_its_payout_appear_and_the_csv_adds_up(settled):
    client = signed_in(settled.seller)
    statement = Statement.objects.get()
    early = client.get(reverse("statement_csv", args=[statement.pk]))
    assert early.status_code == 409 and b"not_ready" in early.content
    tasks.issue_statements()
    page = client.get(reverse("money")).content.decode()
    assert "payout-" in page
    url = reverse("statement", args=[statement.pk])
    row = re.search(rf'href="{url}".*?</tr>', page, re.DOTALL)
    assert row and "1,218.75" in row.group()
    answer = client.get(reverse("statement_csv", args=[statement.pk]))
    assert answer["Content-Type"].startswith("text/csv")
    assert f"1218.75,{settled.trade.payouts.get().key}" in answer.content.decode("utf-8-sig").splitlines()[-1]


def test_only_who_has_something_to_sell_is_asked_where_its_money_goes():
    buyer, seller = factories.make_verified(), factories.make_verified()
    trading.make_listed(seller)
    page = signed_in(factories.owner_of(buyer)).get(reverse("money")).content.decode()
    assert "Say where your money goes" not in page
    assert "You have not sold anything" in page and f'href="{reverse("orders")}"' in page
    assert 'name="reference"' in page  # whoever means to sell may name an account ahead
    page = signed_in(factories.owner_of(seller)).get(reverse("money")).content.decode()
    assert "Say where your money goes" in page and "You have not sold anything" not in page


def test_naming_an_account_twice_by_one_form_names_it_once():
    seller = factories.make_verified()
    client = signed_in(factories.owner_of(seller))
    key = key_in(client.get(reverse("money")).content.decode(), 'id="account"')
    for _ in range(2):
        said = {"gateway": "sandbox", "reference": "HK77 0001", "key": key}
        assert client.post(reverse("money"), said).status_code == 302
    assert [account.reference for account in PayoutAccount.objects.filter(organisation=seller)] == ["HK77 0001"]


def test_money_costs_the_same_however_many_statements(settled):
    client = signed_in(settled.seller)
    before = statements_for(client, reverse("money"))
    offer = settled.trade.offer
    for _ in range(2):
        deal = trading.propose(offer, buyer=settled.trade.buyer)
        trades.agree(deal.trade, by=deal.seller)
        work()
        trading.pay(deal)
        trades.accept(deal.trade, by=deal.buyer)
        trading.clear_now()
    assert Statement.objects.count() == 3
    assert statements_for(client, reverse("money")) == before
    assert payouts.claim_next_payouts() == []
