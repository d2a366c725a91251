"""The catalogue's filters as a page and the API show them: each value with its words, its count, and its address."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from listings.filters import SORTS, Filters, prices
from listings.models import Classification, Listing, ProductType, Version
from listings.profiler.quality import GRADES
from listings.shelf import BANDS
from listings.shelf_queries import Counts
from marketplace.models import Organisation
from marketplace.money import format_minor
from marketplace.regions import REGION_NAMES

# The facets that begin open on a wide page.
_OPEN = ("product_type", "sector", "price")
_BY_COUNT = ("region", "merchant")


@dataclass(frozen=True)
class Value:
    """One value of a filter: how many items there would be with it, and whether it is chosen."""

    value: str
    label: str
    count: int
    is_chosen: bool = False


@dataclass(frozen=True)
class Facet:
    """A filter with the values that narrow to anything."""

    name: str
    label: str
    values: list[Value] = field(default_factory=list)

    @property
    def is_open(self) -> bool:
        return self.name in _OPEN or any(value.is_chosen for value in self.values)


def labels() -> dict[str, str]:
    """What the filters are called."""
    return {
        "product_type": _("Type"),
        "sector": _("Sector"),
        "price": _("Price"),
        "frequency": _("Update frequency"),
        "quality": _("Measured quality"),
        "classification": _("Classification"),
        "region": _("Seat of the seller"),
        "channel": _("Delivery"),
        "merchant": _("Merchant"),
    }


def sorts() -> dict[str, str]:
    """What the orders are called."""
    words = (_("Best match"), _("Newest"), _("Lowest price"), _("Best measured quality"))
    return dict(zip(SORTS, words, strict=True))


def of(counts: Counts, filters: Filters) -> list[Facet]:
    """Every filter that has a value to choose, in the order a page shows them. One statement, for merchants' names."""
    merchants = _merchants({*counts.of["merchant"], *filters.merchant})
    facets = []
    for name, label in labels().items():
        counted, chosen = counts.of[name], getattr(filters, name)
        known = _words(name, {*counted, *chosen}) if name != "merchant" else merchants
        values = [
            Value(value, str(words), counted.get(value, 0), value in chosen)
            for value, words in known.items()
            if counted.get(value) or value in chosen
        ]
        if name in _BY_COUNT:
            values.sort(key=lambda one: (not one.is_chosen, -one.count, one.label))
        if values:
            facets.append(Facet(name, label, values))
    return facets


def said(several: Sequence[Filters]) -> list[list[str]]:
    """What each of these narrows to, in words. One statement for all of them, for merchants' names."""
    merchants = _merchants({one for filters in several for one in filters.merchant})
    return [
        [
            str((merchants if name == "merchant" else _words(name, values)).get(value, value))
            for name, values in filters.chosen.items()
            for value in values
        ]
        for filters in several
    ]


def _words(name: str, needed: Collection[str]) -> dict[str, Any]:
    """What the values of a filter are called, in the order a page shows them: at least those that are needed."""
    if name == "price":
        return {value: _price(value) for value in prices() if value in needed}
    if name == "quality":
        return {grade: _grade(grade) for grade in GRADES}
    known: dict[str, dict[str, Any]] = {
        "product_type": dict(ProductType.choices),
        "sector": dict(Version.Sector.choices),
        "region": dict(REGION_NAMES),
        "classification": dict(Classification.choices),
        "frequency": dict(Version.Frequency.choices),
        "channel": {"files": _("As files")} | {name: name for name in settings.CHANNELS if name != "files"},
    }
    return known[name]


def _price(value: str) -> str:
    if value in ("free", "paid"):
        return _("Free") if value == "free" else pgettext("not free", "Paid")
    currency, _dash, band = value.partition("-")
    place = int(band) - 1
    amounts = [format_minor(minor, currency).partition(".")[0] for minor in BANDS]
    if place == 0:
        return _("%(currency)s below %(most)s") % {"currency": currency, "most": amounts[0]}
    if place == len(BANDS):
        return _("%(currency)s %(least)s and more") % {"currency": currency, "least": amounts[-1]}
    return _("%(currency)s %(least)s to %(most)s") % {
        "currency": currency, "least": amounts[place - 1], "most": amounts[place],
    }  # fmt: skip


def _grade(grade: str) -> str:
    least = GRADES[grade]
    if not least:
        floor = GRADES["C"]
        return _("D: below %(percent)s %%") % {"percent": f"{floor * 100:.0f}"}
    return _("%(grade)s: %(percent)s %% and more") % {"grade": grade, "percent": f"{least * 100:.0f}"}


def _merchants(keys: set[str]) -> dict[str, str]:
    sells = Listing.objects.on_sale().filter(seller=OuterRef("pk"))
    sellers = Organisation.objects.filter(Exists(sells), public_id__in=keys)
    names = dict(sellers.values_list("public_id", "name"))
    return {key: names.get(key, key) for key in keys}
