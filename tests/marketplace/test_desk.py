"""The start page, the staff's desks and the records: who sees what, and that deciding goes through the commands."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.messages import get_messages
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone, translation

from compliance import holds, reviews
from compliance.models import Hold
from listings import publishing
from marketplace import documents, journal
from marketplace.admin_site import OWN_APPS
from marketplace.desk_pages import TITLES
from marketplace.models import Event, Revocation, User
from marketplace.roles import DESKS, SEES_EVERY_DESK, Role, StaffRole
from settlement import clearing_preview, payment_desk, tasks, trades
from settlement.gateways import sandbox_bank
from settlement.models import ClearingCycle, Dispute, Refund, Trade, Unmatched
from settlement.states import CycleState, OutgoingState, TradeState
from tests import factories, trading
from tests.factories import make_staff
from tests.trading import make_trade, work

pytestmark = pytest.mark.django_db


def signed_in(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def form_in(page: str, act: str) -> dict[str, str]:
    """The hidden fields of the form on the page whose act is this one."""
    for form in re.findall(r"<form.*?</form>", page, re.DOTALL):
        fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form))
        if fields.get("act") == act:
            return {name: value for name, value in fields.items() if name != "csrfmiddlewaretoken"}
    raise AssertionError(f"no form does {act!r} here")


def acts_in(page: str) -> set[str]:
    """What the forms of the page do."""
    return set(re.findall(r'<input type="hidden" name="act" value="(\w+)"', page))


def shown(person: User, name: str, *args: object, **asked: str) -> str:
    answer = signed_in(person).get(reverse(name, args=args), asked)
    assert answer.status_code == 200
    return answer.content.decode()


def act(person: User, page: str, url: str, name: str, **said: str):
    return signed_in(person).post(url, form_in(page, name) | said)


def decide(person: User, page: str, url: str, name: str, **said: str):
    """Send the review desk's form of decision, each item of its checklist answered yes."""
    [form] = re.findall(r'<form[^>]* id="decision">.*?</form>', page, re.DOTALL)
    key = re.search(r'name="key" value="([^"]*)"', form)[1]
    answers = dict.fromkeys(re.findall(r'type="radio" name="(answer_\w+)"', form), "yes")
    return signed_in(person).post(url, {"act": name, "key": key} | answers | said)


def statements_for(client: Client, url: str) -> int:
    with CaptureQueriesContext(connection) as counted:
        assert client.get(url).status_code == 200
    return len(counted)


# --- the start page ------------------------------------------------------------------------------------------------


def test_the_start_page_answers_anyone_at_once_and_invites():
    make_trade(TradeState.SETTLED)
    answer = Client().get("/")
    page = answer.content.decode()
    assert answer.status_code == 200 and not answer.has_header("Location")
    assert reverse("account_signup") in page and reverse("catalogue") in page
    figures = dict(re.findall(r"<div><dt>([^<]+)</dt><dd>([\d,]+)</dd></div>", page))
    assert figures == {"Products listed": "1", "Members verified": "2", "Trades settled": "1"}
    assert "Departures of New York" in page and "HKD" in page


def test_the_start_page_is_calm_on_an_empty_exchange():
    page = Client().get("/").content.decode()
    assert "No product is listed yet" in page


def test_what_waits_is_shown_to_those_whose_role_may_do_it():
    deal = make_trade(TradeState.PROPOSED)
    viewer = factories.make_member(deal.trade.seller, Role.VIEWER)
    assert "Answer the proposal" in shown(deal.seller, "home")
    for other in (deal.buyer, viewer):
        assert "Answer the proposal" not in shown(other, "home")
    trades.agree(deal.trade, by=deal.seller)
    work()
    assert f'<a href="{deal.trade.get_absolute_url()}">Pay</a>' in shown(deal.buyer, "home")
    trading.pay(deal)
    assert "Inspect, then accept or object" in shown(deal.buyer, "home")
    trades.dispute(deal.reload(), reason="Wrong.", by=deal.buyer)
    assert "Answer the objection" in shown(deal.seller, "home")
    trades.answer_dispute(Dispute.objects.get(), answer="No.", by=deal.seller)
    assert "Answer the objection" not in shown(deal.seller, "home")


