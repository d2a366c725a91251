"""What releasing a cycle would do with the trades that wait for it: in all and by member, and what it leaves out.

The same sums as the run makes (`positions`), read without a lock: the run itself looks again.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.db.models import Count, Exists, OuterRef, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from compliance import holds
from compliance.models import Hold
from marketplace import clock
from marketplace.models import Organisation
from marketplace.money import Money
from settlement import clearing, ledger, netting, positions, reserve_terms, reserves
from settlement.models import ClearingCycle, PayoutAccount, Trade
from settlement.states import TradeState

CONTESTED = _("the payment is contested at the payer’s bank")
HELD = {
    Hold.Subject.TRADE: _("a hold lies on the trade"),
    Hold.Subject.LISTING: _("a hold lies on the product"),
}
PARTY_HELD = {"seller": _("the seller is held"), "buyer": _("the buyer is held")}


@dataclass(frozen=True)
class Sum:
    """So many trades of one member or of all, in one currency: what is cleared and what becomes of it."""

    currency: str
    trades: int
    gross_minor: int
    fee_minor: int
    received_minor: int
    given_minor: int
    recovered_minor: int
    reserved_minor: int
    released_minor: int
    payouts: int
    organisation_id: int = 0

    def _money(self, minor: int) -> Money:
        return Money(minor, self.currency)

    @property
    def gross(self) -> Money:
        return self._money(self.gross_minor)

    @property
    def fee(self) -> Money:
        return self._money(self.fee_minor)

    @property
    def shares(self) -> Money:
        """What it receives of others' revenue, less what it passes on of its own."""
        return self._money(self.received_minor - self.given_minor)

    @property
    def recovered(self) -> Money:
        return self._money(self.recovered_minor)

    @property
    def reserve(self) -> Money:
        """What is released of its reserve, less what is kept back."""
        return self._money(self.released_minor - self.reserved_minor)

    @property
    def net(self) -> Money:
        """What is paid out."""
        return self.gross - self.fee + self.shares - self.recovered + self.reserve


@dataclass(frozen=True)
class Preview:
    """What is cleared: the sum, if money is, and each member's; how many trades are free; what is left out and why."""

    total: Sum | None
    by_member: list[Sum]
    free: int
    left_out: dict[int, list[Promise]]  # the first of them, by id
    left_out_count: int


@dataclass(frozen=True)
class Coming:
    """The next clearing in one currency: so many trades would be in it if it closed now, and what they move; how many
    settle on a later day; when the books close. The cycle is None until a worker has opened it."""

    currency: str
    count: int
    moves: Money
    later: int
    cut_off_at: dt.datetime
    cycle: ClearingCycle | None


def coming() -> list[Coming]:
    """The next clearing in each currency that has an open cycle, or in which something waits. Three statements."""
    cycles = {cycle.currency: cycle for cycle in clearing.opened()}
    in_none = Trade.objects.filter(state=TradeState.ACCEPTED, cycle=None).order_by()
    accepted = dict(in_none.values_list("currency").annotate(count=Count("pk")))
    sums = clearing.ripe(clock.now()).order_by().values_list("currency")
    ripe = {one[0]: one[1:] for one in sums.annotate(count=Count("pk"), moves=clearing.moves())}
    answer = []
    for currency in sorted({*cycles, *accepted}):
        count, moves = ripe.get(currency, (0, 0))
        cycle = cycles.get(currency)
        cut_off_at = cycle.cut_off_at if cycle else clearing.next_cut_off(clock.now())
        later = accepted.get(currency, 0) - count
        answer.append(Coming(currency, count, Money(moves, currency), later, cut_off_at, cycle))
    return answer


def of_next(currency: str, *, left_out_shown: int) -> Preview:
    """What closing and releasing a cycle of this currency now would do.

    Reasons are given for the first few of the trades that are left out.
    """
    return _preview(clearing.ripe(clock.now()).filter(currency=currency), currency, None, left_out_shown)


def of_cycle(cycle: ClearingCycle, *, left_out_shown: int) -> Preview:
    """The same of a cycle that is closed and not released."""
    trades = Trade.objects.filter(state=TradeState.ACCEPTED, cycle=cycle)
    return _preview(trades, cycle.currency, cycle, left_out_shown)


def _preview(trades: QuerySet[Trade], currency: str, cycle: ClearingCycle | None, left_out_shown: int) -> Preview:
    found: positions.Positions = {}
    seen: set[positions.Member] = set()
    uneven: set[positions.Member] = set()  # of whose trades something is taken
    free = left_out_count = 0
    left_out: dict[int, list[Promise]] = {}
    day = clock.today()
    for part in positions.in_parts(trades):
        why = _left_out(part)
        ready = [positions.line_of(row) for row in part if row.pk not in why]
        lines = [line for line in ready if line is not None]
        positions.add(found, lines, positions.passed_on(lines))
        new = found.keys() - seen
        seen |= new
        owing = ledger.owed_by_members({organisation_id for organisation_id, _currency in new}, locked=False)
        uneven |= {key for key, minor in owing.items() if minor}
        uneven |= reserve_terms.in_force(new, day).keys()
        for key in found.keys() - uneven:
            found[key].count_paid()
        free += len(ready) - len(lines)
        left_out_count += len(why)
        left_out |= dict(islice(why.items(), left_out_shown - len(left_out)))
    due = reserves.due(day, currency)
    concerned = {organisation_id for organisation_id, _currency in found} | {row.organisation_id for row in due}
    owed = ledger.owed_by_members(concerned, locked=False)
    reserves.count_in(found, due, owed, day)
    positions.net(found, netting.in_force({member for member, _currency in found}, cycle))
    by_member = [Sum(currency, *_parts(one), organisation_id) for (organisation_id, _currency), one in found.items()]
    by_member.sort(key=lambda one: (-one.gross_minor, one.organisation_id))
    total = Sum(currency, *map(sum, zip(*map(_parts, by_member), strict=True))) if by_member else None
    return Preview(total, by_member, free, left_out, left_out_count)


def _parts(one: positions.Position | Sum) -> tuple[int, int, int, int, int, int, int, int, int]:
    return (
        one.trades, one.gross_minor, one.fee_minor, one.received_minor, one.given_minor, one.recovered_minor,
        one.reserved_minor, one.released_minor,
        one.payouts if isinstance(one, Sum) else one.payout_count,
    )  # fmt: skip


def _left_out(rows: list[positions.Row]) -> dict[int, list[Promise]]:
    """By the id of each trade that the run leaves out for a later cycle, why."""
    holding = holds.holding(rows)
    why: dict[int, list[Promise]] = {}
    for row in rows:
        reasons: list[Promise] = [CONTESTED] if row.is_frozen else []
        held = holding.get(row.pk, set())
        reasons += [words for kind, words in HELD.items() if any(subject == kind for subject, _pk in held)]
        for side, words in PARTY_HELD.items():
            if (Hold.Subject.ORGANISATION, getattr(row, f"{side}_id")) in held:
                reasons.append(words)
        if reasons:
            why[row.pk] = reasons
    return why


def members(shown: Iterable[Sum]) -> list[dict[str, Any]]:
    """Each member's share with the member, and whether it names an account to be paid to."""
    shown = list(shown)
    account = PayoutAccount.objects.filter(organisation=OuterRef("pk"))
    rows = Organisation.objects.annotate(has_account=Exists(account))
    found: dict[int, Any] = rows.in_bulk([one.organisation_id for one in shown])
    return [{"sum": one, "organisation": found[one.organisation_id]} for one in shown]
