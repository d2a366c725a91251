"""Whatever members, their banks, the staff and the workers do, and in whatever order: the money holds.

A machine draws the acts; after each one every proof of `tests.money_proofs` is made from the rows. MONEY_EXAMPLES says
how many stories are told, each with other dice; by default a few, always the same.
"""

from __future__ import annotations

import datetime as dt
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest
from django.conf import settings as django_settings
from django.db import connection, transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from compliance import holds
from compliance.models import Hold
from listings import payment_plans
from listings.models import Listing
from marketplace import clock
from marketplace.errors import Refused
from marketplace.models import Organisation, User
from settlement import (
    clearing,
    clearing_preview,
    fees,
    mendings,
    netting,
    payments,
    payout_accounts,
    reserve_terms,
    splits,
    tasks,
    trades,
)
from settlement.gateways import sandbox_bank, sandbox_signature
from settlement.models import (
    Account,
    Chargeback,
    ClearingCycle,
    Dispute,
    FeeSchedule,
    Notice,
    Refund,
    SandboxNotice,
    SandboxOrder,
    Trade,
    Transfer,
    Unmatched,
)
from settlement.splits import Kind, Wanted
from settlement.states import ChargebackState, CycleState, DisputeState, OutgoingState, TradeState
from tests import factories, money_proofs, trading

MOVED_BY_WORKERS = (
    tasks.register_trades,
    tasks.start_payments,
    tasks.stop_payments,
    tasks.read_notices,
    tasks.open_grants,
    tasks.close_grants,
    tasks.expire_trades,
    tasks.deem_accepted,
    tasks.clear_cycles,
    tasks.pay_members,
    tasks.pay_refunds,
    tasks.issue_statements,
)
CURRENCIES = ("HKD", "JPY", "KWD")  # two decimals, none, three
AWKWARD = (0, 1, 2, 19, 20, 59, 60, 199, 200, 1_000_001, 2_200_000_000_000_000)
ACCOUNTS = ("", "", "", "payer", "bounce-payer", "bounce-once-payer")
FINAL = {TradeState.SETTLED, TradeState.DECLINED, TradeState.CANCELLED, TradeState.EXPIRED, TradeState.REFUNDED}
A_SURPRISE = 6  # acts of so many are possible now; now and then one is drawn from all


class Killed(BaseException):
    """A worker died: nothing it began is kept, and no handler of ordinary mistakes sees it."""


@contextmanager
def killed_after(statements: int) -> Iterator[None]:
    """Nothing reaches the database after so many statements but the undoing of what was begun; 0 kills nobody."""
    left = statements

    def count(execute: Any, sql: Any, *rest: Any) -> Any:
        nonlocal left
        text = str(sql)
        if text.startswith(("ROLLBACK", "RELEASE SAVEPOINT")) and left <= 0:
            return execute(sql, *rest)
        left -= 1
        if left < 0:
            raise Killed
        return execute(sql, *rest)

    with connection.execute_wrapper(count) if statements else ExitStack():
        yield


@dataclass
class World:
    """Who trades, made once: every story begins with it and leaves it as it was."""

    listings: list[Listing]
    buyers: list[Organisation]
    officers: dict[str, list[User]]
    right_holder: Organisation

    @property
    def members(self) -> list[Organisation]:
        return [*(listing.seller for listing in self.listings), *self.buyers, self.right_holder]