def test_what_waits_names_applying_and_manuals_that_were_sent_back():
    assert "Register your organisation" in shown(factories.make_user(), "home")
    newcomer = factories.make_organisation()
    assert "Apply to the exchange" in shown(newcomer.created_by, "home")
    version = factories.make_draft(factories.make_verified())
    review = reviews.submit(version, by=version.listing.seller.created_by)
    officer = make_staff("review")
    reviews.take(review, by=officer)
    reviews.request_changes(review, reason_code="quality", reason="Too many gaps.", by=officer)
    owner = version.listing.seller.created_by
    assert "Rework the manual that was sent back" in shown(owner, "home")
    publishing.draft(version.listing, by=owner)
    assert "Rework the manual that was sent back" not in shown(owner, "home")


def test_the_start_page_costs_the_same_however_much_waits():
    offer, buyer = trading.make_offer(audience="on_request"), trading.make_verified()
    trading.propose(offer, buyer=buyer)
    client = signed_in(offer.listing.seller.created_by)
    before = statements_for(client, "/")
    for _ in range(4):
        trading.propose(offer, buyer=buyer)
    trading.make_offer(trading.make_listed(offer.listing.seller))
    assert statements_for(client, "/") == before


# --- who sees which desk -------------------------------------------------------------------------------------------


def test_every_desk_has_a_page_and_a_rule():
    assert set(TITLES) == set(DESKS)


@pytest.mark.parametrize("role", StaffRole.values)
def test_desks_are_seen_by_their_roles_alone(role):
    client = signed_in(make_staff(role))
    home = client.get(reverse("admin:index"))
    assert home.status_code == 200
    for name in TITLES:
        sees = role in DESKS[name] or role in SEES_EVERY_DESK
        answer = client.get(reverse(f"desk_{name}"))
        assert answer.status_code == (200 if sees else 403), name
        assert sees or b"role_needed" in answer.content
        assert (reverse(f"desk_{name}") in home.content.decode()) is sees, name


def test_members_find_no_desk_and_nobody_is_sent_to_sign_in():
    member = signed_in(trading.make_verified().created_by)
    for name in TITLES:
        assert member.get(reverse(f"desk_{name}")).status_code == 404, name
        answer = Client().get(reverse(f"desk_{name}"))
        assert answer.status_code == 302 and answer.url.startswith(reverse("account_login")), name
    assert member.get(reverse("admin:index")).status_code == 404
    assert Client().get(reverse("admin:index")).url.startswith(reverse("account_login"))


@pytest.mark.parametrize("role", sorted(SEES_EVERY_DESK))
def test_the_auditor_and_the_administrator_see_all_and_can_change_nothing(role):
    looker = make_staff(role)
    applicant = factories.make_applied()
    deal = make_trade(TradeState.DELIVERED)
    dispute = trades.dispute(deal.trade, reason="Wrong.", by=deal.buyer)
    review = reviews.submit(factories.make_draft(trading.make_verified()), by=_submitter())
    paper = documents.Paper.objects.latest("pk")
    pages = [
        ("desk_organisation", applicant.public_id),
        ("desk_review", review.pk),
        ("desk_dispute", dispute.pk),
        ("desk_trade", deal.trade.public_id),
        ("desk_paper", paper.number),
        ("desk_payments",),
        ("desk_clearing",),
        ("desk_stuck",),
    ]
    for name, *args in pages:
        assert acts_in(shown(looker, name, *args)) == set(), name
    client, before = signed_in(looker), Event.objects.count()
    said = {"key": "k" * 24, "reason_code": "checks_passed", "reason": "x", "refund": "0", "resolution": "x"}
    forged = [
        (reverse("desk_organisation_act", args=[applicant.public_id]), "approve"),
        (reverse("desk_review_act", args=[review.pk]), "take"),
        (reverse("desk_dispute_act", args=[dispute.pk]), "resolve"),
        (reverse("desk_paper_act", args=[paper.number]), "ask"),
        (reverse("desk_clearing_close"), "close"),
    ]
    for url, name in forged:
        answer = client.post(url, said | {"act": name})
        assert answer.status_code == 403 and b"role_needed" in answer.content, url
    assert Event.objects.count() == before


def _submitter() -> User:
    version = publishing.Version.objects.latest("pk")
    return version.listing.seller.created_by


# --- organisations -------------------------------------------------------------------------------------------------


