"""What belongs to a participant, as lists: the first of each on the page of everything, all of them on pages of theirs.

Each of the staff sees the lists their desks show them anyway, and of holds those their desks place or lift.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import F, OuterRef, Q, QuerySet, Subquery
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from compliance.models import Decision, Hold, Review
from listings.models import Listing
from marketplace import journal
from marketplace.models import Organisation
from marketplace.money import Money
from settlement.models import Payout, Trade

SHOWN = 20
# Which desks show what a hold may lie on.
HOLD_DESKS = {
    Hold.Subject.ORGANISATION: frozenset({"organisations"}),
    Hold.Subject.LISTING: frozenset({"organisations", "reviews"}),
    Hold.Subject.TRADE: frozenset({"trades"}),
}
LONG_COLUMNS = [f"current_version__{name}" for name in ("fields", "use_scenarios", "forbidden_uses", "rights")]

Desks = Iterable[str]


def _as_they_are(rows: list[Any]) -> list[Any]:
    return rows


@dataclass(frozen=True)
class PartList:
    """One list: its rows for those who see `desks`, the newest first, and how a page of them is shown."""

    name: str
    title: Promise
    rows: Callable[[Organisation, Desks], QuerySet[Any]]
    desks: frozenset[str] = frozenset({"participants"})
    shown: Callable[[list[Any]], list[Any]] = field(default=_as_they_are)

    @property
    def template(self) -> str:
        return f"admin/desks/_participant_{self.name}.html"


@dataclass(frozen=True)
class First:
    """The first of a list; `url` leads to all of them where there are more."""

    of: PartList
    rows: list[Any]
    url: str


def first(found: Organisation, desks: Desks) -> dict[str, First]:
    """The first of every list of this participant that these desks show."""
    shown = {}
    for name, one in LISTS.items():
        if one.desks.intersection(desks):
            rows = list(one.rows(found, desks)[: SHOWN + 1])
            url = reverse("desk_participant_list", args=[found.public_id, name]) if len(rows) > SHOWN else ""
            shown[name] = First(one, one.shown(rows[:SHOWN]), url)
    return shown


# --- holds ---------------------------------------------------------------------------------------------------------


def _trades_of(found: Organisation) -> QuerySet[Trade]:
    return Trade.objects.filter(Q(seller=found) | Q(buyer=found))


def _holds(found: Organisation, desks: Desks) -> QuerySet[Hold]:
    """Every hold that lies or lay on it, its products or its trades, those that lie first."""
    seen = [kind for kind, showing in HOLD_DESKS.items() if showing.intersection(desks)]
    upon = (
        Q(subject_kind=Hold.Subject.ORGANISATION, subject_id=found.pk)
        | Q(subject_kind=Hold.Subject.LISTING, subject_id__in=found.listings.values("pk"))
        | Q(subject_kind=Hold.Subject.TRADE, subject_id__in=_trades_of(found).values("pk"))
    )
    rows = Hold.objects.filter(upon, subject_kind__in=seen).select_related("placed_by", "lifted_by")
    return rows.order_by(F("lifted_at").desc(nulls_first=True), "-pk")


def _with_subjects(placed: list[Hold]) -> list[dict[str, Any]]:
    """Each hold with what it lies on and where that is looked at."""
    ids = {kind: [hold.subject_id for hold in placed if hold.subject_kind == kind] for kind in Hold.Subject}
    found: dict[str, dict[int, Any]] = {
        Hold.Subject.ORGANISATION: Organisation.objects.in_bulk(ids[Hold.Subject.ORGANISATION]),
        Hold.Subject.LISTING: _with_reviews(Listing.objects.filter(pk__in=ids[Hold.Subject.LISTING])).in_bulk(),
        Hold.Subject.TRADE: Trade.objects.defer("terms", "crossborder").in_bulk(ids[Hold.Subject.TRADE]),
    }
    return [{"hold": hold, "upon": found[hold.subject_kind][hold.subject_id]} for hold in placed]


# --- products, trades, money, people, what was decided and said ----------------------------------------------------


def _with_reviews(rows: QuerySet[Listing]) -> QuerySet[Listing]:
    """Each listing with the id of its newest review, None before the first."""
    newest = Review.objects.filter(version__listing=OuterRef("pk")).order_by("-pk").values("pk")[:1]
    return rows.select_related("current_version").defer(*LONG_COLUMNS).annotate(review=Subquery(newest))


def _products(found: Organisation, desks: Desks) -> QuerySet[Listing]:
    return _with_reviews(found.listings.all()).order_by("-pk")


def _trades(found: Organisation, desks: Desks) -> QuerySet[Trade]:
    rows = _trades_of(found).select_related("seller", "buyer", "version__review")
    return rows.defer("terms", "crossborder").order_by("-pk")


def _payouts(found: Organisation, desks: Desks) -> QuerySet[Payout]:
    return found.payouts.select_related("cycle").order_by("-pk")


def _with_money(payouts: list[Payout]) -> list[tuple[Payout, Money]]:
    return [(payout, Money(payout.amount_minor, payout.currency)) for payout in payouts]


def _people(found: Organisation, desks: Desks) -> QuerySet[Any]:
    return found.memberships.filter(ended_at=None).select_related("user").order_by("pk")


def _decisions(found: Organisation, desks: Desks) -> QuerySet[Decision]:
    return Decision.objects.filter(verification__organisation=found).select_related("by", "second_by").order_by("-pk")


def _notes(found: Organisation, desks: Desks) -> QuerySet[Any]:
    return found.staff_notes.select_related("by")


def _history(found: Organisation, desks: Desks) -> QuerySet[Any]:
    return journal.of(found).order_by("-pk")


LISTS = {
    one.name: one
    for one in (
        PartList("holds", _("Holds"), _holds, frozenset.union(*HOLD_DESKS.values()), _with_subjects),
        PartList("products", _("Products"), _products, frozenset({"reviews", "organisations"})),
        PartList("trades", _("Trades"), _trades, frozenset({"trades"})),
        PartList("payouts", _("Payouts"), _payouts, frozenset({"payments", "clearing"}), _with_money),
        PartList("people", _("People"), _people, frozenset({"organisations"})),
        PartList("decisions", _("Decisions"), _decisions, frozenset({"organisations"})),
        PartList("notes", _("Notes of the staff"), _notes),
        PartList("history", _("From the journal"), _history),
    )
}
