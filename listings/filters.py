"""What a reader narrows the catalogue to, and in which order it is shown."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields

from django.conf import settings
from django.http import QueryDict
from django.utils.translation import gettext as _

from listings.models import Classification, ProductType, Version
from listings.profiler.quality import GRADES
from listings.shelf import BANDS
from marketplace.errors import Invalid
from marketplace.regions import REGION_NAMES

SORTS = ("best", "newest", "price", "quality")
MOST_VALUES = 30  # of one filter
_LONGEST_MERCHANT = 300


def prices() -> list[str]:
    """Free, paid, and the bands of each currency, as the shelf names them."""
    return ["free", "paid", *(f"{currency}-{n}" for currency in settings.CURRENCIES for n in range(1, len(BANDS) + 2))]


def known_values() -> dict[str, list[str]]:
    """The values each filter takes, but for `merchant`, which takes any."""
    return {
        "product_type": list(ProductType.values),
        "sector": list(Version.Sector.values),
        "region": list(REGION_NAMES),
        "classification": [value for value in Classification.values if value != Classification.CORE],
        "price": prices(),
        "frequency": list(Version.Frequency.values),
        "channel": list(settings.CHANNELS),
        "quality": list(GRADES),
    }


@dataclass(frozen=True)
class Filters:
    """Of each filter the values of which one must hold; none for everything. Raises Invalid for one that cannot be."""

    product_type: tuple[str, ...] = ()
    sector: tuple[str, ...] = ()
    region: tuple[str, ...] = ()
    classification: tuple[str, ...] = ()
    price: tuple[str, ...] = ()  # of the offers the reader may see
    frequency: tuple[str, ...] = ()
    channel: tuple[str, ...] = ()
    quality: tuple[str, ...] = ()  # the grade of what was measured
    merchant: tuple[str, ...] = ()  # the seller's public_id; of an entry the name as given
    show: str = ""  # "products", what can be bought here, or "entries", what other exchanges list

    def __post_init__(self) -> None:
        for name in NARROWING:
            self._check(name, getattr(self, name))
        if self.show not in ("", "products", "entries"):
            self._refuse("show", _one_of("show", ("products", "entries")))

    def _check(self, name: str, values: tuple[str, ...]) -> None:
        if len(values) > MOST_VALUES:
            self._refuse(name, _("%(name)s takes at most %(most)s values.") % {"name": name, "most": MOST_VALUES})
        if name == "merchant":
            if any(not value or len(value) > _LONGEST_MERCHANT or "\0" in value for value in values):
                self._refuse(name, _("merchant is the public_id of a seller, or the name of an entry's merchant."))
        elif values and not set(values) <= set(known := known_values()[name]):
            self._refuse(name, _one_of(name, known))

    def _refuse(self, name: str, detail: str) -> None:
        raise Invalid(detail, code="wrong_filter", reasons=[{"code": f"wrong_{name}", "detail": detail}])

    @property
    def chosen(self) -> dict[str, tuple[str, ...]]:
        """The filters that narrow, by name, without `show`."""
        return {name: getattr(self, name) for name in NARROWING if getattr(self, name)}

    @classmethod
    def asked(cls, query: QueryDict) -> Filters:
        """The filters of a query string, a value for each time its name is given; '' is none. Raises Invalid."""
        given = {name: tuple(dict.fromkeys(one for one in query.getlist(name) if one)) for name in NARROWING}
        return cls(**given, show=query.get("show", ""))


NARROWING = tuple(one.name for one in fields(Filters) if one.name != "show")


def _one_of(name: str, known: Iterable[str]) -> str:
    return _("%(name)s is one of %(known)s.") % {"name": name, "known": ", ".join(known)}


def sort_of(asked: str) -> str:
    """The order asked for, "best" for none. Raises Invalid."""
    if asked and asked not in SORTS:
        detail = _one_of("sort", SORTS)
        raise Invalid(detail, code="wrong_filter", reasons=[{"code": "wrong_sort", "detail": detail}])
    return asked or SORTS[0]
