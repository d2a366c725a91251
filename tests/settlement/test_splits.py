"""Revenue splits: laid down, agreed, frozen into a trade, paid at clearing; to any depth, in no circle, to the unit."""

from __future__ import annotations

import csv
import dataclasses
import io

import pytest
from django.db import IntegrityError, ProgrammingError, transaction
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from listings.models import Listing
from marketplace import documents
from marketplace.errors import Invalid, NotCleared, RoleNeeded, WrongState
from marketplace.models import Organisation
from settlement import member_money, positions, splits, statements, trades
from settlement.models import (
    Payout,
    RevenueShare,
    RevenueSplit,
    Statement,
    TradeShare,
)
from settlement.splits import Kind, Wanted
from settlement.states import SplitState, TradeState
from tests import factories, money_proofs, races, trading

pytestmark = pytest.mark.django_db


def lay_down(listing: Listing, *shares: Wanted) -> RevenueSplit:
    return splits.propose(listing, shares, by=listing.seller.created_by)


def agree_all(split: RevenueSplit) -> RevenueSplit:
    for payee in Organisation.objects.filter(revenue_shares__split=split).distinct().order_by("pk"):
        splits.agree(split, payee=payee, by=payee.created_by)
    split.refresh_from_db()
    return split


def share(listing: Listing, *shares: Wanted) -> RevenueSplit:
    """A split in force."""
    return agree_all(lay_down(listing, *shares))


def bought(listing: Listing, price_minor: int, currency: str = "CNY") -> trading.Deal:
    """A trade of the product, accepted and to be cleared."""
    deal = trading.propose(trading.make_offer(listing, price_minor=price_minor, currency=currency))
    trading.work()
    trading.pay(deal)
    trades.accept(deal.reload(), by=deal.buyer)
    return deal


class Chain:
    """A product derived from another one, whose split names a right-holder and a broker; and an authority."""

    def __init__(self) -> None:
        self.upstream, self.derived = trading.make_listed(), trading.make_listed()
        self.right_holder, self.broker, self.authority = (trading.make_verified() for _one in range(3))
        self.below = share(
            self.upstream,
            Wanted(Kind.RIGHT_HOLDER, 3_333, self.right_holder),
            Wanted(Kind.BROKER, 500, self.broker),
        )
        self.split = share(
            self.derived,
            Wanted(Kind.UPSTREAM, 2_500, upstream=self.upstream),
            Wanted(Kind.PUBLIC_AUTHORITY, 1_001, self.authority),
        )

    @property
    def everybody(self) -> list[Organisation]:
        return [self.derived.seller, self.upstream.seller, self.right_holder, self.broker, self.authority]


@pytest.mark.parametrize(
    ("currency", "price_minor", "fee_minor", "paid"),
    [
        # 97,503 are left; 2,500 bp of it are 24,375, of which 3,333 bp are 8,124 and 500 bp 1,218; 1,001 bp are 9,760.
        ("CNY", 100_003, 2_500, [63_368, 15_033, 8_124, 1_218, 9_760]),
        # 97 are left; 24, of which 7 and 1; 9: yen have no decimals.
        ("JPY", 100, 3, [64, 16, 7, 1, 9]),
        ("JPY", 1, 0, [1, 0, 0, 0, 0]),
    ],
)
def test_a_derived_products_money_reaches_everybody_to_the_unit(settings, currency, price_minor, fee_minor, paid):
    settings.CURRENCIES = ["CNY", "JPY"]
    chain = Chain()
    deal = bought(chain.derived, price_minor, currency)
    cycle = trading.clear_now()
    trading.work()
    money_proofs.prove()
    got = dict(Payout.objects.filter(cycle=cycle).values_list("organisation", "amount_minor"))
    assert [got.get(one.pk, 0) for one in chain.everybody] == paid
    assert sum(got.values()) + fee_minor == price_minor
    assert deal.state == TradeState.SETTLED
    assert {one.state for one in Payout.objects.filter(cycle=cycle)} == {"paid"}
    stated = {one.organisation_id: one for one in Statement.objects.filter(cycle=cycle)}
    assert stated.keys() == {one.pk for one, minor in zip(chain.everybody, paid, strict=True) if minor}
    assert all(one.opening_minor == 0 and one.closing_minor == one.net_minor for one in stated.values())


