"""Who acts next on a trade, and by when: a party's deadline, or the time within which the exchange promises to act.

A deadline changes the trade when it passes; a promise does not, it is only late then. Promises are counted as the
desks count: in working hours (`DESK_TARGET_HOURS`, `PAYOUT_WITHIN_HOURS`), delivery in hours (`DELIVER_WITHIN_HOURS`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import gettext as _

from marketplace import clock, working_time
from marketplace.money import Money
from settlement import clearing, deadlines, instalments, payouts
from settlement.models import ClearingCycle, Dispute, Instalment, Payout, PayoutAccount, Trade
from settlement.states import OutgoingState, TradeState


@dataclass(frozen=True)
class Next:
    """Who acts next (`buyer`, `seller`, `exchange`, or `nobody`), what they do, and by when; None where no time runs.

    `otherwise` is what happens when that time has passed; '' where nothing is left to do. `why_endless` says of a wait
    without a time why it has none, and what becomes of the money meanwhile.
    """

    who: str
    text: str
    until: dt.datetime | None
    otherwise: str = ""
    why_endless: str = ""

    @property
    def is_late(self) -> bool:
        """Whether the exchange has let its promise pass; a party's deadline changes the trade instead."""
        return self.who == "exchange" and self.until is not None and self.until < clock.now()


def of(trade: Trade) -> Next:
    """Who acts next on this trade and by when."""
    return of_many([trade])[trade.pk]


def of_many(trades: Iterable[Trade]) -> dict[int, Next]:
    """The same for a page of trades, by id, in a fixed number of statements but for those on which a hold ever lay."""
    shown = list(trades)
    by_state: dict[str, list[Trade]] = {}
    for trade in shown:
        if not trade.is_frozen:
            by_state.setdefault(trade.state, []).append(trade)
    found = {trade.pk: _frozen() for trade in shown}
    deciding = {
        TradeState.DISPUTED: _disputed,
        TradeState.ACCEPTED: _accepted,
        TradeState.CLEARED: _cleared,
    }
    plain = [trade for state, rows in by_state.items() if state not in deciding for trade in rows]
    until = deadlines.of_many(plain) if plain else {}
    unpaid = instalments.unpaid(by_state.get(TradeState.REGISTERED, []))
    found |= {trade.pk: _by_deadline(trade, until[trade.pk], unpaid.get(trade.pk, [])) for trade in plain}
    for state, decide in deciding.items():
        if rows := by_state.get(state):
            found |= decide(rows)
    return found


def _late() -> str:
    return _("the exchange is late: write to it and name the trade. The money stays where it is.")


def _frozen() -> Next:
    text = _("A chargeback is open; the bank decides.")
    why = _(
        "The buyer's bank decides in its own time, and the exchange cannot hurry it. Until then the money stays where"
        " it is; delivery, acceptance and clearing wait."
    )
    return Next("exchange", text, None, why_endless=why)


def _by_deadline(trade: Trade, until: dt.datetime | None, unpaid: Sequence[Instalment]) -> Next:
    """`unpaid` are the instalments of a registered trade that are not paid, where it has any."""
    match trade.state:
        case TradeState.PROPOSED:
            lapses = _("the proposal lapses and nobody is bound.")
            return Next("seller", _("The seller agrees or declines."), until, lapses)
        case TradeState.AGREED:
            lapses = _("the trade lapses and the licence goes back on sale.")
            return Next("exchange", _("The exchange registers the trade."), until, lapses)
        case TradeState.REGISTERED:
            lapses = _("the trade lapses and the licence goes back on sale.")
            if trade.bills_id is not None:
                lapses = _("the bill lapses and access rests, until the buyer asks for it again and pays.")
            return Next("buyer", _instalment(trade, unpaid[0]) if unpaid else _("The buyer pays."), until, lapses)
        case TradeState.FUNDED:
            return Next("exchange", _("The exchange delivers."), until, _late())
        case TradeState.DELIVERED:
            silence = _("the delivery counts as accepted.")
            return Next("buyer", _("The buyer inspects, then accepts or objects; silence accepts."), until, silence)
    return Next("nobody", _("Nothing is left to do."), None)


