"""Pay what the ledger owes: each payout once, through the payee's gateway."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from itertools import islice

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from compliance import clearance
from marketplace import clock, journal
from marketplace.errors import Invalid, NotCleared, WrongState, in_words
from settlement import ledger, payout_accounts, positions
from settlement.models import Account, ClearingCycle, Payout, Trade
from settlement.states import OUTGOING_MOVES, OutgoingState

# Of a trade in an outer query: its own payouts to its seller, and the net ones that may cover it.
OWN = Payout.objects.filter(trade=OuterRef("pk"), organisation=OuterRef("seller"))
NET = Payout.objects.filter(
    kind=Payout.Kind.NET, cycle=OuterRef("cycle"), organisation=OuterRef("seller"), currency=OuterRef("currency")
)


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
    FROM json_array_elements(%(payouts)s) WITH ORDINALITY AS t (row, place) ORDER BY place
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
            key=f"{payout.key}-r",
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


def claim_next() -> Payout | None:
    """The next payout to send, with the payee's gateway and destination written into it before anything is sent."""
    payout = Payout.claim_next(due().select_related("organisation"))
    if payout is not None and not payout.gateway:
        account = payout_accounts.account_of(payout.organisation)
        if account is not None:
            payout.gateway, payout.destination, payout.routed_at = account.gateway, account.reference, clock.now()
            payout.save(update_fields=["gateway", "destination", "routed_at"])
    return payout


def require_not_held(payout: Payout) -> None:
    """A held member is not paid. Raises NotCleared."""
    if clearance.is_held(payout.organisation):
        raise NotCleared(_("%(organisation)s is held."), organisation=payout.organisation)


def _move(payout: Payout, act: str, **changes: object) -> Payout:
    if act not in OUTGOING_MOVES[payout.state]:
        raise WrongState(
            _("Payout %(payout)s is %(state)s."), payout=payout, state=in_words(OutgoingState(payout.state).label)
        )
    payout.state = OUTGOING_MOVES[payout.state][act]
    for name, value in changes.items():
        setattr(payout, name, value)
    payout.save(update_fields=["state", *changes])
    return payout


@transaction.atomic
def record_sent(payout: Payout, reference: str) -> Payout:
    """The gateway took it: the money leaves our books."""
    payout = _locked(Q(pk=payout.pk))
    if payout.state == OutgoingState.DUE:
        _send(payout, reference)
    return payout


def _send(payout: Payout, reference: str) -> None:
    _move(payout, "send", reference=reference, sent_at=clock.now(), claimed_until=None, error="")
    ledger.transfer(
        f"{payout.key}-sent",
        debit=ledger.payable(payout.organisation, payout.currency),
        credit=ledger.outside(payout.gateway, payout.currency),
        amount_minor=payout.amount_minor,
    )
    journal.record("payout.sent", payout, by=None, amount_minor=payout.amount_minor)


def record_paid(key: str, gateway_name: str) -> Payout:
    """The member has it. A notice that overtakes our own record of sending does both. No gateway speaks for another."""
    payout = _locked(Q(key=key, gateway=gateway_name))
    if payout.state == OutgoingState.DUE:
        _send(payout, payout.reference)
    if payout.state == OutgoingState.SENT:
        _move(payout, "pay", paid_at=clock.now())
        journal.record("payout.paid", payout, by=None, amount_minor=payout.amount_minor)
    return payout


def record_bounced(key: str, gateway_name: str, reason: str) -> Payout:
    """It came back: the posting is reversed; a new row is opened when the member mends its account."""
    payout = _locked(Q(key=key, gateway=gateway_name))
    if payout.state == OutgoingState.DUE:
        _send(payout, payout.reference)
    if payout.state != OutgoingState.BOUNCED:
        _move(payout, "bounce", error=reason[:2000])
        ledger.transfer(
            f"{payout.key}-bounced",
            debit=ledger.outside(payout.gateway, payout.currency),
            credit=ledger.payable(payout.organisation, payout.currency),
            amount_minor=payout.amount_minor,
        )
        journal.record("payout.bounced", payout, by=None, amount_minor=payout.amount_minor)
    return payout


def paid_for(payout: Payout) -> QuerySet[Trade]:
    """The trades whose seller has its money with this payout; none for what is released of a reserve."""
    sold = Trade.objects.filter(seller=payout.organisation_id)
    if payout.trade_id is not None:
        return sold.filter(pk=payout.trade_id)
    if payout.kind == Payout.Kind.NET:
        return sold.filter(~Exists(OWN), cycle=payout.cycle_id, currency=payout.currency)
    return sold.none()


def unpaid(cycle: ClearingCycle) -> QuerySet[Trade]:
    """The trades of a cleared cycle that no payout to their seller is for: free ones, and those of a debt."""
    escrow = Account.objects.filter(kind=Account.Kind.ESCROW, trade=OuterRef("pk"))
    return Trade.objects.filter(~Exists(OWN), ~Exists(NET) | ~Exists(escrow), cycle=cycle)


def of_trade(trade: Trade) -> QuerySet[Payout]:
    """The payout of a cleared trade to its seller, its own or the net one, and those it came back as before."""
    mine = Payout.objects.filter(organisation=trade.seller_id, cycle=trade.cycle_id, currency=trade.currency)
    own = mine.filter(trade=trade)
    return (own if own.exists() else mine.filter(kind=Payout.Kind.NET)).order_by("pk")


def of_trades(trades: Collection[Trade]) -> dict[int, Payout]:
    """The newest payout to the seller of each of these cleared trades, its own or the net one. One statement."""
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
    found = {
        trade.pk: own.get((trade.seller_id, trade.pk)) or net.get((trade.seller_id, trade.cycle_id, trade.currency))
        for trade in trades
    }
    return {pk: payout for pk, payout in found.items() if payout is not None}


def _locked(condition: Q) -> Payout:
    payout = (
        Payout.objects.select_for_update(of=("self",)).select_related("organisation", "cycle").filter(condition).first()
    )
    if payout is None:
        raise Invalid(_("No payout has this key."), code="unknown_payout")
    return payout