def make_world() -> World:
    """Two sellers, of which one buys too, another buyer, and two people at each desk.

    The buyer of a trade in yen or dinars bears a fee too, with limits in yen. The first product is derived from the
    second. A right-holder has a share of both, and the buyer is a broker. All but the buyer are of the mainland; the
    second seller and the right-holder are paid net.
    """
    sellers = [trading.make_verified(country="CN"), factories.make_verified(country="CN")]
    buyer, right_holder = trading.make_verified(), factories.make_verified(country="CN")
    desks = ("payments", "clearing", "disputes", "review")
    listings = [trading.make_listed(seller) for seller in sellers]
    _share(
        listings[0],
        Wanted(Kind.UPSTREAM, 3_000, upstream=listings[1]),
        Wanted(Kind.RIGHT_HOLDER, 2_999, right_holder),
        Wanted(Kind.BROKER, 101, buyer),
    )
    _share(listings[1], Wanted(Kind.RIGHT_HOLDER, 10_000, right_holder))
    officers = {desk: [factories.make_staff(desk) for _one in range(2)] for desk in desks}
    with clock.moved_to(clock.now() - dt.timedelta(days=2)):
        _take_of_buyers(officers["clearing"], "JPY", 250, buyer_least_minor=3, buyer_most_minor=40_000)
        _take_of_buyers(officers["clearing"], "KWD", 333)
        for member, basis_points, days in ((sellers[0], 3_333, 2), (sellers[1], 1, 9), (right_holder, 10_000, 4)):
            _reserve(member, officers["clearing"], basis_points, days)
        for member in (sellers[1], right_holder):
            asked = netting.ask(member, by=owner(member))
            netting.grant(asked, opinion="Netting holds: opinion of counsel, 2026-11-02.", by=officers["clearing"][0])
    return World(listings, [buyer, sellers[0]], officers, right_holder)


def _reserve(member: Organisation, officers: list[User], basis_points: int, days: int, currency: str = "") -> None:
    terms = reserve_terms.ask(
        member,
        basis_points=basis_points,
        days=days,
        begins_on=clock.today() + dt.timedelta(days=1),
        currency=currency,
        reason="Many of its sales were contested.",
        by=officers[0],
    )
    reserve_terms.confirm(terms, by=officers[1])


def _take_of_buyers(officers: list[User], currency: str, basis_points: int, **limits: int) -> None:
    schedule = fees.ask(
        basis_points=FeeSchedule.objects.order_by("pk")[0].seller_basis_points,
        buyer_basis_points=basis_points,
        begins_on=clock.today() + dt.timedelta(days=1),
        currency=currency,
        reason="Both sides bear the exchange.",
        by=officers[0],
        **limits,
    )
    fees.confirm(schedule, by=officers[1])


def _share(listing: Listing, *shares: Wanted) -> None:
    split = splits.propose(listing, shares, by=owner(listing.seller))
    for payee in {one.gets_it for one in shares if one.gets_it}:
        splits.agree(split, payee=payee, by=owner(payee))


def owner(organisation: Organisation) -> User:
    return organisation.created_by


UPGRADED = (TradeState.ACCEPTED, TradeState.CLEARED, TradeState.SETTLED)
PARTY_ACTS: dict[str, tuple[set[str], Callable[[Trade], object]]] = {
    "agree": ({TradeState.PROPOSED}, lambda trade: trades.agree(trade, by=owner(trade.seller))),
    "decline": ({TradeState.PROPOSED}, lambda trade: trades.decline(trade, by=owner(trade.seller))),
    "cancel": (
        {TradeState.PROPOSED, TradeState.AGREED, TradeState.REGISTERED},
        lambda trade: trades.cancel(trade, by=owner(trade.buyer)),
    ),
    "pay_again": ({TradeState.REGISTERED}, lambda trade: trades.pay_again(trade, by=owner(trade.buyer))),
    "accept": ({TradeState.DELIVERED}, lambda trade: trades.accept(trade, by=owner(trade.buyer))),
    "dispute": (
        {TradeState.DELIVERED},
        lambda trade: trades.dispute(trade, reason="A column lacks.", by=owner(trade.buyer)),
    ),
    "answer": (
        {TradeState.DISPUTED},
        lambda trade: trades.answer_dispute(trade.dispute, answer="It does not.", by=owner(trade.seller)),
    ),
}


