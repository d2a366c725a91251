"""Pay what the ledger owes: each payout once, through the payee's gateway."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from itertools import islice

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from compliance import clearance
from compliance.crossborder import MAINLAND
from marketplace import clock, journal
from marketplace.errors import Invalid, NotCleared, WrongState, in_words
from settlement import keys, ledger, payout_accounts, positions
from settlement.models import Account, ClearingCycle, Payout, Trade
from settlement.states import OUTGOING_MOVES, OutgoingState

AT_ONCE = 20
# Of a trade in an outer query: its own payouts to its seller, and the net ones that may cover it.
OWN = Payout.objects.filter(trade=OuterRef("pk"), organisation=OuterRef("seller"))
NET = Payout.objects.filter(
    kind=Payout.Kind.NET, cycle=OuterRef("cycle"), organisation=OuterRef("seller"), currency=OuterRef("currency")
)
DOMESTIC = Q(buyer__country=MAINLAND, seller__country=MAINLAND)  # trades that a net payout may cover


def open_of(cycle: ClearingCycle, found: positions.Positions) -> None:
    """Open the payouts of a cycle, in the transaction that releases it: two statements for each part of them.

    A hundred thousand of them as objects would each be longer to make than to insert.
    """
    waiting = _due(cycle, found)
    while part := list(islice(waiting, positions.AT_ONCE)):
        with connection.cursor() as cursor:
            cursor.execute(INSERT_MANY, {"cycle": cycle.pk, "now": clock.now(), "payouts": json.dumps(part)})
            opened = [(pk, {"amount_minor": minor, "cycle": cycle.number}) for pk, minor in cursor.fetchall()]
        journal.record_rows("payout.due", Payout, opened, by=None)


def _due(cycle: ClearingCycle, found: positions.Positions) -> Iterator[tuple[int, str, str, int | None, str, int]]:
    """Whose, in which currency, what it is of, of which trade, its key, how much in minor units."""
    for (organisation_id, currency), position in found.items():
        key = f"payout-{cycle.number}-{organisation_id}-{currency}"
        for kind, trade_id, minor in position.payouts():
            ending = {Payout.Kind.TRADE: f"-{trade_id}", Payout.Kind.RESERVE: "-reserve"}.get(kind, "")
            yield organisation_id, currency, kind, trade_id, f"{key}{ending}", minor


INSERT_MANY = """
    INSERT INTO settlement_payout (
        cycle_id, organisation_id, currency, kind, trade_id, key, amount_minor, state, gateway, destination, reference,
        created_at, tries, next_try_at, error
    )
    SELECT %(cycle)s, (row->>0)::bigint, row->>1, row->>2, (row->>3)::bigint, row->>4, (row->>5)::bigint, 'due', '', '',
        '', %(now)s, 0, %(now)s, ''
    FROM jsonb_array_elements(%(payouts)s) WITH ORDINALITY AS t (row, place) ORDER BY place
    RETURNING id, amount_minor
