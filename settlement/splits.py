"""Revenue splits: a seller lays one down, everybody named agrees, and each trade freezes the shares that count for it.

A share of a product upstream goes to that product's seller, and by that product's own split further on. Each passes on
a part of what it got itself, so nobody pays for another's promise, and nobody named learns what another one gets.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from compliance import clearance
from compliance.states import VerificationState
from listings.models import Listing
from listings.states import ListingState
from marketplace import clock, joint_merchants, journal, roles
from marketplace.errors import Invalid, Refused, WrongState, in_words
from marketplace.models import Organisation, User
from marketplace.money import BASIS_POINTS_OF_THE_WHOLE
from settlement.models import RevenueShare, RevenueSplit, Trade
from settlement.states import SPLIT_MOVES, SplitState

MOST_SHARES = 20
Kind = RevenueShare.Kind
SOLD = (ListingState.REGISTERED, ListingState.LISTED)  # what another product may be derived from


class Circle(Refused):
    """The money would come back to the product it was paid for."""

    code = "split_in_a_circle"
    says = _("By these shares money would come back to the product it was paid for.")
    next = _("Look at what the products upstream are derived from, and name those that this one does not feed.")


class LeftOut(Refused):
    """The split leaves out somebody who has a share in the one in force."""

    code = "share_left_out"
    says = _("Somebody who has a share now is not named.")
    next = _("Name everybody who has a share now, with nothing if it shall end; they agree to that too.")


@dataclass(frozen=True)
class Wanted:
    """A share as the seller writes it: whose, of what kind, how many basis points; upstream, of which product."""

    kind: str
    basis_points: int
    payee: Organisation | None = None
    upstream: Listing | None = None

    @property
    def gets_it(self) -> Organisation | None:
        return self.upstream.seller if self.upstream is not None else self.payee


@transaction.atomic
def propose(listing: Listing, shares: Sequence[Wanted], *, by: User) -> RevenueSplit:
    """The seller lays down how a product's revenue is shared; it waits for everybody named.

    Raises RoleNeeded, Invalid with the reason, LeftOut, Circle, WrongState `split_waits`, NotCleared of a payee.
    """
    listing = Listing.objects.select_for_update(no_key=True, of=("self",)).select_related("seller").get(pk=listing.pk)
    roles.require(by, listing.seller, "split_revenue")
    before = in_force(listing)
    if RevenueSplit.objects.filter(listing=listing, state=SplitState.PROPOSED).exists():
        raise WrongState(
            _("A split of this product waits for agreement already."),
            code="split_waits",
            next=_("Withdraw it, or wait until everybody named has answered."),
        )
    _require_sound(listing, shares)
    has_share = set(before.shares.filter(basis_points__gt=0).values_list("payee", flat=True)) if before else set()
    if not has_share <= {one.gets_it.pk for one in shares if one.gets_it}:
        raise LeftOut()
    for one in shares:
        if one.gets_it is not None and one.gets_it.pk not in has_share:
            clearance.require_member(one.gets_it)
    split = RevenueSplit.objects.create(listing=listing, replaces=before, by=by)
    rows = [
        RevenueShare(
            split=split, kind=one.kind, payee=one.gets_it, upstream=one.upstream, basis_points=one.basis_points
        )
        for one in shares
    ]
    with _in_no_circle():
        RevenueShare.objects.bulk_create(rows)
    journal.record("split.proposed", split, by=by, listing=listing.pk, shares=len(rows))
    return split


def _require_sound(listing: Listing, shares: Sequence[Wanted]) -> None:
    def refuse(why: Any, **values: Any) -> None:
        raise Invalid(why, code="wrong_split", next=_("Mend the shares and lay the split down again."), **values)

    if not 1 <= len(shares) <= MOST_SHARES:
        refuse(_("A split has between 1 and %(most)s shares."), most=MOST_SHARES)
    for one in shares:
        if one.kind not in Kind.values or (one.kind == Kind.UPSTREAM) != (one.upstream is not None):
            refuse(_("A share upstream names its product, and no other does."))
        if one.gets_it is None:
            refuse(_("Each share names who gets it."))
        elif one.gets_it.pk == listing.seller_id:
            refuse(_("What no share takes is yours already: name others alone."))
        if one.upstream is not None and one.upstream.state not in SOLD:
            refuse(_("A product upstream is one that is registered here."))
        if not 0 <= one.basis_points <= BASIS_POINTS_OF_THE_WHOLE:
            refuse(_("A share is between 0 and 100 percent."))
    if sum(one.basis_points for one in shares) > BASIS_POINTS_OF_THE_WHOLE:
        refuse(_("The shares are more than 100 percent together."))
    if len({(one.kind, one.gets_it, one.upstream) for one in shares}) < len(shares):
        refuse(_("Somebody is named twice for the same."))


@contextmanager
def _in_no_circle() -> Iterator[None]:
    """What PostgreSQL refuses because it closes a circle is refused as `Circle`."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        if "closes a circle" not in str(error):
            raise
        raise Circle() from error


@transaction.atomic
def agree(split: RevenueSplit, *, payee: Organisation, by: User) -> RevenueSplit:
    """One that is named agrees to its shares; with the last of them the split is in force.

    Raises RoleNeeded, WrongState, Circle where another split made one meanwhile.
    """
    split = _locked(split)
    roles.require(by, payee, "split_revenue")
    waiting = _waiting_shares(split, payee)
    waiting.update(agreed_at=clock.now(), agreed_by=by)
    journal.record("split.agreed", split, by=by, organisation=payee.pk)
    if split.shares.filter(agreed_at=None).exists():
        return split
    with _in_no_circle():
        _take_its_turn()
        if split.replaces is not None:
            _move(split.replaces, "replace", ended_at=clock.now())
        _move(split, "come_into_force", in_force_at=clock.now())
    journal.record("split.in_force", split, by=by, listing=split.listing_id)
    return split


