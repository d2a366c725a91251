"""Who is told of money on its way back or out: whoever it belongs to. Followed in the journal."""

from __future__ import annotations

from django.conf import settings
from django.db.models import F, Q, QuerySet, Sum
from django.urls import reverse

from marketplace import notifications, telling
from marketplace.models import Event
from marketplace.money import Money
from settlement import trade_notices
from settlement.models import Chargeback, Netting, Payout, Refund, ReserveTerms, RevenueSplit
from settlement.states import OutgoingState


def register() -> None:
    """Follow the money; called once, when Django has loaded the app."""
    telling.register(
        {
            "refund.paid": _refund,
            "refund.bounced": _refund,
            "payout.paid": _payout,
            "payout.bounced": _payout,
            "chargeback.opened": _chargeback,
            "reserve_terms.confirmed": _reserve_terms,
            "netting.granted": _netting,
            "netting.stopped": _netting,
            "split.proposed": _split_proposed,
            "split.in_force": _split_decided,
            "split.declined": _split_decided,
        }
    )


def _refund(event: Event) -> None:
    refund = Refund.objects.select_related(
        *(f"{source}__{part}" for source in ("trade", "unmatched__payment__trade") for part in ("version", "buyer"))
    ).get(pk=event.subject_id)
    trade = refund.trade
    if trade is None and refund.unmatched and refund.unmatched.payment:
        trade = refund.unmatched.payment.trade
    if trade is None:  # money of somebody the exchange does not know: its desk writes to the payer
        return
    notifications.tell(
        event.kind,
        organisation=trade.buyer_id,
        path=trade.get_absolute_url(),
        facts={"title": trade.version.titles, "amount": Money(refund.amount_minor, refund.currency)},
    )


def _payout(event: Event) -> None:
    payout = Payout.objects.get(pk=event.subject_id)
    if event.kind == "payout.bounced" or payout.replaces_id:
        _tell_payout(event.kind, payout, payout.amount_minor)
    if payout.replaces_id is None and _ends_its_cycle(event, payout):
        paid = _beside(payout).filter(state=OutgoingState.PAID).aggregate(sum=Sum("amount_minor"))["sum"]
        if paid:
            _tell_payout("payout.paid", payout, paid)


def _beside(payout: Payout) -> QuerySet[Payout]:
    """All that the payout's cycle pays its member, as it was first opened."""
    return Payout.objects.filter(
        cycle=payout.cycle_id, organisation=payout.organisation_id, currency=payout.currency, replaces=None
    )


def _ends_its_cycle(event: Event, payout: Payout) -> bool:
    """Whether it is the last we hear of what the cycle pays the member: that is told in one letter, not one a trade."""
    several = _beside(payout)
    if several.filter(state__in=[OutgoingState.DUE, OutgoingState.SENT]).exists():
        return False
    paid = Q(kind="payout.paid", subject_id__in=several.values("pk"))
    never_paid = Q(kind="payout.bounced", subject_id__in=several.filter(paid_at=None).values("pk"))
    ends = Event.objects.filter(paid | never_paid, subject_kind="payout")
    # The last in the order they are followed, which is that of their seals; who has none yet comes after.
    last = ends.order_by(F("seal__position").desc(nulls_first=True)).values_list("pk", flat=True).first()
    return last == event.pk


def _tell_payout(kind: str, payout: Payout, amount_minor: int) -> None:
    notifications.tell(
        kind,
        organisation=payout.organisation_id,
        path=reverse("money"),
        facts={"amount": Money(amount_minor, payout.currency)},
    )


def _chargeback(event: Event) -> None:
    trade = (
        Chargeback.objects.select_related(*(f"trade__{part}" for part in trade_notices.PARTS))
        .get(pk=event.subject_id)
        .trade
    )
    for party in (trade.buyer_id, trade.seller_id):
        notifications.tell(
            event.kind, organisation=party, path=trade.get_absolute_url(), facts=trade_notices.about(trade)
        )


def _reserve_terms(event: Event) -> None:
    terms = ReserveTerms.objects.select_related("organisation").get(pk=event.subject_id)
    facts = {
        "percent": terms.percent,
        "days": str(terms.days),
        "currency": terms.currency or ", ".join(settings.CURRENCIES),
        "day": terms.begins_on,
        "reason": terms.reason,
    }
    notifications.tell(event.kind, organisation=terms.organisation_id, path=f"{reverse('money')}#reserve", facts=facts)


def _netting(event: Event) -> None:
    netting = Netting.objects.get(pk=event.subject_id)
    facts = {"because": netting.opinion if event.kind == "netting.granted" else netting.reason}
    if event.kind == "netting.granted" or netting.reason:
        notifications.tell(
            event.kind, organisation=netting.organisation_id, path=f"{reverse('money')}#netting", facts=facts
        )


def _split_proposed(event: Event) -> None:
    split = _split(event)
    for payee in split.shares.order_by("payee").values_list("payee", flat=True).distinct():
        notifications.tell(event.kind, organisation=payee, path=reverse("revenue_shares"), facts=_about_split(split))


def _split_decided(event: Event) -> None:
    split = _split(event)
    path = reverse("studio_split", args=[split.listing.public_id])
    notifications.tell(event.kind, organisation=split.listing.seller_id, path=path, facts=_about_split(split))


def _split(event: Event) -> RevenueSplit:
    rows = RevenueSplit.objects.select_related("listing__seller", "listing__current_version")
    return rows.get(pk=event.subject_id)


def _about_split(split: RevenueSplit) -> dict[str, object]:
    version = split.listing.current_version
    return {"title": version.titles if version else split.listing.public_id, "seller": split.listing.seller}
