"""The numbers of a seller's products, as plots beside tables and as CSV: from a look to a renewal, and revenue."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_safe

from listings import studio
from listings.models import Listing
from marketplace import marks, plots, roles
from marketplace.models import Organisation
from marketplace.money import Money, format_minor
from marketplace.participants import acting_organisation
from marketplace.signed_in import person
from marketplace.spreadsheets import safe_cell
from settlement import seller_numbers
from settlement.papers import plain_amount
from settlement.seller_numbers import Earned, Numbers, Steps

SHOWN_PRODUCTS = 100
STEPS = [one.name for one in fields(Steps)]


@login_required
@require_safe
def numbers(request: HttpRequest, public_id: str = "") -> HttpResponse:
    """Of all the organisation sells, or of one product; revenue only for roles that see money."""
    seller, listing = _asked(request, public_id)
    sees_money = roles.may(person(request), seller, "see_money")
    found = seller_numbers.of(seller, listing=listing, with_money=sees_money)
    context = {
        "seller": seller,
        "listing": listing,
        "title": _title(listing) if listing else "",
        "has_any": bool(found.steps or found.earned),
        "whole": _whole(found.whole()),
        "months": _months(found),
        "seen_label": _labels()[0],
        "products": [] if listing else _products(seller, found),
        "sees_money": sees_money,
        "revenue": [_revenue(currency, rows) for currency, rows in found.by_currency().items()],
    }
    return render(request, "settlement/numbers.html", context)


@login_required
@require_safe
def numbers_csv(request: HttpRequest, what: str, public_id: str = "") -> HttpResponse:
    """By month and product, for a spreadsheet: `steps`, or `revenue` for roles that see money."""
    seller, listing = _asked(request, public_id)
    if what not in ("steps", "revenue"):
        raise Http404
    if what == "revenue":
        roles.require(person(request), seller, "see_money")
    found = seller_numbers.of(seller, listing=listing, with_money=what == "revenue")
    ids = {key[1] for key in [*found.steps, *found.earned]}
    named = {one.pk: one for one in _own(seller).filter(pk__in=ids)}
    rows = _steps_rows(found, named) if what == "steps" else _revenue_rows(found, named)
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    answer = HttpResponse(text.getvalue().encode("utf-8-sig"), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{what}.csv"'
    return answer


def _asked(request: HttpRequest, public_id: str) -> tuple[Organisation, Listing | None]:
    return acting_organisation(request), studio.own_listing(request, public_id) if public_id else None


def _own(seller: Organisation) -> Any:
    return Listing.objects.sold_by(seller).select_related("current_version")


def _title(listing: Listing) -> str:
    return listing.current_version.title if listing.current_version else str(listing)


# --- as pages ------------------------------------------------------------------------------------------------------


def _labels() -> list[str]:
    """The steps in words, in their order."""
    return [
        pgettext("how often a product was", "Seen"),
        pgettext("how often a product was", "Opened"),
        pgettext("how often a product was", "Sampled"),
        pgettext("how often a product was", "Tried"),
        pgettext("how often a product was", "Converted"),
        pgettext("how often a product was", "Ordered"),
        pgettext("how often a product was", "Renewed"),
    ]


def _whole(steps: Steps) -> list[plots.Bar]:
    """One bar for each step, and how many of the step before it are; sampling and trying may be skipped, so orders are
    of pages opened."""
    counts = {name: getattr(steps, name) for name in STEPS}
    before = {
        "opened": "seen", "sampled": "opened", "tried": "opened", "converted": "tried", "ordered": "opened",
        "renewed": "ordered",
    }  # fmt: skip
    shares = [_share(counts[name], counts[before[name]]) if name in before else "" for name in STEPS]
    rows = zip(_labels(), counts.values(), shares, strict=True)
    heading = _("Of the step before")
    return [
        plots.Bar(label, number, plots.length(number, list(counts.values())), {heading: share})
        for label, number, share in rows
    ]


def _share(number: int, of: int) -> str:
    return marks.percent(f"{100 * number / of:.1f}") if of else ""


def _months(found: Numbers) -> list[plots.Bar]:
    by_month = found.by_month()
    seen = [steps.seen for _month, steps in by_month]
    return [
        plots.Bar(
            _month(month),
            steps.seen,
            plots.length(steps.seen, seen),
            {label: f"{getattr(steps, name):,}" for label, name in zip(_labels()[1:], STEPS[1:], strict=True)},
        )
        for month, steps in by_month
    ]


def _month(day: Any) -> str:
    return date_format(day, "YEAR_MONTH_FORMAT")


def _products(seller: Organisation, found: Numbers) -> list[dict[str, Any]]:
    """The products with most orders, then most looks; SHOWN_PRODUCTS at most."""
    by_product = found.by_product()
    ranked = sorted(by_product, key=lambda pk: (-by_product[pk].ordered, -by_product[pk].opened, pk))[:SHOWN_PRODUCTS]
    named = {one.pk: one for one in _own(seller).filter(pk__in=ranked)}
    return [
        {
            "listing": named[pk],
            "title": _title(named[pk]),
            "cells": list(zip(_labels(), (getattr(by_product[pk], name) for name in STEPS), strict=True)),
        }
        for pk in ranked
    ]


def _revenue(currency: str, rows: list[tuple[Any, Earned]]) -> dict[str, Any]:
    """One currency: its bars by month, and the sums of all months."""
    grosses = [one.gross_minor for _month, one in rows]
    headings = [_("Gross"), _("Fee"), _("Net")]
    bars = [
        plots.Bar(
            _month(month),
            one.trades,
            plots.length(one.gross_minor, grosses),
            {label: _amount(minor, currency) for label, minor in zip(headings, _parts(one), strict=True)},
        )
        for month, one in rows
    ]
    sums = [sum(parts) for parts in zip(*(_parts(one) for _month, one in rows), strict=True)]
    gross, fee, net = (Money(minor, currency) for minor in sums)
    return {"currency": currency, "bars": bars, "gross": gross, "fee": fee, "net": net}


def _parts(earned: Earned) -> tuple[int, int, int]:
    return earned.gross_minor, earned.fee_minor, earned.net_minor


def _amount(minor: int, currency: str) -> str:
    return format_minor(minor, currency) if minor else ""


# --- as CSV --------------------------------------------------------------------------------------------------------


def _steps_rows(found: Numbers, named: dict[int, Listing]) -> Iterable[list[Any]]:
    yield ["month", "product", "title", *STEPS]
    for (month, pk), steps in sorted(found.steps.items()):
        yield [*_about(month, named[pk]), *(getattr(steps, name) for name in STEPS)]


def _revenue_rows(found: Numbers, named: dict[int, Listing]) -> Iterable[list[Any]]:
    yield ["month", "product", "title", "currency", "trades", "gross", "fee", "net"]
    for (month, pk, currency), one in sorted(found.earned.items()):
        amounts = (plain_amount(minor, currency) for minor in _parts(one))
        yield [*_about(month, named[pk]), currency, one.trades, *amounts]


def _about(month: Any, listing: Listing) -> list[str]:
    return [f"{month:%Y-%m}", safe_cell(listing.public_id), safe_cell(_title(listing))]