def test_an_application_is_approved_by_two_people_at_the_desk():
    applicant = factories.make_applied("Desk Limited")
    first, second = make_staff("vetting"), make_staff("vetting")
    assert "Desk Limited" in shown(first, "desk_organisations")
    url = reverse("desk_organisation_act", args=[applicant.public_id])
    page = shown(first, "desk_organisation", applicant.public_id)
    assert acts_in(page) >= {"approve", "request_more", "refuse", "hold"}
    said = {"reason_code": "checks_passed", "reason": "Register checked."}
    assert act(first, page, url, "approve", **said).status_code == 302
    assert applicant.verification.state == "applied"
    own = shown(first, "desk_organisation", applicant.public_id)
    assert "You proposed it; a colleague confirms it." in own and "confirm" not in acts_in(own)
    page = shown(second, "desk_organisation", applicant.public_id)
    assert act(second, page, url, "confirm").status_code == 302
    applicant.verification.refresh_from_db()
    assert applicant.verification.state == "verified"


def test_a_double_click_at_the_desk_decides_once():
    applicant = factories.make_applied()
    officer = make_staff("vetting")
    url = reverse("desk_organisation_act", args=[applicant.public_id])
    page = shown(officer, "desk_organisation", applicant.public_id)
    said = {"reason_code": "document_missing", "reason": "Send the licence."}
    for _ in range(2):
        assert act(officer, page, url, "request_more", **said).status_code == 302
    assert applicant.verification.decisions.count() == 1
    assert Event.objects.filter(kind="organisation.more_requested").count() == 1


def test_a_decision_without_a_reason_is_refused_and_changes_nothing():
    applicant = factories.make_applied()
    officer = make_staff("vetting")
    url = reverse("desk_organisation_act", args=[applicant.public_id])
    page = shown(officer, "desk_organisation", applicant.public_id)
    for said in ({"reason_code": "no_answer"}, {"reason_code": "nonsense", "reason": "x"}):
        answer = act(officer, page, url, "refuse", **said)
        assert answer.status_code == 422 and b"Some of what was sent cannot be used." in answer.content
    assert signed_in(officer).post(url, {"act": "crown", "key": "k" * 20}).status_code == 404
    assert not applicant.verification.decisions.exists()


def test_an_organisation_is_suspended_held_and_lifted_at_the_desk():
    member = trading.make_verified()
    officer = make_staff("vetting")
    url = reverse("desk_organisation_act", args=[member.public_id])
    page = shown(officer, "desk_organisation", member.public_id)
    act(officer, page, url, "hold", reason_code="complaint", reason="Looked into.")
    assert holds.lying_on(organisations=[member.pk]) == [("organisation", member.pk)]
    page = shown(officer, "desk_organisation", member.public_id)
    assert "Holds now" in page
    act(officer, page, url, "lift", reason="Cleared up.")
    assert Hold.objects.get().lift_reason == "Cleared up."
    act(officer, page, url, "suspend", reason_code="rules_broken", reason="Rule 4.")
    member.verification.refresh_from_db()
    assert member.verification.state == "suspended"


def test_support_sees_organisations_but_decides_nothing():
    applicant = factories.make_applied()
    page = shown(make_staff("support"), "desk_organisation", applicant.public_id)
    assert "your roles decide nothing here" in page and acts_in(page) == set()


# --- reviews -------------------------------------------------------------------------------------------------------


def test_a_manual_is_taken_and_approved_by_two_at_the_desk():
    version = factories.make_draft(factories.make_verified())
    review = reviews.submit(version, by=version.listing.seller.created_by)
    first, second = make_staff("review"), make_staff("review")
    url = reverse("desk_review_act", args=[review.pk])
    for officer, name, state in (
        (first, "take", "taken"),
        (first, "approve", "seconded"),
        (second, "approve", "approved"),
    ):
        page = shown(officer, "desk_review", review.pk)
        answer = act(officer, page, url, name) if name == "take" else decide(officer, page, url, name)
        assert answer.status_code == 302
        review.refresh_from_db()
        assert review.state == state
    version.refresh_from_db()
    assert (version.state, review.by, review.second_by) == ("approved", first, second)


def test_a_new_version_stands_beside_the_approved_one_with_its_changes_marked():
    listing = trading.make_listed()
    owner = listing.seller.created_by
    draft = publishing.draft(listing, by=owner)
    publishing.edit(draft, by=owner, coverage_area=draft.coverage_area | {"en": "New York and Newark"})
    review = reviews.submit(draft, by=owner)
    page = shown(make_staff("review"), "desk_review", review.pk)
    assert "beside version 1, approved before" in page
    changed = re.findall(r'<th scope="row">([^<]+) <span class="tag">changed', page)
    assert changed == ["Area covered"]
    assert "New York<ins> and Newark</ins>" in page and "flights.csv" in page