def _instalment(trade: Trade, row: Instalment) -> str:
    """Which instalment the buyer pays next, and how much it is."""
    return _("The buyer pays instalment %(number)s of %(all)s: %(amount)s.") % {
        "number": row.number,
        "all": len(trade.offer.instalments),
        "amount": Money(row.amount_minor, trade.currency),
    }


def _promised(since: dt.datetime, working_hours: int) -> dt.datetime | None:
    """When so many working hours have passed; None where nothing is promised."""
    return working_time.after(since, dt.timedelta(hours=working_hours)) if working_hours else None


def _disputed(trades: Sequence[Trade]) -> dict[int, Next]:
    """The desk of disputes decides within its target. One statement."""
    hours = settings.DESK_TARGET_HOURS["disputes"]
    decides = _("The exchange decides the dispute.")
    hears = _("The exchange decides the dispute; until then the seller may answer.")
    rows = Dispute.objects.filter(trade__in=trades)
    return {
        row.trade_id: Next("exchange", decides if row.answer else hears, _promised(row.opened_at, hours), _late())
        for row in rows
    }


def _accepted(trades: Sequence[Trade]) -> dict[int, Next]:
    """The open cycle of its currency closes at its cut-off, that of a later settlement day at that day's; one that is
    closed waits to be released. Three statements at most."""
    cycles = ClearingCycle.objects.in_bulk({trade.cycle_id for trade in trades if trade.cycle_id})
    cut_off_of = clearing.cut_offs()
    days = clearing.settlement_days([trade for trade in trades if trade.cycle_id is None])
    found = {}
    for trade in trades:
        cycle, cut_off = cycles.get(trade.cycle_id or 0), cut_off_of(trade.currency)
        if cycle is not None and cycle.closed_at is not None:
            until = _promised(cycle.closed_at, settings.DESK_TARGET_HOURS["cycles"])
            found[trade.pk] = Next("exchange", _("The exchange releases the clearing."), until, _late())
        elif trade.pk in days and (until := clearing.cut_off_on(days[trade.pk])) > cut_off:
            pays = _("The clearing of the settlement day pays the seller.")
            found[trade.pk] = Next("exchange", pays, until, _late())
        else:
            pays = _("The next clearing pays the seller.")
            closes = _("The next clearing clears the free trade; no money moves.")
            found[trade.pk] = Next("exchange", pays if trade.price_minor else closes, cut_off, _late())
    return found


def _cleared(trades: Sequence[Trade]) -> dict[int, Next]:
    """The payout arrives within its promise, or waits for the seller to say where to. Two statements."""
    sellers = {trade.seller_id for trade in trades}
    paid_by = payouts.of_trades(trades)
    accounts: dict[int, list[PayoutAccount]] = {}
    for account in PayoutAccount.objects.filter(organisation__in=sellers, dropped_at=None):
        accounts.setdefault(account.organisation_id, []).append(account)
    return {trade.pk: _payout(paid_by.get(trade.pk), accounts.get(trade.seller_id, [])) for trade in trades}


def _payout(payout: Payout | None, accounts: Sequence[PayoutAccount]) -> Next:
    """What a cleared trade's payout waits for; `accounts` are those of its payee that nobody dropped."""
    since = payout.created_at if payout else clock.now()
    kept = _("Nothing lapses: the money is the seller's and stays with the exchange until it can be paid out.")
    if payout and payout.state == OutgoingState.BOUNCED:
        return Next("seller", _("The payout came back. The seller names another account for it."), None, "", kept)
    if payout and payout.state == OutgoingState.DUE:
        confirmed = [account.effective_at for account in accounts if account.effective_at]
        if not accounts:
            return Next("seller", _("The seller names the account its payout goes to."), None, "", kept)
        if not confirmed:
            text = _("A second person of the seller confirms the account its payout goes to.")
            return Next("seller", text, None, "", kept)
        since = max(since, min(confirmed))
    return Next("exchange", _("The payout is on its way."), _promised(since, settings.PAYOUT_WITHIN_HOURS), _late())