class Market(RuleBasedStateMachine):
    """One story: trades, their money, and everything that happens to both."""

    world: ClassVar[World]

    def __init__(self) -> None:
        super().__init__()
        self.time = ExitStack()
        self.time.enter_context(clock.moved_to(clock.now() + dt.timedelta(hours=1)))
        self.story = transaction.atomic()
        self.story.__enter__()
        self.has_news = True

    def teardown(self) -> None:
        try:
            if sys.exc_info()[0] is None:
                self.work_everything_off()
        finally:
            transaction.set_rollback(True)
            self.story.__exit__(None, None, None)
            self.time.close()

    @invariant()
    def the_money_holds(self) -> None:
        with connection.cursor() as cursor:  # what is looked at when a transaction ends is looked at now
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        money_proofs.prove()

    # --- how an act is done -------------------------------------------------------------------------------------

    def command(self, act: Callable[[], object], dies_after: int = 0) -> None:
        """A command: one that is refused, or dies, has moved nothing."""
        self.has_news = True
        before = Transfer.objects.count()
        try:
            with killed_after(dies_after):
                act()
        except (Refused, Killed):
            assert Transfer.objects.count() == before

    def officer(self, desk: str, which: int = 0) -> User:
        return self.world.officers[desk][which % 2]

    def pass_time(self, passed: dt.timedelta) -> None:
        self.has_news = True
        self.time.enter_context(clock.moved_to(clock.now() + passed))

    def post(self, notices: list[SandboxNotice]) -> None:
        """What the bank says reaches the inbox, signed."""
        self.has_news = True
        for notice in notices:
            body = notice.body.encode()
            payments.note("sandbox", body, {sandbox_signature.HEADER: sandbox_signature.sign(body)})
            SandboxNotice.objects.filter(pk=notice.pk).update(posted_at=clock.now())

    def work(self) -> None:
        """Every worker does all that is due, and the bank says all it has to say."""
        self.pass_time(dt.timedelta(minutes=6))  # no claim and no postponement lasts longer
        for task in MOVED_BY_WORKERS:
            if task is tasks.read_notices:
                due = SandboxNotice.objects.filter(posted_at=None, next_try_at__lte=clock.now())
                self.post(list(due.order_by("pk")))
            task()
        self.has_news = False

    # --- members ------------------------------------------------------------------------------------------------

    @initialize(numbers=st.lists(st.integers(1, 10**6), min_size=1, max_size=3), how_far=st.integers(0, 5))
    def some_trades_are_under_way(self, numbers: list[int], how_far: int) -> None:
        for number in numbers:
            self.a_buyer_proposes(number % 2, number % 3 % 2, number, CURRENCIES[number % 3], False, None, 7, [])
        steps: list[Callable[[Trade], object]] = [
            lambda trade: sandbox_bank.act(trade.payments.get().reference, "pay"),
            lambda trade: trades.accept(trade, by=owner(trade.buyer)),
        ]
        for step in steps[: how_far // 2]:
            self.work()
            for trade in Trade.objects.order_by("pk"):
                step(trade)
        if how_far % 2:
            self.work()

    @rule(
        seller=st.integers(0, 1),
        buyer=st.integers(0, 1),
        price_minor=st.one_of(st.integers(1, 200), st.integers(1, 3_000_000), st.sampled_from(AWKWARD)),
        currency=st.sampled_from(CURRENCIES),
        is_asked=st.booleans(),
        licences=st.sampled_from([None, None, 1]),
        days=st.sampled_from([1, 7]),
        plan=st.sampled_from([[], [(3_333, 0), (6_667, 9)], [(1, 2), (4_999, 8), (5_000, 12)]]),
    )
    def a_buyer_proposes(
        self,
        seller: int,
        buyer: int,
        price_minor: int,
        currency: str,
        is_asked: bool,
        licences: int | None,
        days: int,
        plan: list[tuple[int, int]],
    ) -> None:
        parts: list[payment_plans.Part] = [{"basis_points": share, "due_days": due} for share, due in plan]
        is_divisible = bool(plan) and all(payment_plans.amounts(price_minor, parts))
        offer = factories.make_offer(
            self.world.listings[seller],
            price_minor=price_minor,
            currency=currency,
            audience="on_request" if is_asked else "everyone",
            licences_total=licences,
            inspection_days=days,
            instalments=parts if is_divisible else [],
        )
        who = self.world.buyers[buyer]
        self.command(lambda: trades.propose(offer, buyer=who, purpose="Research", by=owner(who)))

    @precondition(lambda self: Trade.objects.filter(state__in=UPGRADED).exists())
    @rule(data=st.data(), more_minor=st.one_of(st.integers(1, 200), st.integers(1, 3_000_000)), dies=st.integers(0, 40))
    def a_buyer_upgrades(self, data: st.DataObject, more_minor: int, dies: int) -> None:
        old = data.draw(st.sampled_from(list(Trade.objects.filter(state__in=UPGRADED).order_by("pk"))))
        worth_minor = old.price_minor + old.credit_minor
        offer = factories.make_offer(old.listing, price_minor=worth_minor + more_minor, currency=old.currency)
        by = owner(old.buyer)
        self.command(lambda: trades.propose(offer, buyer=old.buyer, purpose="More", upgrades=old, by=by), dies)

    @rule(data=st.data(), surprise=st.integers(0, A_SURPRISE), dies_after=st.integers(0, 30))
    def a_party_acts(self, data: st.DataObject, surprise: int, dies_after: int) -> None:
        rows = list(Trade.objects.select_related("buyer__created_by", "seller__created_by", "dispute").order_by("pk"))
        possible = [
            (trade, act)
            for trade in rows
            for act, (states, _do) in PARTY_ACTS.items()
            if (surprise == A_SURPRISE and (act != "answer" or hasattr(trade, "dispute"))) or trade.state in states
        ]
        if possible:
            trade, act = data.draw(st.sampled_from(possible), label="who does what")
            self.command(lambda: PARTY_ACTS[act][1](trade), dies_after if dies_after < 10 else 0)

    @rule(which=st.integers(0, 4), reference=st.sampled_from(["acct", "bounce", "bounce-once"]), wait=st.booleans())
    def a_member_names_an_account(self, which: int, reference: str, wait: bool) -> None:
        member = self.world.members[which]
        self.command(
            lambda: payout_accounts.name(
                member, gateway_name="sandbox", reference=f"{reference}-{member.pk}-{clock.now()}", by=owner(member)
            )
        )
        waiting = payout_accounts.coming(member)
        if waiting is not None:
            self.command(lambda: payout_accounts.confirm(waiting, by=self.officer("payments")))
        if wait:
            self.pass_time(dt.timedelta(hours=django_settings.PAYOUT_ACCOUNT_WAIT_HOURS))

    # --- banks --------------------------------------------------------------------------------------------------

    @precondition(lambda self: SandboxOrder.objects.exists())
    @rule(
        data=st.data(),
        amount_minor=st.one_of(st.none(), st.none(), st.none(), st.integers(1, 300)),
        delay=st.sampled_from([0, 0, 0, 3600, 9 * 24 * 3600]),
        account=st.sampled_from(ACCOUNTS),
    )
    def a_bank_acts(self, data: st.DataObject, amount_minor: int | None, delay: int, account: str) -> None:
        possible = [
            (order, act) for order in SandboxOrder.objects.order_by("pk") for act in sandbox_bank.possible_acts(order)
        ]
        if possible:
            order, act = data.draw(st.sampled_from(possible), label="what the bank does")
            from_where = {"account": account} if act.startswith("pay") else {}
            self.command(
                lambda: sandbox_bank.act(
                    order.reference, act, amount_minor=amount_minor, delay_seconds=delay, **from_where
                )
            )

    @precondition(lambda self: SandboxNotice.objects.exists())
    @rule(data=st.data(), is_read=st.booleans())
    def notices_come_in_any_order_and_again(self, data: st.DataObject, is_read: bool) -> None:
        said = list(SandboxNotice.objects.order_by("pk"))
        self.post(data.draw(st.lists(st.sampled_from(said), min_size=1, max_size=4), label="what comes"))
        if is_read:
            tasks.read_notices()

    # --- the exchange -------------------------------------------------------------------------------------------

    @rule(task=st.sampled_from(MOVED_BY_WORKERS))
    def a_worker_runs(self, task: Callable[[], None]) -> None:
        task()

    @rule(task=st.sampled_from(MOVED_BY_WORKERS), statements=st.integers(1, 60))
    def a_worker_is_killed(self, task: Callable[[], None], statements: int) -> None:
        with suppress(Killed), killed_after(statements):
            task()

    @precondition(lambda self: self.has_news)
    @rule()
    def everybody_works(self) -> None:
        self.work()

    @precondition(lambda self: Dispute.objects.filter(state=DisputeState.OPEN).exists())
    @rule(data=st.data(), share=st.one_of(st.sampled_from([0, 1, 100]), st.integers(0, 101)), dies=st.integers(0, 30))
    def a_dispute_is_decided(self, data: st.DataObject, share: int, dies: int) -> None:
        rows = list(Dispute.objects.filter(state=DisputeState.OPEN).select_related("trade").order_by("pk"))
        dispute = data.draw(st.sampled_from(rows), label="dispute")
        award = -(-dispute.trade.price_minor * share // 100)
        by = self.officer("disputes")
        self.command(
            lambda: trades.resolve(dispute, refund_minor=award, resolution="Heard.", by=by), dies if dies < 10 else 0
        )

    @precondition(lambda self: Unmatched.objects.exists())
    @rule(data=st.data(), is_applied=st.booleans(), dies_after=st.integers(0, 30))
    def the_desk_decides_on_money(self, data: st.DataObject, is_applied: bool, dies_after: int) -> None:
        rows = list(Unmatched.objects.select_related("payment__trade").order_by("pk"))
        row = data.draw(st.sampled_from(rows), label="money in suspense")
        by, dies = self.officer("payments"), dies_after if dies_after < 10 else 0
        if is_applied and row.payment is not None:
            self.command(lambda: trades.apply_suspense(row.payment.trade, by=by), dies)
        else:
            self.command(lambda: payments.return_unmatched(row, by=by), dies)

    @precondition(lambda self: Refund.objects.filter(state=OutgoingState.BOUNCED).exists())
    @rule(data=st.data(), account=st.sampled_from(["", "mended", "bounce-again"]))
    def the_desk_sends_a_refund_again(self, data: st.DataObject, account: str) -> None:
        rows = list(Refund.objects.filter(state=OutgoingState.BOUNCED).order_by("pk"))
        refund = data.draw(st.sampled_from(rows), label="refund")
        self.command(lambda: mendings.send_again(refund, payer_reference=account, by=self.officer("payments")))
        for mending in refund.mendings.filter(confirmed_at=None, dropped_at=None):
            self.command(lambda mending=mending: mendings.confirm(mending, by=self.officer("payments", 1)))

    @rule(data=st.data(), is_lifted=st.booleans())
    def compliance_holds_or_lifts(self, data: st.DataObject, is_lifted: bool) -> None:
        by = self.officer("review")
        lying = list(Hold.objects.filter(lifted_at=None).order_by("pk"))
        if is_lifted and lying:
            hold = data.draw(st.sampled_from(lying), label="hold")
            self.command(lambda: holds.lift(hold, reason="Answered.", by=by))
        else:
            subjects = [("organisation", one.pk) for one in self.world.members]
            subjects += [("listing", one.pk) for one in self.world.listings]
            subjects += [("trade", pk) for pk in Trade.objects.order_by("pk").values_list("pk", flat=True)] * 2
            kind, pk = data.draw(st.sampled_from(subjects), label="subject")
            self.command(lambda: holds.place(kind, pk, reason_code="investigation", reason="A question.", by=by))

    @rule(
        which=st.integers(0, 1),
        is_closed=st.booleans(),
        currency=st.sampled_from(CURRENCIES),
        dies_after=st.integers(0, 60),
    )
    def staff_clear(self, which: int, is_closed: bool, currency: str, dies_after: int) -> None:
        by = self.officer("clearing", which)
        dies = dies_after if dies_after < 30 else 0
        cycle = ClearingCycle.objects.filter(state=CycleState.CLOSED).order_by("pk").first()
        if is_closed or cycle is None:
            self.command(lambda: clearing.close(clearing.open_cycle(currency), by=by))
        else:
            promised = clearing_preview.of_cycle(cycle, left_out_shown=0).total
            self.command(lambda: trades.release(cycle, by=by), dies)
            cycle.refresh_from_db()
            if cycle.state == CycleState.RELEASED:
                paid = [row.amount_minor for row in cycle.payouts.filter(replaces=None)]
                assert (len(paid), sum(paid)) == ((promised.payouts, promised.net.minor) if promised else (0, 0))

    @rule(
        which=st.integers(0, 4),
        basis_points=st.sampled_from([0, 1, 999, 5_000, 10_000]),
        days=st.sampled_from([1, 3, 10]),
        currency=st.sampled_from(["", *CURRENCIES]),
    )
    def the_desk_sets_a_reserve(self, which: int, basis_points: int, days: int, currency: str) -> None:
        member = self.world.members[which]
        self.command(lambda: _reserve(member, self.world.officers["clearing"], basis_points, days, currency))

    @rule(hours=st.sampled_from([1, 5, 24, 25, 3 * 24, 8 * 24, 15 * 24]))
    def time_passes(self, hours: int) -> None:
        self.pass_time(dt.timedelta(hours=hours))

    # --- the end ------------------------------------------------------------------------------------------------

    def something_waits(self) -> bool:
        return (
            Trade.objects.exclude(state__in=FINAL).exists()
            or Account.objects.filter(balance_minor__gt=0).exists()
            or SandboxNotice.objects.filter(posted_at=None).exists()
            or Notice.objects.filter(read_at=None).exists()
            or Chargeback.objects.filter(state=ChargebackState.OPEN).exists()
        )

    def work_everything_off(self) -> None:
        """Everybody does in time what is theirs: then every trade has ended, and all money is where it belongs."""
        for hold in Hold.objects.filter(lifted_at=None):
            holds.lift(hold, reason="Answered.", by=self.officer("review"))
        self.pass_time(dt.timedelta(hours=django_settings.PAYOUT_ACCOUNT_WAIT_HOURS))
        for member in self.world.members:
            if (waiting := payout_accounts.coming(member)) is not None:
                payout_accounts.drop(waiting, by=owner(member))
            account = payout_accounts.name(
                member, gateway_name="sandbox", reference=f"good-{member.pk}", by=owner(member)
            )
            payout_accounts.confirm(account, by=self.officer("payments"))
        for _round in range(12):
            self.pass_time(dt.timedelta(days=6))
            self.work()
            if not self.something_waits():
                break
            for chargeback in Chargeback.objects.filter(state=ChargebackState.OPEN).select_related("payment"):
                with suppress(Refused):
                    sandbox_bank.act(chargeback.payment.reference, "win_chargeback")
            for dispute in Dispute.objects.filter(state=DisputeState.OPEN):
                self.command(
                    lambda dispute=dispute: trades.resolve(
                        dispute, refund_minor=0, resolution="Heard.", by=self.officer("disputes")
                    )
                )
            for row in Unmatched.objects.filter(decided_at=None):
                self.command(lambda row=row: payments.return_unmatched(row, by=self.officer("payments")))
            for refund in Refund.objects.filter(state=OutgoingState.BOUNCED, replaced_by=None):
                for mending in refund.mendings.filter(confirmed_at=None, dropped_at=None):
                    mendings.drop(mending, by=self.officer("payments"))
                mendings.send_again(refund, payer_reference="mended", by=self.officer("payments"))
                for mending in refund.mendings.filter(confirmed_at=None, dropped_at=None):
                    mendings.confirm(mending, by=self.officer("payments", 1))
            for cycle in ClearingCycle.objects.filter(state=CycleState.CLOSED):
                for which in range(2):
                    self.command(
                        lambda cycle=cycle, which=which: trades.release(cycle, by=self.officer("clearing", which))
                    )
        left = Trade.objects.exclude(state__in=FINAL)
        assert not left, [(one.pk, one.state, one.error) for one in left]
        money_proofs.prove_all_is_paid()


@pytest.mark.django_db
def test_the_money_holds_whatever_happens_in_whatever_order(settings: Any) -> None:
    settings.CURRENCIES = [*CURRENCIES]
    settings.CLEARING_LIMIT_MINOR = 1_500_000
    settings.UNPAID_LIMIT = 0  # the few buyers of a story let many trades expire
    Market.world = make_world()
    run_state_machine_as_test(Market, settings=HOW_MUCH)


EXAMPLES = int(os.environ.get("MONEY_EXAMPLES", "0"))
HOW_MUCH = settings(
    max_examples=EXAMPLES or 5,
    stateful_step_count=60 if EXAMPLES else 25,
    derandomize=not EXAMPLES,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.generate, Phase.shrink),
)