def test_a_manual_is_sent_back_with_words_the_seller_reads():
    version = factories.make_draft(factories.make_verified())
    review = reviews.submit(version, by=version.listing.seller.created_by)
    officer = make_staff("review")
    reviews.take(review, by=officer)
    page = shown(officer, "desk_review", review.pk)
    url = reverse("desk_review_act", args=[review.pk])
    said = {"request_changes_code": "quality", "request_changes_reason": "Too many gaps."}
    assert decide(officer, page, url, "request_changes", **said).status_code == 302
    review.refresh_from_db()
    assert (review.state, review.reason_code, review.reason) == ("changes_requested", "quality", "Too many gaps.")


def test_a_product_is_suspended_and_put_back_at_the_desk():
    listing = trading.make_listed()
    review = listing.current_version.review
    officer = make_staff("review")
    url = reverse("desk_review_act", args=[review.pk])
    act(officer, shown(officer, "desk_review", review.pk), url, "suspend", reason="A complaint.")
    listing.refresh_from_db()
    assert listing.state == "suspended"
    act(officer, shown(officer, "desk_review", review.pk), url, "resume")
    listing.refresh_from_db()
    assert listing.state == "listed"


def test_a_reviewer_who_belongs_to_the_seller_gets_no_button():
    seller = factories.make_verified()
    officer = make_staff("review")
    _invitation, secret = factories.participants.invite(
        seller, email=officer.email, role=Role.VIEWER, by=seller.created_by
    )
    factories.participants.accept_invitation(secret, by=officer)
    review = reviews.submit(factories.make_draft(seller), by=seller.created_by)
    assert "take" not in acts_in(shown(officer, "desk_review", review.pk))
    url = reverse("desk_review_act", args=[review.pk])
    answer = signed_in(officer).post(url, {"act": "take", "key": "k" * 20})
    assert answer.status_code == 403 and b"own_organisation" in answer.content


# --- payments ------------------------------------------------------------------------------------------------------


def test_unmatched_money_is_returned_once_by_the_desk():
    deal = make_trade(TradeState.REGISTERED)
    trading.pay(deal, "pay_less")
    officer = make_staff("payments")
    page = shown(officer, "desk_payments")
    assert "The amount is not what was asked for." in page and "Less than the price has arrived." in page
    for _ in range(2):
        assert act(officer, page, reverse("desk_payment_act"), "return").status_code == 302
    assert Unmatched.objects.get().decision == "returned"
    assert Refund.objects.count() == 1


def test_contested_money_has_no_button_until_the_bank_has_decided():
    deal = make_trade(TradeState.REGISTERED)
    trading.pay(deal, "pay", amount_minor=100_000)
    trading.pay(deal, "pay", amount_minor=30_000)
    officer = make_staff("payments")
    contest = "The payer&#x27;s bank contests this payment."
    assert contest not in shown(officer, "desk_payments")
    trading.pay(deal, "charge_back")
    page = shown(officer, "desk_payments")
    assert page.count(contest) == 4 and {"return", "apply"}.isdisjoint(acts_in(page))
    trading.pay(deal, "win_chargeback")
    assert contest not in shown(officer, "desk_payments")


def test_money_that_covers_the_price_together_is_applied_by_the_desk():
    deal = make_trade(TradeState.REGISTERED)
    trading.pay(deal, "pay", amount_minor=100_000)
    trading.pay(deal, "pay", amount_minor=30_000)
    officer = make_staff("payments")
    page = shown(officer, "desk_payments")
    assert "arrived together" in page
    assert act(officer, page, reverse("desk_payment_act"), "apply").status_code == 302
    work()
    assert deal.state == TradeState.DELIVERED
    assert Refund.objects.get().amount_minor == 5_000


