"""What waits for whoever is signed in: of the organisation they act for, only what their role may do."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db.models import F, Max, Q
from django.urls import reverse
from django.utils.translation import gettext as _

from compliance import joint_members
from compliance.models import ReviewQuestion, Verification
from compliance.states import VerificationState
from listings import private_offers
from listings.models import Question, Version
from listings.states import VersionState
from marketplace.models import Organisation
from marketplace.roles import MEMBER_ACTS
from settlement import deadlines, payout_accounts
from settlement.models import Payout, Trade
from settlement.states import OutgoingState, TradeState

SHOWN_TRADES = 12
SHOWN_DRAFTS = 6
SHOWN_QUESTIONS = 6
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
        *_offers_for_us(organisation, role),
    ]
    return [*found, *_asked(organisation, role), *_sent_back(organisation, role), *_buyers_ask(organisation, role)]


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
        found.append(Todo(words, f"{trade.version.title} · {other}", trade.get_absolute_url(), until[trade.pk]))
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


def _offers_for_us(organisation: Organisation, role: str) -> list[Todo]:
    """Offers that name the organisation and that it has not taken, the one that ends first before others."""
    if not _may(role, "propose"):
        return []
    words = _("Look at an offer made to you")
    return [
        Todo(
            words,
            f"{offer.listing.current_version.title if offer.listing.current_version else ''} · {offer.listing.seller}",
            f"{offer.listing.get_absolute_url()}#offer-{offer.public_id}",
            offer.open_until,
        )
        for offer in private_offers.waiting_for(organisation)[:SHOWN_OFFERS]
    ]


def _asked(organisation: Organisation, role: str) -> list[Todo]:
    """Questions of the reviewers, each at its field."""
    if not _may(role, "edit_listing"):
        return []
    waiting = ReviewQuestion.objects.filter(
        review__version__listing__seller=organisation, answered_at=None, withdrawn_at=None
    )
    rows = waiting.select_related("review__version__listing").order_by("asked_at", "pk")[:SHOWN_QUESTIONS]
    found = []
    for question in rows:
        version = question.review.version
        url = reverse("studio_version", args=[version.listing.public_id, version.number])
        found.append(Todo(_("Answer the reviewers’ question"), version.title, f"{url}#question-{question.pk}"))
    return found


def _buyers_ask(organisation: Organisation, role: str) -> list[Todo]:
    """Questions about the organisation's products, the one that waits longest first."""
    if not _may(role, "edit_listing"):
        return []
    rows = Question.objects.open().filter(listing__seller=organisation).order_by("asked_at", "pk")
    found = []
    for question in rows.select_related("listing__current_version")[:SHOWN_QUESTIONS]:
        listing = question.listing
        url = f"{reverse('product_questions', args=[listing.public_id])}#question-{question.pk}"
        about = listing.current_version.title if listing.current_version else str(listing)
        found.append(Todo(_("Answer a question about a product"), about, url, since=question.asked_at))
    return found


def _sent_back(organisation: Organisation, role: str) -> list[Todo]:
    """Manuals the reviewers sent back, as long as no newer version of the product answers them."""
    if not _may(role, "edit_listing"):
        return []
    rows: Any = (
        Version.objects.filter(listing__seller=organisation, state=VersionState.CHANGES_REQUESTED)
        .annotate(newest=Max("listing__versions__number"))
        .filter(number=F("newest"))
        .select_related("listing")
        .order_by("-pk")
    )
    words = _("Rework the manual that was sent back")
    return [
        Todo(words, version.title, reverse("studio_product", args=[version.listing.public_id]))
        for version in rows[:SHOWN_DRAFTS]
    ]