"""


@transaction.atomic
def reopen_bounced() -> int:
    """Open every bounced payout anew whose member has an account that serves now and did not when it was routed.

    How many. It may have been named before the payout was sent: one that waited for the end of a hold goes where it
    was to go.
    """
    since = Coalesce(OuterRef("routed_at"), OuterRef("sent_at"), OuterRef("created_at"))
    mended = payout_accounts.serving().filter(organisation=OuterRef("organisation"), effective_at__gt=since)
    bounced = Payout.objects.select_for_update(of=("self",), skip_locked=True).filter(
        Exists(mended), state=OutgoingState.BOUNCED
    )
    opened = 0
    for payout in bounced.exclude(pk__in=Payout.objects.filter(replaces__isnull=False).values("replaces")).order_by(
        "pk"
    ):
        if Payout.objects.filter(replaces=payout).exists():  # asked under the lock: two workers may mend it at once
            continue
        anew = Payout.objects.create(
            cycle=payout.cycle,
            kind=payout.kind,
            trade=payout.trade,
            organisation=payout.organisation,
            key=keys.anew(payout.key),
            amount_minor=payout.amount_minor,
            currency=payout.currency,
            replaces=payout,
        )
        journal.record("payout.due", anew, by=None, replaces=payout.pk, amount_minor=anew.amount_minor)
        opened += 1
    return opened


def due() -> QuerySet[Payout]:
    """Payouts that wait and know where to go."""
    has_account = Exists(payout_accounts.serving().filter(organisation=OuterRef("organisation")))
    return Payout.objects.filter(has_account, state=OutgoingState.DUE)


def claim_next_payouts() -> list[Payout]:
    """The next payouts to send, each with its payee's gateway and destination written into it before anything is sent.

    Few, for each is a call of its own.
    """
    claimed = Payout.claim_several(due().select_related("organisation"), most=AT_ONCE)
    if unrouted := {payout.pk: payout for payout in claimed if not payout.gateway}:
        accounts = payout_accounts.serving().filter(organisation=OuterRef("organisation"))
        newest = accounts.order_by("-effective_at", "-pk")
        here = Payout.objects.filter(pk__in=unrouted)
        here.filter(Exists(accounts), gateway="").update(
            gateway=Subquery(newest.values("gateway")[:1]),
            destination=Subquery(newest.values("reference")[:1]),
            routed_at=clock.now(),
        )
        for pk, gateway, destination in here.values_list("pk", "gateway", "destination"):
            unrouted[pk].gateway, unrouted[pk].destination = gateway, destination
    return claimed


def require_not_held(payout: Payout) -> None:
    """A held member is not paid. Raises NotCleared."""
    if clearance.is_held(payout.organisation):
        raise NotCleared(_("%(organisation)s is held."), organisation=payout.organisation)


def _require_movable(payout: Payout, act: str) -> None:
    if act not in OUTGOING_MOVES[payout.state]:
        raise WrongState(
            _("Payout %(payout)s is %(state)s."), payout=payout, state=in_words(OutgoingState(payout.state).label)
        )


@transaction.atomic
def record_sent(sent: Sequence[tuple[Payout, str]]) -> None:
    """The gateways took these payouts and gave each a reference: the money leaves our books. All of them or none.

    One whose notice was heard meanwhile stays as it is.
    """
    references = {payout.pk: reference for payout, reference in sent}
    waiting = [one for one in _locked(Q(pk__in=references)) if one.state == OutgoingState.DUE]
    for payout in waiting:
        payout.reference = references[payout.pk]
    _send(waiting)


def _send(payouts: Sequence[Payout]) -> None:
    """Move locked payouts that are due, with their references: a statement each for rows, money and events."""
    if not payouts:
        return
    now = clock.now()
    for payout in payouts:
        _require_movable(payout, "send")
        payout.state = OUTGOING_MOVES[payout.state]["send"]
        payout.sent_at, payout.claimed_until, payout.error = now, None, ""
    Payout.objects.bulk_update(payouts, ["state", "reference", "sent_at", "claimed_until", "error"])
    payables = ledger.locked_payables({(payout.organisation_id, payout.currency) for payout in payouts})
    places = {(payout.gateway, payout.currency) for payout in payouts}
    outside = {place: ledger.outside(*place).pk for place in places}
    ledger.book(
        [
            (
                f"{payout.key}-sent",
                payables[payout.organisation_id, payout.currency],
                outside[payout.gateway, payout.currency],
                payout.amount_minor,
            )
            for payout in payouts
        ]
    )
    journal.record_rows("payout.sent", Payout, _told(payouts), by=None)


def _told(payouts: Sequence[Payout]) -> Iterator[tuple[int, dict[str, int]]]:
    """What the journal says of each."""
    return ((payout.pk, {"amount_minor": payout.amount_minor}) for payout in payouts)


def told_of(named: Collection[tuple[str, str]]) -> list[Payout]:
    """The payouts of these (key, gateway), locked. No gateway speaks for another. Raises Invalid `unknown_payout`."""
    found = _locked(Q(key__in=[key for key, _name in named]))
    if set(named) != {(payout.key, payout.gateway) for payout in found}:
        raise Invalid(_("No payout has this key."), code="unknown_payout")
    return found


def record_paid(payouts: Sequence[Payout]) -> list[Payout]:
    """The members have these locked payouts: those that were not known to be paid. A notice that overtakes our own
    record of sending does both, and one that is overtaken by its return does nothing.
    """
    _send([payout for payout in payouts if payout.state == OutgoingState.DUE])
    paid = [payout for payout in payouts if payout.state == OutgoingState.SENT]
    now = clock.now()
    for payout in paid:
        payout.state, payout.paid_at = OUTGOING_MOVES[payout.state]["pay"], now
    Payout.objects.filter(pk__in=[payout.pk for payout in paid]).update(state=OutgoingState.PAID, paid_at=now)
    journal.record_rows("payout.paid", Payout, _told(paid), by=None)
    return paid


def record_bounced(key: str, gateway_name: str, reason: str) -> Payout:
    """It came back: the posting is reversed; a new row is opened when the member mends its account."""
    [payout] = told_of([(key, gateway_name)])
    if payout.state == OutgoingState.DUE:
        _send([payout])
    if payout.state != OutgoingState.BOUNCED:
        _require_movable(payout, "bounce")
        payout.state, payout.error = OUTGOING_MOVES[payout.state]["bounce"], reason[:2000]
        payout.save(update_fields=["state", "error"])
        ledger.transfer(
            f"{payout.key}-bounced",
            debit=ledger.outside(payout.gateway, payout.currency),
            credit=ledger.payable(payout.organisation, payout.currency),
            amount_minor=payout.amount_minor,
        )
        journal.record_rows("payout.bounced", Payout, _told([payout]), by=None)
    return payout


def paid_for(payouts: Sequence[Payout]) -> QuerySet[Trade]:
    """The trades whose seller has its money with these payouts; none for what is released of a reserve."""
    own = Payout.objects.filter(pk__in=[payout.pk for payout in payouts]) & OWN
    sold = Q(Exists(own), pk__in=[payout.trade_id for payout in payouts if payout.trade_id is not None])
    for net in payouts:
        if net.kind == Payout.Kind.NET:
            sold |= Q(~Exists(OWN), seller=net.organisation_id, cycle=net.cycle_id, currency=net.currency)
    return Trade.objects.filter(sold)


def unpaid(cycle: ClearingCycle) -> QuerySet[Trade]:
    """The trades of a cleared cycle that no payout to their seller is for: free ones, and those of a debt. A trade
    across the border is in no net payout."""
    escrow = Account.objects.filter(kind=Account.Kind.ESCROW, trade=OuterRef("pk"))
    return Trade.objects.filter(~Exists(OWN), ~Exists(NET) | ~Exists(escrow) | ~DOMESTIC, cycle=cycle)


def of_trade(trade: Trade) -> QuerySet[Payout]:
    """The payout of a cleared trade to its seller, its own or the net one, and those it came back as before."""
    mine = Payout.objects.filter(organisation=trade.seller_id, cycle=trade.cycle_id, currency=trade.currency)
    own = mine.filter(trade=trade)
    is_netted = not own.exists() and Trade.objects.filter(DOMESTIC, pk=trade.pk).exists()
    return (mine.filter(kind=Payout.Kind.NET) if is_netted else own).order_by("pk")


def of_trades(trades: Collection[Trade]) -> dict[int, Payout]:
    """The newest payout to the seller of each of these cleared trades, its own or the net one. One statement, and
    another where there are net ones."""
    rows = Payout.objects.filter(organisation__in={trade.seller_id for trade in trades}).filter(
        Q(trade__in=[trade.pk for trade in trades])
        | Q(kind=Payout.Kind.NET, cycle__in={trade.cycle_id for trade in trades})
    )
    own: dict[tuple[int, int | None], Payout] = {}
    net: dict[tuple[int, int | None, str], Payout] = {}
    for row in rows.order_by("pk"):
        if row.kind == Payout.Kind.NET:
            net[row.organisation_id, row.cycle_id, row.currency] = row
        else:
            own[row.organisation_id, row.trade_id] = row
    found = {trade.pk: own.get((trade.seller_id, trade.pk)) for trade in trades}
    alone = {trade.pk: trade for trade in trades if net and found[trade.pk] is None}
    domestic = Trade.objects.filter(DOMESTIC, pk__in=alone).values_list("pk", flat=True) if alone else ()
    for trade in (alone[pk] for pk in domestic):
        found[trade.pk] = net.get((trade.seller_id, trade.cycle_id, trade.currency))
    return {pk: payout for pk, payout in found.items() if payout is not None}


def _locked(condition: Q) -> list[Payout]:
    return list(Payout.objects.filter(condition).order_by("pk").select_for_update())