def test_a_bounced_refund_is_sent_again_to_a_mended_account():
    deal = make_trade(TradeState.DELIVERED)
    dispute = trades.dispute(deal.trade, reason="Wrong.", by=deal.buyer)
    trades.resolve(dispute, refund_minor=125_000, resolution="Agreed.", by=make_staff("disputes"))
    work()
    refund = Refund.objects.get()
    sandbox_bank.act(sandbox_bank.reference_of("refund", refund.key), "bounce")
    work()
    refund.refresh_from_db()
    assert refund.state == OutgoingState.BOUNCED
    officer = make_staff("payments")
    page = shown(officer, "desk_payments", show="refunds")
    act(officer, page, reverse("desk_payment_act"), "send_again", payer_reference="mended-1")
    assert not Refund.objects.filter(replaces=refund).exists()
    colleague = make_staff("payments")
    act(colleague, shown(colleague, "desk_payments", show="refunds"), reverse("desk_payment_act"), "confirm_mending")
    anew = Refund.objects.get(replaces=refund)
    assert (anew.payer_reference, anew.amount_minor) == ("mended-1", 125_000)
    assert "send_again" not in acts_in(shown(officer, "desk_payments", show="refunds"))


def test_an_open_chargeback_is_listed_for_looking():
    deal = make_trade(TradeState.DELIVERED)
    trading.pay(deal, "charge_back")
    page = shown(make_staff("payments"), "desk_payments", show="chargebacks")
    assert deal.trade.register_number in page and "the payer’s bank" in page


def test_the_lists_of_payments_have_pages_and_are_sorted_by_age_or_sum(monkeypatch):
    monkeypatch.setattr(payment_desk, "ROWS_ON_A_PAGE", 1)
    small, large = (make_trade(TradeState.DELIVERED, price_minor=minor) for minor in (20_000, 90_000))
    for deal in (small, large):
        trading.pay(deal, "charge_back")
    officer = make_staff("payments")
    on_page = {
        (sort, page): [deal is small for deal in (small, large) if deal.trade.register_number in found]
        for sort in ("age", "amount", "nonsense")
        for page in ("1", "2")
        for found in [shown(officer, "desk_payments", show="chargebacks", sort=sort, page=page)]
    }
    assert on_page == {
        ("age", "1"): [True], ("age", "2"): [False], ("amount", "1"): [False], ("amount", "2"): [True],
        ("nonsense", "1"): [True], ("nonsense", "2"): [False],
    }  # fmt: skip


# --- disputes ------------------------------------------------------------------------------------------------------


def test_a_dispute_is_decided_by_an_award_at_the_desk():
    deal = make_trade(TradeState.DELIVERED)
    dispute = trades.dispute(deal.trade, reason="Half is missing.", by=deal.buyer)
    officer = make_staff("disputes")
    assert deal.trade.version.title in shown(officer, "desk_disputes")
    page, url = shown(officer, "desk_dispute", dispute.pk), reverse("desk_dispute_act", args=[dispute.pk])
    wrong = act(officer, page, url, "resolve", refund="12.345", resolution="Half.")
    assert wrong.status_code == 422 and b"decimals" in wrong.content
    assert act(officer, page, url, "resolve", refund="1,250.01", resolution="All.").status_code == 422
    assert deal.state == TradeState.DISPUTED
    assert act(officer, page, url, "resolve", refund="625.00", resolution="Half.").status_code == 302
    assert deal.state == TradeState.ACCEPTED
    dispute.refresh_from_db()
    assert (dispute.refund_minor, dispute.resolution, dispute.resolved_by) == (62_500, "Half.", officer)


def test_a_dispute_over_a_free_product_can_end_the_access():
    deal = make_trade(TradeState.AGREED, price_minor=0)
    work()
    dispute = trades.dispute(deal.trade, reason="Not what it says.", by=deal.buyer)
    officer = make_staff("disputes")
    page = shown(officer, "desk_dispute", dispute.pk)
    url = reverse("desk_dispute_act", args=[dispute.pk])
    act(officer, page, url, "resolve", ends_access="yes", resolution="It is not.")
    assert deal.state == TradeState.REFUNDED


def test_a_trade_is_held_and_lifted_at_its_desk():
    deal = make_trade(TradeState.DELIVERED)
    officer = make_staff("disputes")
    url = reverse("desk_trade_act", args=[deal.trade.public_id])
    page = shown(officer, "desk_trade", deal.trade.public_id)
    act(officer, page, url, "hold", reason_code="payment_doubt", reason="A payment is in doubt.")
    assert holds.lying_on(trades=[deal.trade.pk]) == [("trade", deal.trade.pk)]
    act(officer, shown(officer, "desk_trade", deal.trade.public_id), url, "lift", reason="Cleared up.")
    assert holds.lying_on(trades=[deal.trade.pk]) == []