def test_each_statement_says_what_was_received_and_passed_on_and_no_more():
    chain = Chain()
    deal = bought(chain.derived, 100_003)
    [line] = member_money.uncleared(chain.derived.seller, 9)
    assert (line.net_minor, line.shares_minor, line.money()["remains"].minor) == (97_503, 34_135, 63_368)
    trading.clear_now()
    assert member_money.lines([deal.reload()]) == [dataclasses.replace(line, trade=deal.trade)]
    statements.issue_due()
    number = deal.trade.register_number
    record = {one.organisation_id: one.paper.record for one in Statement.objects.select_related("paper")}

    def said(member: Organisation) -> list[tuple[str, str, int]]:
        return [(one["kind"], one["trade_number"], one["amount_minor"]) for one in record[member.pk]["shares"]]

    assert said(chain.derived.seller) == [("upstream", number, -24_375), ("public_authority", number, -9_760)]
    assert said(chain.upstream.seller) == [
        ("upstream", number, 24_375), ("right_holder", number, -8_124), ("broker", number, -1_218),
    ]  # fmt: skip
    assert said(chain.broker) == [("broker", number, 1_218)]
    assert record[chain.broker.pk]["lines"] == [] and record[chain.broker.pk]["closing_minor"] == 1_218
    assert record[chain.broker.pk]["shares"][0]["titles"] == chain.upstream.current_version.titles
    assert record[chain.derived.seller_id]["payable_minor"] == 63_368
    rows = list(csv.reader(io.StringIO(statements.as_csv(_statement_of(chain.broker)).decode("utf-8-sig"))))
    assert [f"share_received broker {number}", chain.upstream.current_version.title, "CNY", "", "", "12.18"] in rows
    for member in chain.everybody:
        for language in ("en", "zh-hans", "zh-hant"):
            assert documents.pdf(_statement_of(member).paper, language=language).startswith(b"%PDF")
    client = Client()
    client.force_login(chain.upstream.seller.created_by)
    page = client.get(reverse("statement", args=[_statement_of(chain.upstream.seller).pk])).content.decode()
    assert "Upstream licensor" in page and "243.75" in page and "-81.24" in page
    assert deal.buyer.email not in page and deal.trade.buyer.name not in page


def _statement_of(member: Organisation) -> Statement:
    return Statement.objects.select_related("paper", "cycle").get(organisation=member)


def test_what_a_member_owes_is_taken_off_its_share_alone():
    chain = Chain()
    sold = bought(chain.upstream, 10_000)
    trading.clear_now()
    trading.pay(sold, "charge_back")
    trading.pay(sold, "lose_chargeback")  # the seller of record owes the whole of it
    bought(chain.derived, 100_003)
    trading.clear_now()
    money_proofs.prove()
    stated = Statement.objects.filter(organisation=chain.upstream.seller).latest("pk")
    assert (stated.shares_received_minor, stated.shares_given_minor) == (24_375, 9_342)
    assert (stated.recovered_minor, stated.net_minor) == (10_000, 5_033)
    assert Statement.objects.filter(organisation=chain.right_holder).latest("pk").net_minor == 8_124


def test_a_trade_keeps_the_split_it_was_proposed_under():
    listing, holder = trading.make_listed(), trading.make_verified()
    before = bought(listing, 10_000)
    first = share(listing, Wanted(Kind.RIGHT_HOLDER, 5_000, holder))
    under_first = bought(listing, 10_000)
    waiting = lay_down(listing, Wanted(Kind.RIGHT_HOLDER, 0, holder))
    still = bought(listing, 10_000)
    second = agree_all(waiting)
    first.refresh_from_db()
    assert (first.state, second.state, second.replaces) == (SplitState.REPLACED, SplitState.IN_FORCE, first)
    after = bought(listing, 10_000)
    frozen = [list(deal.trade.shares.values_list("share__split", flat=True)) for deal in (before, under_first, still)]
    assert frozen == [[], [first.pk], [first.pk]] and not after.trade.shares.exists()
    cycle = trading.clear_now()
    assert Statement.objects.get(cycle=cycle, organisation=holder).shares_received_minor == 2 * 4_875


def test_nobody_is_the_broker_of_its_own_purchase():
    chain = Chain()
    offer = trading.make_offer(chain.derived, price_minor=100_003, currency="CNY")
    deal = trading.propose(offer, buyer=chain.broker)
    kinds = list(deal.trade.shares.values_list("share__kind", flat=True))
    assert kinds == [Kind.UPSTREAM, Kind.PUBLIC_AUTHORITY, Kind.RIGHT_HOLDER]


def test_a_product_fed_twice_shares_all_it_got_once():
    """The two ways to the product at the bottom are added up before its own split takes its part."""
    bottom, left, right, top = (trading.make_listed() for _one in range(4))
    holder = trading.make_verified()
    share(bottom, Wanted(Kind.RIGHT_HOLDER, 5_000, holder))
    share(right, Wanted(Kind.UPSTREAM, 10_000, upstream=bottom))
    share(left, Wanted(Kind.UPSTREAM, 5_000, upstream=right), Wanted(Kind.UPSTREAM, 5_000, upstream=bottom))
    share(top, Wanted(Kind.UPSTREAM, 5_000, upstream=left), Wanted(Kind.UPSTREAM, 2_500, upstream=bottom))
    bought(top, 4_103)  # 4,000 after the fee: 2,000 to the left, of which all goes on; 1,000 straight down
    cycle = trading.clear_now()
    money_proofs.prove()
    got = {one.organisation_id: one.net_minor for one in Statement.objects.filter(cycle=cycle)}
    members = [top.seller_id, left.seller_id, right.seller_id, bottom.seller_id, holder.pk]
    assert [got[one] for one in members] == [1_000, 0, 0, 1_500, 1_500]