@transaction.atomic
def decline(split: RevenueSplit, *, payee: Organisation, by: User) -> RevenueSplit:
    """One that is named does not agree: the split ends before it began. Raises RoleNeeded, WrongState."""
    split = _locked(split)
    roles.require(by, payee, "split_revenue")
    _waiting_shares(split, payee)
    _move(split, "decline", ended_at=clock.now())
    journal.record("split.declined", split, by=by, organisation=payee.pk)
    return split


@transaction.atomic
def withdraw(split: RevenueSplit, *, by: User) -> RevenueSplit:
    """The seller takes back a split that waits for agreement. Raises RoleNeeded, WrongState."""
    split = _locked(split)
    roles.require(by, split.listing.seller, "split_revenue")
    _move(split, "withdraw", ended_at=clock.now())
    journal.record("split.withdrawn", split, by=by, listing=split.listing_id)
    return split


def in_force(listing: Listing) -> RevenueSplit | None:
    """The split that counts for trades of this product proposed now."""
    return RevenueSplit.objects.filter(listing=listing, state=SplitState.IN_FORCE).first()


def waiting_for(payee: Organisation) -> QuerySet[RevenueShare]:
    """Shares that wait for this organisation's agreement."""
    return RevenueShare.objects.filter(payee=payee, agreed_at=None, split__state=SplitState.PROPOSED)


def _waiting_shares(split: RevenueSplit, payee: Organisation) -> QuerySet[RevenueShare]:
    waiting = waiting_for(payee).filter(split=split)
    if not waiting.exists():
        raise WrongState(_("You agreed to your share already."), code="agreed_already")
    return waiting


def _locked(split: RevenueSplit) -> RevenueSplit:
    """The split, locked with its product, while it waits. Raises WrongState."""
    Listing.objects.select_for_update(no_key=True).get(pk=split.listing_id)
    found = RevenueSplit.objects.select_for_update(no_key=True, of=("self",))
    split = found.select_related("listing__seller", "replaces").get(pk=split.pk)
    if split.state != SplitState.PROPOSED:
        raise WrongState(_("This split is %(state)s already."), state=in_words(SplitState(split.state).label))
    return split


def _move(split: RevenueSplit, act: str, **changes: object) -> None:
    split.state = SPLIT_MOVES[split.state][act]
    for name, value in changes.items():
        setattr(split, name, value)
    split.save(update_fields=["state", *changes])


# --- who and what a share may name ----------------------------------------------------------------------------------


def organisations(public_ids: Collection[str]) -> dict[str, Organisation]:
    """The organisations of these public ids; shares name any member, not the seller's own alone."""
    return {one.public_id: one for one in Organisation.objects.filter(public_id__in=public_ids)}


def products(public_ids: Collection[str]) -> dict[str, Listing]:
    """The products of these public ids that the public register tells of."""
    rows = Listing.objects.filter(public_id__in=public_ids, state__in=SOLD).select_related("seller")
    return {one.public_id: one for one in rows}


def organisation_numbered(number: str) -> Organisation | None:
    """The organisation of this registration number; of several that claim it, the one the exchange has verified."""
    named = Organisation.objects.filter(registration_number=number)
    return named.filter(verification__state=VerificationState.VERIFIED).first() or named.first()


def product_numbered(number: str) -> Listing | None:
    """The product of this number of the public register."""
    rows = Listing.objects.filter(versions__registration__number=number, state__in=SOLD)
    return rows.select_related("seller").first()


# --- into a trade --------------------------------------------------------------------------------------------------

# One split comes into force at a time, and none while a trade freezes its shares: both see what is whole.
TAKE_TURN = "SELECT pg_advisory_xact_lock{}(hashtextextended('revenue splits', 0))"


def _take_its_turn(how: str = "") -> None:
    with connection.cursor() as cursor:
        cursor.execute(TAKE_TURN.format(how))


# The longest way from the trade's product to another one says how deep it lies: what feeds it stands before it.
FREEZE = """
    WITH RECURSIVE reached AS (
        SELECT %(listing)s::bigint AS listing_id, 0 AS depth
        UNION
        SELECT s.upstream_id, r.depth + 1 FROM reached r
        JOIN settlement_revenuesplit p ON p.listing_id = r.listing_id AND p.state = 'in_force'
        JOIN settlement_revenueshare s ON s.split_id = p.id
        WHERE s.upstream_id IS NOT NULL AND s.basis_points > 0
    ),
    deepest AS (SELECT listing_id, max(depth) AS depth FROM reached GROUP BY listing_id)
    INSERT INTO settlement_tradeshare (trade_id, share_id, position)
    SELECT %(trade)s, s.id, row_number() OVER (ORDER BY d.depth, s.id) FROM deepest d
    JOIN settlement_revenuesplit p ON p.listing_id = d.listing_id AND p.state = 'in_force'
    JOIN settlement_revenueshare s ON s.split_id = p.id
    WHERE s.basis_points > 0 AND NOT (s.kind = 'broker' AND s.payee_id = ANY(%(buyers)s)) ORDER BY d.depth, s.id
"""


def freeze(trade: Trade) -> None:
    """The shares that count for a trade that is proposed now. Nobody is the broker of its own purchase."""
    if not trade.price_minor or in_force(trade.listing) is None:
        return
    _take_its_turn("_shared")
    with connection.cursor() as cursor:
        cursor.execute(
            FREEZE,
            {
                "listing": trade.listing_id,
                "trade": trade.pk,
                "buyers": sorted(joint_merchants.ids_of_the_party(trade.buyer)),
            },
        )