def test_a_trade_is_found_by_its_number():
    deal = make_trade(TradeState.SETTLED)
    client = signed_in(make_staff("support"))
    found = client.get(reverse("desk_trades"), {"q": deal.trade.register_number.lower()})
    assert found.url == reverse("desk_trade", args=[deal.trade.public_id])
    assert f"fee-{deal.trade.pk}" in client.get(found.url).content.decode()
    assert client.get(reverse("desk_trades"), {"q": "nothing"}).status_code == 404


# --- clearing ------------------------------------------------------------------------------------------------------


def test_a_cycle_is_closed_and_released_at_the_desk():
    deal = make_trade(TradeState.ACCEPTED)
    officer = make_staff("clearing")
    tasks.clear_cycles()
    assert "1 trade" in shown(officer, "desk_clearing")
    page = shown(officer, "desk_clearing_preview")
    assert "1,218.75" in page and "Below the limit" in page
    answer = act(officer, page, reverse("desk_clearing_close"), "close")
    cycle = ClearingCycle.objects.get(state=CycleState.CLOSED)
    assert answer.url == reverse("desk_cycle", args=[cycle.number])
    page = shown(officer, "desk_cycle", cycle.number)
    assert "1,218.75" in page  # what its release would do
    assert act(officer, page, reverse("desk_cycle_release", args=[cycle.number]), "release").status_code == 302
    assert deal.state == TradeState.CLEARED
    assert "1,218.75" in shown(officer, "desk_cycle", cycle.number)


def test_the_preview_of_a_run_says_what_the_run_does_and_what_it_leaves_out():
    seller, officer = trading.make_verified(), make_staff("clearing", "vetting")
    offers = [trading.make_offer(trading.make_listed(seller), price_minor=minor) for minor in (125_000, 33_300, 10_000)]
    deals = []
    for offer in offers:
        deals.append(trading.propose(offer))
        work()
        trading.pay(deals[-1])
        trades.accept(deals[-1].trade, by=deals[-1].buyer)
    free = trading.propose(trading.make_offer(price_minor=0))
    work()
    trades.accept(free.trade, by=free.buyer)
    said = {"reason_code": "complaint", "reason": "We look into it.", "by": officer}
    holds.place("trade", deals[2].trade.pk, **said)
    holds.place("organisation", deals[2].trade.buyer_id, **said)
    found = clearing_preview.of_next("HKD", left_out_shown=1)
    total, [member] = found.total, found.by_member
    assert (total.trades, total.gross_minor, member.organisation_id, found.free) == (2, 158_300, seller.pk, 1)
    assert {pk: [str(why) for why in reasons] for pk, reasons in found.left_out.items()} == {
        deals[2].trade.pk: ["a hold lies on the trade", "the buyer is held"]
    }
    page = shown(officer, "desk_clearing_preview")
    assert "the buyer is held" in page and deals[2].reload().register_number in page
    cycle = trading.close_now(by=officer)
    assert clearing_preview.of_cycle(cycle, left_out_shown=1) == found
    trades.clear(cycle)
    statement = cycle.statements.get()
    assert (statement.gross_minor, statement.fee_minor, statement.net_minor) == (
        total.gross_minor, total.fee_minor, total.net.minor,
    )  # fmt: skip
    assert deals[2].state == TradeState.ACCEPTED and deals[2].trade.cycle is None
    again = {"act": "close", "cycle": str(cycle.number), "key": "k" * 24}
    answer = signed_in(officer).post(reverse("desk_clearing_close"), again)
    assert answer.status_code == 409 and not ClearingCycle.objects.filter(number__gt=cycle.number).exists()


def test_decisions_and_holds_are_told_in_words():
    member, officer = trading.make_verified(), make_staff("vetting")
    holds.place("organisation", member.pk, reason_code="complaint", reason="We look into it.", by=officer)
    for desk in ("desk_organisation", "desk_participant"):
        page = shown(officer, desk, member.public_id)
        assert "A complaint is being looked into" in page and "<code>complaint" not in page
    page = shown(officer, "desk_organisation", member.public_id)
    assert "The checks were passed" in page and "checks_passed" not in page and "<code>approve" not in page