# --- laying down and agreeing ---------------------------------------------------------------------------------------


def test_a_split_is_in_force_with_the_last_agreement_and_no_earlier():
    listing, one, other = trading.make_listed(), trading.make_verified(), trading.make_verified()
    split = lay_down(listing, Wanted(Kind.RIGHT_HOLDER, 100, one), Wanted(Kind.BROKER, 200, other))
    with pytest.raises(RoleNeeded):
        splits.agree(split, payee=one, by=listing.seller.created_by)
    with pytest.raises(WrongState) as refusal:
        splits.agree(split, payee=listing.seller, by=listing.seller.created_by)
    assert refusal.value.code == "agreed_already"
    splits.agree(split, payee=one, by=one.created_by)
    with pytest.raises(WrongState):
        lay_down(listing, Wanted(Kind.BROKER, 1, other))
    assert splits.in_force(listing) is None
    splits.agree(split, payee=other, by=other.created_by)
    assert splits.in_force(listing) == split
    for act in (
        lambda: splits.agree(split, payee=one, by=one.created_by),
        lambda: splits.decline(split, payee=one, by=one.created_by),
        lambda: splits.withdraw(split, by=listing.seller.created_by),
    ):
        with pytest.raises(WrongState):
            act()


def test_a_split_that_was_declined_or_withdrawn_makes_room_for_another():
    listing, one = trading.make_listed(), trading.make_verified()
    assert splits.decline(lay_down(listing, Wanted(Kind.BROKER, 100, one)), payee=one, by=one.created_by).ended_at
    again = lay_down(listing, Wanted(Kind.BROKER, 50, one))
    with pytest.raises(RoleNeeded):
        splits.withdraw(again, by=one.created_by)
    assert splits.withdraw(again, by=listing.seller.created_by).state == SplitState.WITHDRAWN
    assert share(listing, Wanted(Kind.BROKER, 10, one)).state == SplitState.IN_FORCE


def test_nobodys_share_ends_behind_their_back():
    listing, holder, accomplice = trading.make_listed(), trading.make_verified(), trading.make_verified()
    share(listing, Wanted(Kind.RIGHT_HOLDER, 5_000, holder))
    with pytest.raises(splits.LeftOut):
        lay_down(listing, Wanted(Kind.BROKER, 5_000, accomplice))
    split = lay_down(listing, Wanted(Kind.BROKER, 5_000, accomplice), Wanted(Kind.RIGHT_HOLDER, 0, holder))
    splits.agree(split, payee=accomplice, by=accomplice.created_by)
    assert splits.in_force(listing) != split
    splits.agree(split, payee=holder, by=holder.created_by)
    assert splits.in_force(listing) == split


def test_a_split_that_cannot_be_is_refused_with_the_reason():
    listing, other, draft = trading.make_listed(), trading.make_verified(), factories.make_draft().listing
    wrong = [
        [],
        [Wanted(Kind.BROKER, 1, other)] * 2,
        [Wanted(Kind.BROKER, 5_001, other), Wanted(Kind.RIGHT_HOLDER, 5_000, other)],
        [Wanted(Kind.BROKER, -1, other)],
        [Wanted(Kind.BROKER, 1)],
        [Wanted("friend", 1, other)],
        [Wanted(Kind.UPSTREAM, 1, other)],
        [Wanted(Kind.RIGHT_HOLDER, 1, listing.seller)],
        [Wanted(Kind.UPSTREAM, 1, upstream=draft)],
        [Wanted(Kind.UPSTREAM, 1, upstream=trading.make_listed(listing.seller))],
    ]
    for shares in wrong:
        with pytest.raises(Invalid) as refusal:
            lay_down(listing, *shares)
        assert refusal.value.code == "wrong_split"
    with pytest.raises(NotCleared):
        lay_down(listing, Wanted(Kind.BROKER, 1, factories.make_organisation()))
    with pytest.raises(RoleNeeded):
        splits.propose(listing, [Wanted(Kind.BROKER, 1, other)], by=other.created_by)
    assert not RevenueSplit.objects.exists()


