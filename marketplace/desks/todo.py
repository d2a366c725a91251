"""What waits for whoever is signed in: of the organisation they act for, only what their role may do."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _

from compliance import joint_members
from compliance.models import Verification
from compliance.states import VerificationState
from listings import private_offers
from marketplace.desks import studio_todo
from marketplace.models import Organisation
from marketplace.roles import MEMBER_ACTS
from settlement import deadlines, payout_accounts, splits
from settlement.models import Payout, Trade
from settlement.states import OutgoingState, TradeState

SHOWN_TRADES = 12
SHOWN_JOINT = 6
SHOWN_OFFERS = 6


@dataclass(frozen=True)
class Todo:
    """One thing to do, where, and by when; or since when somebody waits."""

    text: str
    about: str
    url: str
    until: dt.datetime | None = None
    since: dt.datetime | None = None


def of(organisation: Organisation | None, role: str | None) -> list[Todo]:
    """What a person of this role can do next, the most pressing first; a fixed number of statements."""
    if organisation is None or role is None:
        return [Todo(_("Register your organisation"), _("To buy or to sell you act for one."), reverse("apply"))]
    found = [
        *_standing(organisation, role),
        *_joint(organisation, role),
        *_trades(organisation, role),
        *_payout(organisation, role),
        *_shares(organisation, role),
        *_offers_for_us(organisation, role),
    ]
    return [*found, *_of_the_studio(organisation, role)]


def _may(role: str, act: str) -> bool:
    return role in MEMBER_ACTS[act]


def _standing(organisation: Organisation, role: str) -> list[Todo]:
    """Applying, or answering what the exchange asks."""
    if not _may(role, "apply"):
        return []
    state = Verification.objects.filter(organisation=organisation).values_list("state", flat=True).first()
    if state is None:
        about = _("Until then you can look, but neither list nor trade.")
        return [Todo(_("Apply to the exchange"), about, reverse("apply"))]
    if state == VerificationState.MORE_REQUESTED:
        return [Todo(_("Answer what the exchange asks"), str(organisation), reverse("organisation"))]
    return []


def _joint(organisation: Organisation, role: str) -> list[Todo]:
    """Joint merchants that named this organisation and wait for its consent."""
    if not _may(role, "apply"):
        return []
    rows = joint_members.waiting_for(organisation)[:SHOWN_JOINT]
    return [Todo(_("Consent to selling jointly, or decline"), row.joint.name, reverse("joint_members")) for row in rows]


_WORDS = {
    ("seller", TradeState.PROPOSED): ("agree", lambda: _("Answer the proposal")),
    ("seller", TradeState.DISPUTED): ("dispute", lambda: _("Answer the objection")),
    ("buyer", TradeState.REGISTERED): ("pay", lambda: _("Pay")),
    ("buyer", TradeState.DELIVERED): ("accept", lambda: _("Inspect, then accept or object")),
}


def _trades(organisation: Organisation, role: str) -> list[Todo]:
    """Proposals to answer, payments due, deliveries to inspect, objections to answer."""
    wanted = Q(pk__in=[])
    for (side, state), (act, _words) in _WORDS.items():
        if _may(role, act):
            condition = Q(**{side: organisation}, state=state)
            wanted |= condition & Q(dispute__answer="") if state == TradeState.DISPUTED else condition
    rows = Trade.objects.visible_to(organisation).filter(wanted, is_frozen=False)
    trades = list(rows.select_related("version", "buyer", "seller").order_by("pk")[:SHOWN_TRADES])
    until = deadlines.of_many(trades)
    found = []
    for trade in trades:
        side = "buyer" if trade.buyer_id == organisation.pk else "seller"
        other = trade.seller if side == "buyer" else trade.buyer
        words = _WORDS[side, TradeState(trade.state)][1]()
        found.append(
            Todo(words, f"{trade.version.title} · {other.shown_name}", trade.get_absolute_url(), until[trade.pk])
        )
    return sorted(found, key=lambda todo: (todo.until is None, todo.until or dt.datetime.min.replace(tzinfo=dt.UTC)))


def _payout(organisation: Organisation, role: str) -> list[Todo]:
    """Money that cannot go out because nobody said where to, or because it came back."""
    if not _may(role, "manage_payout"):
        return []
    waiting = Payout.objects.filter(organisation=organisation)
    account = payout_accounts.coming(organisation)
    if account is not None:
        words = _("A payout account was named") if account.confirmed_at else _("Confirm or stop a payout account")
        return [Todo(words, account.reference, reverse("money"), account.effective_at)]
    has_account = payout_accounts.account_of(organisation) is not None
    if waiting.filter(state=OutgoingState.BOUNCED, replaced_by=None).exists():
        return [Todo(_("Mend your payout account"), _("A payout came back."), reverse("money"))]
    if not has_account and waiting.filter(state=OutgoingState.DUE).exists():
        return [Todo(_("Say where your money goes"), _("A payout waits for an account."), reverse("money"))]
    return []


def _shares(organisation: Organisation, role: str) -> list[Todo]:
    """Shares of others' revenue that wait for the organisation's agreement."""
    if not _may(role, "split_revenue"):
        return []
    waiting = splits.waiting_for(organisation).select_related(
        "split__listing__current_version", "split__listing__seller"
    )
    found = []
    for share in waiting.order_by("pk")[:SHOWN_OFFERS]:
        listing = share.split.listing
        title = listing.current_version.title if listing.current_version else listing.public_id
        about = f"{title} · {listing.seller.shown_name}"
        found.append(Todo(_("Agree to a share of revenue, or decline"), about, reverse("revenue_shares")))
    return found


def _offers_for_us(organisation: Organisation, role: str) -> list[Todo]:
    """Offers that name the organisation and that it has not taken, the one that ends first before others."""
    if not _may(role, "propose"):
        return []
    found = []
    for offer in private_offers.waiting_for(organisation)[:SHOWN_OFFERS]:
        product, seller = offer.listing.current_version, offer.listing.seller.shown_name
        about = f"{product.title} · {seller}" if product else seller
        url = f"{offer.listing.get_absolute_url()}#offer-{offer.public_id}"
        found.append(Todo(_("Look at an offer made to you"), about, url, offer.open_until))
    return found


def _of_the_studio(organisation: Organisation, role: str) -> list[Todo]:
    """Of what the studio lists what others wait for: reviewers' and buyers' questions, and manuals sent back."""
    if not _may(role, "edit_listing"):
        return []
    return [
        Todo(task.text, task.about, task.url, since=task.since)
        for kind in (studio_todo.questions, studio_todo.buyers_ask, studio_todo.sent_back)
        for task in list(kind(organisation))[: studio_todo.SHOWN]
    ]