def test_a_cycle_above_the_limit_takes_two_people(settings):
    settings.CLEARING_LIMIT_MINOR = 1_000
    deal = make_trade(TradeState.ACCEPTED)
    first, second = make_staff("clearing"), make_staff("clearing")
    cycle = trading.close_now(by=first)
    url = reverse("desk_cycle_release", args=[cycle.number])
    answer = act(first, shown(first, "desk_cycle", cycle.number), url, "release")
    assert deal.state == TradeState.ACCEPTED
    assert [str(one) for one in get_messages(answer.wsgi_request)] == ["You confirmed it; a colleague releases it."]
    page = shown(first, "desk_cycle", cycle.number)
    assert "a colleague releases it" in page and acts_in(page) == set()
    answer = act(second, shown(second, "desk_cycle", cycle.number), url, "release")
    assert deal.state == TradeState.CLEARED
    assert [str(one) for one in get_messages(answer.wsgi_request)] == ["The cycle is released."]


# --- papers and stuck work -----------------------------------------------------------------------------------------


def test_a_paper_is_revoked_in_two_steps_by_two_people():
    paper = make_trade(TradeState.SETTLED).trade.certificate
    first, second = make_staff("review"), make_staff("clearing")
    url = reverse("desk_paper_act", args=[paper.number])
    act(first, shown(first, "desk_paper", paper.number), url, "ask", reason="Issued in error.")
    revocation = Revocation.objects.get()
    assert revocation.revoked_at is None
    assert acts_in(shown(first, "desk_paper", paper.number)) == set()
    act(second, shown(second, "desk_paper", paper.number), url, "confirm")
    revocation.refresh_from_db()
    assert revocation.revoked_at is not None and revocation.second_by == second
    assert "Issued in error." in shown(first, "desk_paper", paper.number)


def test_a_row_that_fails_shows_its_error_and_can_be_tried_now(settings):
    deal = make_trade(TradeState.AGREED)
    trades.postpone(deal.trade, RuntimeError("the register is away"))
    Trade.objects.update(next_try_at=timezone.now() + dt.timedelta(hours=1))  # longer than any page takes
    officer = make_staff("support")
    page = shown(officer, "desk_stuck")
    assert "RuntimeError" in page and "A fault of the exchange." in page and "the register is away" not in page
    assert "1 row that workers could not finish" in shown(officer, "admin:index")
    before = Trade.objects.get().next_try_at
    assert act(officer, page, reverse("desk_stuck_act"), "try").status_code == 302
    assert Trade.objects.get().next_try_at < before
    work()
    assert deal.state == TradeState.REGISTERED


# --- queues and records --------------------------------------------------------------------------------------------


def test_queues_cost_the_same_however_much_waits():
    def one_more() -> None:
        factories.make_applied()
        version = factories.make_draft(factories.make_verified())
        reviews.submit(version, by=version.listing.seller.created_by)
        deal = make_trade(TradeState.DELIVERED)
        trades.dispute(deal.trade, reason="Wrong.", by=deal.buyer)
        trading.pay(make_trade(TradeState.REGISTERED), "pay_less")

    one_more()
    client = signed_in(make_staff("audit"))
    queues = ["desk_organisations", "desk_reviews", "desk_payments", "desk_disputes", "desk_clearing", "desk_trades"]
    queues += ["desk_papers", "desk", "desk_stuck"]
    client.get(reverse("desk"))  # its figures are kept for a minute
    before = {name: statements_for(client, reverse(name)) for name in queues}
    one_more()
    journal.seal()
    assert {name: statements_for(client, reverse(name)) for name in queues} == before


def records() -> list[str]:
    return sorted(f"{model._meta.app_label}_{model._meta.model_name}" for model in admin.site._registry)


def test_every_model_of_ours_can_be_looked_at_but_what_hides_facts():
    ours = {model for model in apps.get_models() if model._meta.app_label in OWN_APPS and not model._meta.auto_created}
    hidden = {apps.get_model("marketplace", "Salt")}
    hidden |= {apps.get_model("listings", name) for name in ("ShelfItem", "CatalogueWord")}  # made from what is shown
    assert set(admin.site._registry) == ours - hidden


def test_every_column_of_a_record_is_called_by_a_word_of_the_readers_language():
    """A new field or model is given a word in `marketplace/column_words.py`, or translated names of its own."""
    unnamed = [
        f"{model.__name__}.{field.name}"
        for model, looks in admin.site._registry.items()
        for field in [*model._meta.fields, *model._meta.many_to_many]
        if isinstance(field.verbose_name, str) and field.name not in ("id", *(looks.exclude or ()))
    ]
    unnamed += [model.__name__ for model in admin.site._registry if isinstance(model._meta.verbose_name_plural, str)]
    assert not unnamed
    with translation.override("zh-hant"):
        assert Trade._meta.get_field("buyer").verbose_name == "需求方"


