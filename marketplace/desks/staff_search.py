"""One box for the staff: a number, a name, an address or a title; each role finds what its desks open.

Numbers are looked up by their indexes, whole or by how they begin; names in either Chinese script. Each kind of thing
is one statement and at most SHOWN of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.db.models import F, Func, Q, TextField, Value
from django.db.models.functions import Cast
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from compliance import review_targets
from compliance.models import Review
from listings import catalogue, search_words
from listings.models import Listing, Registration
from marketplace import roles
from marketplace.desk_pages import desks_of, frame_of
from marketplace.models import Organisation, Paper, User
from marketplace.signed_in import person
from settlement.models import Payment, Payout, Refund, Trade

SHOWN = 10  # of each kind
SHORTEST, LONGEST = 2, 100
LONG_COLUMNS = ("fields", "use_scenarios", "forbidden_uses", "rights", "source_statement")


@dataclass(frozen=True)
class Hit:
    """Something found: where it is looked at, and whether what was typed is its whole number."""

    title: str
    detail: str
    url: str
    is_exact: bool = False


@dataclass(frozen=True)
class Group:
    """What was found of one kind, exact numbers first."""

    label: Promise
    hits: list[Hit]

    @property
    def is_full(self) -> bool:
        return len(self.hits) >= SHOWN


Finder = Callable[[str, User], list[Hit]]


def find(text: str, by: User) -> list[Group]:
    """All that this member of the staff may open and that `text` names; kinds with an exact number first."""
    seen = set(desks_of(by))
    groups = [
        Group(label, sorted(finder(text, by), key=lambda hit: not hit.is_exact)[:SHOWN])
        for label, desks, finder in FINDERS
        if seen & desks
    ]
    found = [group for group in groups if group.hits]
    return sorted(found, key=lambda group: not group.hits[0].is_exact)


@login_required
@never_cache
@require_safe
def staff_search(request: HttpRequest) -> HttpResponse:
    """What the box of the desks found."""
    by = person(request)
    if not by.is_staff:
        raise Http404
    asked = " ".join(request.GET.get("q", "").replace("\0", " ").split())[:LONGEST]
    is_long_enough = len(asked) >= SHORTEST
    context = {
        "search_asked": asked,
        "groups": find(asked, by) if is_long_enough else [],
        "is_too_short": bool(asked) and not is_long_enough,
        "kinds": [label for label, desks, _finder in FINDERS if set(desks_of(by)) & desks],
    }
    return render(request, "admin/desks/search.html", frame_of(request) | context)


def _in_either_script(field: str, text: str) -> Func:
    """The field with its traditional characters made simplified, as far as `text` has them."""
    traditional, simplified = search_words.twins(text)
    return Func(
        Cast(F(field), TextField()),
        Value(traditional),
        Value(simplified),
        function="translate",
        output_field=TextField(),
    )


def _participants(text: str, by: User) -> list[Hit]:
    folded = search_words.folded(text)
    numbers = {text, text.upper(), re.sub(r"[\s-]", "", text.upper())}
    rows = Organisation.objects.annotate(folded=_in_either_script("name", folded)).filter(
        Q(folded__icontains=folded)
        | Q(latin_name__icontains=folded)
        | Q(number_kind__in=Organisation.NumberKind.values, registration_number__in=numbers)
        | Q(public_id=text)
    )
    return [
        Hit(
            row.shown_name,
            " · ".join(part for part in (row.other_name, row.registration_number, row.country) if part),
            reverse("desk_participant", args=[row.public_id]),
            is_exact=row.registration_number in numbers or text == row.public_id,
        )
        for row in rows.order_by("name", "pk")[:SHOWN]
    ]


def _people(text: str, by: User) -> list[Hit]:
    """By how their e-mail address begins."""
    rows = User.objects.filter(email__startswith=text.lower()).prefetch_related("memberships__organisation")
    hits = []
    for row in rows.order_by("email")[:SHOWN]:
        houses = [one.organisation for one in row.memberships.all() if one.ended_at is None]
        if roles.staff_may(by, "look_everywhere"):
            url = reverse("admin:marketplace_user_change", args=[row.pk])
        elif houses:
            url = reverse("desk_participant", args=[houses[0].public_id])
        else:
            continue
        words = [row.name, *(house.shown_name for house in houses[:3])]
        detail = " · ".join(word for word in words if word)
        hits.append(Hit(row.email, detail, url, is_exact=row.email == text.lower()))
    return hits


def _products(text: str, by: User) -> list[Hit]:
    rows = Listing.objects.filter(pk__in=list(catalogue.saying(text)[:SHOWN]))
    rows = rows.select_related("seller", "current_version__review")
    return [
        Hit(
            row.current_version.title,
            f"{row.seller.shown_name} · {row.get_state_display()}",
            reverse("desk_review", args=[row.current_version.review.pk]),
        )
        for row in rows.defer(*(f"current_version__{name}" for name in LONG_COLUMNS)).order_by("-pk")
        if row.current_version and hasattr(row.current_version, "review")
    ]


def _reviews(text: str, by: User) -> list[Hit]:
    """Those not decided yet, by title; a decided one is found by its product."""
    folded = search_words.folded(text)
    rows = Review.objects.filter(state__in=review_targets.UNDECIDED).select_related("version__listing__seller")
    rows = rows.annotate(folded=_in_either_script("version__titles", folded)).filter(folded__icontains=folded)
    return [
        Hit(
            row.version.title,
            f"{row.version.listing.seller.shown_name} · {row.get_state_display()}",
            reverse("desk_review", args=[row.pk]),
        )
        for row in rows.defer(*(f"version__{name}" for name in LONG_COLUMNS)).order_by("due_at", "pk")[:SHOWN]
    ]


def _registrations(text: str, by: User) -> list[Hit]:
    rows = Registration.objects.filter(number__startswith=text.upper()).select_related("version__review", "holder")
    return [
        Hit(
            row.number,
            f"{row.version.title} · {row.holder.shown_name}",
            reverse("desk_review", args=[row.version.review.pk]),
            is_exact=row.number == text.upper(),
        )
        for row in rows.defer("rights", "source_statement")[:SHOWN]
        if hasattr(row.version, "review")
    ]


def _trades(text: str, by: User) -> list[Hit]:
    # In no order, so that PostgreSQL never walks the table from its end instead of asking the number's index.
    rows = Trade.objects.order_by().filter(Q(register_number__startswith=text.upper()) | Q(public_id=text.lower()))
    return [
        Hit(
            str(row),
            f"{row.version.title} · {row.seller.shown_name} → {row.buyer.shown_name} · {row.get_state_display()}",
            reverse("desk_trade", args=[row.public_id]),
            is_exact=text.upper() == row.register_number or text.lower() == row.public_id,
        )
        for row in rows.select_related("version", "seller", "buyer").defer("terms", "crossborder")[:SHOWN]
    ]


def _papers(text: str, by: User) -> list[Hit]:
    rows = Paper.objects.filter(number__startswith=text.upper()).defer("record")
    return [
        Hit(
            row.number,
            f"{row.get_kind_display()} · {row.title}",
            reverse("desk_paper", args=[row.number]),
            is_exact=row.number == text.upper(),
        )
        for row in rows[:SHOWN]
    ]


def _payments(text: str, by: User) -> list[Hit]:
    """By our key or the gateway's reference, whole."""
    ours = Q(key=text) | Q(gateway__in=list(settings.GATEWAYS), reference=text)
    paid = Payment.objects.filter(ours).select_related("trade").order_by()[:SHOWN]
    hits = [
        Hit(
            row.reference or row.key,
            f"{_('Payment')} · {row.trade} · {row.get_state_display()}",
            reverse("desk_trade", args=[row.trade.public_id]),
            is_exact=True,
        )
        for row in paid
    ]
    for refund in Refund.objects.filter(key=text).select_related("trade"):
        refunds = f"{reverse('desk_payments')}?show=refunds"
        url = reverse("desk_trade", args=[refund.trade.public_id]) if refund.trade else refunds
        hits.append(Hit(refund.key, f"{_('Refund')} · {refund.get_state_display()}", url, is_exact=True))
    return hits


def _payouts(text: str, by: User) -> list[Hit]:
    rows = Payout.objects.filter(key=text).select_related("organisation", "cycle")
    return [
        Hit(
            row.key,
            f"{row.organisation.shown_name} · {row.get_state_display()}",
            reverse("desk_cycle", args=[row.cycle.number]),
            is_exact=True,
        )
        for row in rows
    ]


# What is found, and the desks whose people may open it.
FINDERS: list[tuple[Promise, set[str], Finder]] = [
    (gettext_lazy("Participants"), {"participants"}, _participants),
    (gettext_lazy("People"), {"organisations"}, _people),
    (gettext_lazy("Products"), {"reviews"}, _products),
    (gettext_lazy("Reviews"), {"reviews"}, _reviews),
    (gettext_lazy("Registrations"), {"reviews"}, _registrations),
    (gettext_lazy("Trades"), {"trades"}, _trades),
    (gettext_lazy("Papers"), {"papers"}, _papers),
    (gettext_lazy("Payments"), {"payments"}, _payments),
    (gettext_lazy("Payouts"), {"clearing"}, _payouts),
]
