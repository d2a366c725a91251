"""Reactions of settlement to what happened below it: a hold suspends open access, lifting it resumes."""

from __future__ import annotations

from django.db.models import Q

from compliance import clearance
from compliance.models import Hold, Verification
from marketplace import clock
from marketplace.models import Event, JointMember
from settlement import deliveries
from settlement.models import Grant, Payout, Trade
from settlement.states import GrantState, OutgoingState

HOLDS = {"hold.placed", "hold.lifted"}
STANDINGS = {"organisation.suspended", "organisation.expelled", "organisation.reinstated", "organisation.verified"}


def follow(event: Event) -> None:
    """Act on one event; safe to call twice, for it looks at what is true now."""
    if event.kind in HOLDS:
        hold = Hold.objects.get(pk=event.subject_id)
        _adjust(_concerned(hold.subject_kind, hold.subject_id))
    elif event.kind in STANDINGS:
        _adjust(_concerned("organisation", _organisation_of(event)))
    elif event.kind == "joint_member.released":
        _adjust(_concerned("organisation", event.subject_id))


def _organisation_of(event: Event) -> int:
    if event.subject_kind == "verification":
        return int(Verification.objects.values_list("organisation_id", flat=True).get(pk=event.subject_id))
    return event.subject_id


def _concerned(subject_kind: str, subject_id: int) -> Q:
    if subject_kind == "organisation":
        joint = JointMember.objects.filter(member=subject_id).in_force().values("joint")
        return Q(seller_id=subject_id) | Q(buyer_id=subject_id) | Q(seller__in=joint) | Q(buyer__in=joint)
    return Q(listing_id=subject_id) if subject_kind == "listing" else Q(pk=subject_id)


def _adjust(concerned: Q) -> None:
    """Bring the grants of these trades in line with the holds that lie on them, and wake what waited."""
    trades = Trade.objects.filter(concerned)
    grants = Grant.objects.filter(trade__in=trades, state__in=[GrantState.OPEN, GrantState.SUSPENDED])
    for grant in grants.select_related("trade__listing", "trade__buyer", "trade__seller").iterator(chunk_size=500):
        trade = grant.trade
        if clearance.are_held(listing=trade.listing, buyer=trade.buyer, seller=trade.seller, trade_id=trade.pk):
            deliveries.suspend(grant, why="hold")
        else:
            deliveries.resume(grant)
    now = clock.now()
    trades.filter(next_try_at__gt=now).update(next_try_at=now)
    Grant.objects.filter(trade__in=trades, state=GrantState.DUE, next_try_at__gt=now).update(next_try_at=now)
    members = trades.values("seller")
    Payout.objects.filter(organisation__in=members, state=OutgoingState.DUE, next_try_at__gt=now).update(
        next_try_at=now
    )