def test_records_are_for_looking_and_cost_the_same_however_many():
    looker = signed_in(make_staff("audit"))
    deal = make_trade(TradeState.SETTLED)
    trading.pay(make_trade(TradeState.REGISTERED), "pay_less")
    tasks.issue_statements()
    before = {}
    for name in records():
        before[name] = statements_for(looker, reverse(f"admin:{name}_changelist"))
        model = apps.get_model(*name.split("_", 1))
        row = model._default_manager.first()
        if row is not None:
            page = looker.get(reverse(f"admin:{name}_change", args=[row.pk]))
            assert page.status_code == 200, name
            assert b"<style" not in page.content and b'name="_save"' not in page.content, name
            assert looker.post(reverse(f"admin:{name}_delete", args=[row.pk]), {"post": "yes"}).status_code == 403
            assert looker.post(reverse(f"admin:{name}_change", args=[row.pk]), {"x": "y"}).status_code == 403
        assert looker.get(reverse(f"admin:{name}_add")).status_code == 403
    make_trade(TradeState.SETTLED)
    trading.pay(make_trade(TradeState.REGISTERED), "pay_less")
    tasks.issue_statements()
    grown = {
        name: (before[name], now)
        for name in records()
        if (now := statements_for(looker, reverse(f"admin:{name}_changelist"))) > before[name]
    }
    assert grown == {}
    assert (
        deal.trade.certificate.check_code
        not in looker.get(reverse("admin:marketplace_paper_change", args=[deal.trade.certificate.pk])).content.decode()
    )


def test_a_code_of_a_record_is_said_in_words_and_can_be_filtered_by():
    seller = trading.make_verified("Pearl Weather")
    reason = "The payment of a trade is being looked into."
    holds.place("organisation", seller.pk, reason_code="payment_doubt", reason=reason, by=make_staff("vetting"))
    client, page = signed_in(make_staff("audit")), reverse("admin:compliance_hold_changelist")
    for language, words in {"en": "A payment is in doubt", "zh-hans": "付款存疑"}.items():
        shown_in = client.get(page, headers={"Accept-Language": language}).content.decode()
        cells = re.findall(r'<td data-label="([^"]+)" class="field-reason_code_in_words">([^<]+)</td>', shown_in)
        assert [said for _column, said in cells] == [words] and cells[0][0]
        assert f'<a href="?reason_code=payment_doubt">{words}</a>' in shown_in
        record = reverse("admin:compliance_hold_change", args=[Hold.objects.get().pk])
        assert words in client.get(record, headers={"Accept-Language": language}).content.decode()
    assert reason in client.get(page, {"reason_code": "payment_doubt"}).content.decode()
    assert reason not in client.get(page, {"reason_code": "complaint"}).content.decode()
    assert client.get(page, {"reason__startswith": "T"}).status_code == 400


def test_what_an_organisation_is_and_where_is_said_in_words():
    trading.make_verified("Pearl Weather")
    page = signed_in(make_staff("audit")).get(
        reverse("admin:marketplace_organisation_changelist"), headers={"Accept-Language": "zh-hant"}
    )
    cells = dict(re.findall(r'class="field-(\w+)_in_words">([^<]+)</td>', page.content.decode()))
    assert cells["kinds"] == "需求方、數據提供方"
    assert "country" in cells and cells["country"] not in ("CN", "HK")


def test_records_are_not_for_every_desk():
    answer = signed_in(make_staff("vetting")).get(reverse("admin:settlement_trade_changelist"))
    assert answer.status_code == 403
    member = signed_in(trading.make_verified().created_by)
    url = reverse("admin:settlement_trade_changelist")
    assert member.get(url).status_code == 404
    nobody = Client().get(url, follow=True)
    assert nobody.redirect_chain[-1][0] == f"{reverse('account_login')}?next={url}"


def test_no_secret_is_among_the_records():
    person = make_staff("audit")
    person.set_password("correct horse battery staple")
    person.save()
    page = signed_in(person).get(reverse("admin:marketplace_user_change", args=[person.pk])).content.decode()
    assert person.email in page and person.password.split("$")[-1] not in page and "pbkdf2" not in page
    assert not any(model._meta.app_label in ("mfa", "account", "sessions", "auth") for model in admin.site._registry)
