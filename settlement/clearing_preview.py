"""What releasing a cycle would do with the trades that wait for it: by currency and member, and what it leaves out.

The same sums as the run makes (`positions`), read without a lock: the run itself looks again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from compliance import holds
from compliance.models import Hold
from marketplace import clock
from marketplace.models import Organisation
from marketplace.money import Money
from settlement import clearing, ledger, netting, positions, reserves
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
    """So many trades of one currency, and of one member or of all: what is cleared and what becomes of it."""

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
    """What is cleared: sums by currency and by member, how many trades are free; and what is left out and why."""

    by_currency: list[Sum]
    by_member: list[Sum]
    free: int
    left_out: dict[int, list[Promise]]  # the first of them, by id
    left_out_count: int


def waiting() -> QuerySet[Trade]:
    """Accepted trades that are in no cycle yet and would be in one that closes now."""
    return clearing.ripe(clock.now())


def later_count() -> int:
    """How many accepted trades wait for a later settlement day."""
    in_none = Trade.objects.filter(state=TradeState.ACCEPTED, cycle=None)
    return in_none.exclude(pk__in=waiting().values("pk")).count()


def of_cycle(cycle: ClearingCycle) -> QuerySet[Trade]:
    """The trades of a cycle that is not released."""
    return Trade.objects.filter(state=TradeState.ACCEPTED, cycle=cycle)


def preview(trades: QuerySet[Trade], *, left_out_shown: int, cycle: ClearingCycle | None = None) -> Preview:
    """What clearing these trades of a closed cycle, or of one that closes now, would do.

    Reasons are given for the first few of those that are left out.
    """
    found: positions.Positions = {}
    free = left_out_count = 0
    left_out: dict[int, list[Promise]] = {}
    for part in positions.in_parts(trades):
        why = _left_out(part)
        ready = [positions.line_of(row) for row in part if row.pk not in why]
        lines = [line for line in ready if line is not None]
        positions.add(found, lines, positions.passed_on(lines))
        free += len(ready) - len(lines)
        left_out_count += len(why)
        left_out |= dict(islice(why.items(), left_out_shown - len(left_out)))
    owed = ledger.owed_by_members({organisation_id for organisation_id, _currency in found}, locked=False)
    positions.set_off(found, owed)
    day = clock.today()
    reserves.count_in(found, reserves.due(day), day)
    positions.net(found, netting.in_force({member for member, _currency in found}, cycle))
    by_member = [Sum(currency, *_parts(one), organisation_id) for (organisation_id, currency), one in found.items()]
    by_member.sort(key=lambda one: (one.currency, -one.gross_minor, one.organisation_id))
    return Preview(_by_currency(by_member), by_member, free, left_out, left_out_count)


def _by_currency(members: Iterable[Sum]) -> list[Sum]:
    totals: dict[str, list[int]] = {}
    for one in members:
        totals[one.currency] = [a + b for a, b in zip(totals.get(one.currency, [0] * 9), _parts(one), strict=True)]
    return [Sum(currency, *parts) for currency, parts in sorted(totals.items())]


def _parts(one: positions.Position | Sum) -> tuple[int, int, int, int, int, int, int, int, int]:
    return (
        one.trades, one.gross_minor, one.fee_minor, one.received_minor, one.given_minor, one.recovered_minor,
        one.reserved_minor, one.released_minor,
        one.payouts if isinstance(one, Sum) else sum(1 for _payout in one.payouts()),
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