def test_a_circle_is_refused_when_it_is_laid_down():
    first, second, third = (trading.make_listed() for _one in range(3))
    share(first, Wanted(Kind.UPSTREAM, 100, upstream=second))
    share(second, Wanted(Kind.UPSTREAM, 100, upstream=third))
    with pytest.raises(splits.Circle):
        lay_down(third, Wanted(Kind.UPSTREAM, 100, upstream=first))
    assert not RevenueSplit.objects.filter(listing=third).exists()


@pytest.mark.django_db(transaction=True)
def test_of_two_splits_that_close_a_circle_together_one_comes_into_force():
    first, second = trading.make_listed(), trading.make_listed()
    forth = lay_down(first, Wanted(Kind.UPSTREAM, 100, upstream=second))
    back = lay_down(second, Wanted(Kind.UPSTREAM, 100, upstream=first))
    answers = races.together(
        [
            lambda: splits.agree(forth, payee=second.seller, by=second.seller.created_by),
            lambda: splits.agree(back, payee=first.seller, by=first.seller.created_by),
        ]
    )
    assert sorted(answers) == ["done", "split_in_a_circle"]
    assert RevenueSplit.objects.filter(state=SplitState.IN_FORCE).count() == 1


# --- what the database refuses --------------------------------------------------------------------------------------


def test_the_database_keeps_splits_and_what_trades_froze():
    chain = Chain()
    deal = bought(chain.derived, 1_000)
    stranger, row = trading.make_verified(), deal.trade.shares.first()
    waiting = lay_down(chain.upstream, *(Wanted(one.kind, 1, one.payee) for one in chain.below.shares.all()))
    forbidden = {
        "agreed_share": lambda: chain.split.shares.update(basis_points=1),
        "agreed_again": lambda: chain.split.shares.update(agreed_by=stranger.created_by),
        "more": lambda: _insert(chain.split, stranger, 1),
        "own": lambda: _insert(waiting, chain.upstream.seller, 1),
        "whole": lambda: _insert(waiting, stranger, 9_999),
        "unagreed": lambda: RevenueSplit.objects.filter(pk=waiting.pk).update(
            state="in_force", in_force_at=waiting.proposed_at
        ),
        "moved": lambda: RevenueSplit.objects.filter(pk=chain.split.pk).update(state="proposed", in_force_at=None),
        "deleted": lambda: RevenueShare.objects.filter(pk=row.share_id).delete(),
        "of_a_trade": lambda: TradeShare.objects.filter(pk=row.pk).update(position=9),
        "late": lambda: TradeShare.objects.create(trade=deal.trade, share=chain.below.shares.first(), position=9),
        "circle": lambda: RevenueShare.objects.create(
            split=waiting, kind=Kind.UPSTREAM, payee=chain.derived.seller, upstream=chain.derived, basis_points=1
        ),
    }
    for what, forbid in forbidden.items():
        with pytest.raises((IntegrityError, ProgrammingError)), transaction.atomic():
            forbid()
            pytest.fail(what)
    assert deal.trade.shares.count() == 4


def _insert(split: RevenueSplit, payee: Organisation, basis_points: int) -> None:
    RevenueShare.objects.create(split=split, kind=Kind.BROKER, payee=payee, basis_points=basis_points)


def test_the_database_freezes_only_what_counts_and_in_its_place():
    chain = Chain()
    buyer = trading.make_verified()
    trade = trading.propose(trading.make_offer(chain.derived, audience="on_request"), buyer=buyer).trade
    other = trading.propose(trading.make_offer(audience="on_request")).trade
    feeding, fed = chain.split.shares.first(), chain.below.shares.first()
    assert list(trade.shares.values_list("position", "share")[:1]) == [(1, feeding.pk)]
    for share_of in (feeding, fed):  # neither its own product's, nor fed by it
        with pytest.raises(IntegrityError, match="out of its place"), transaction.atomic():
            TradeShare.objects.create(trade=other, share=share_of, position=1)
    splits.decline(
        lay_down(chain.upstream, *(Wanted(one.kind, 1, one.payee) for one in chain.below.shares.all())),
        payee=chain.broker,
        by=chain.broker.created_by,
    )
    declined = RevenueShare.objects.filter(split__state=SplitState.DECLINED).first()
    with pytest.raises(IntegrityError, match="does not count"), transaction.atomic():
        TradeShare.objects.create(trade=trade, share=declined, position=9)


@given(net=st.integers(0, 10**15), parts=st.lists(st.integers(0, 10_000), min_size=1, max_size=6))
def test_no_share_makes_or_loses_a_unit(net, parts):
    """Whatever a chain of products passes on, each of what it got: what is left and what is got sum to what came."""
    due, left = net, []
    for basis_points in parts:
        passed = positions.share_of(due, basis_points)
        assert 0 <= passed <= due and passed * 10_000 <= due * basis_points < (passed + 1) * 10_000
        left.append(due - passed)
        due = passed
    assert sum(left) + due == net
