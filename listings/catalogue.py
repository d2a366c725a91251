"""The catalogue: what is on sale, found by words in Chinese and English and by filters, and what a product page shows.

Beside it stands what other exchanges list: found and read like products, never sold here. Every page costs a fixed
number of SQL statements, however much it shows.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.core.paginator import InvalidPage, Page, Paginator
from django.db import connection
from django.db.models import BooleanField, Exists, FloatField, OuterRef, Prefetch
from django.db.models.expressions import RawSQL
from django.db.models.fields.json import KeyTransform

from listings import periods, search_words
from listings.models import (
    CatalogueEntry,
    Classification,
    Listing,
    Offer,
    ProductType,
    Profile,
    Registration,
    Version,
)
from marketplace.errors import Invalid
from marketplace.models import Organisation

ON_A_PAGE = 20
# Nobody reads further; a script asks by filters.
LAST_PAGE = 250


@dataclass(frozen=True)
class Filters:
    """What the reader narrows the catalogue to; '' for everything. Raises Invalid for a value that cannot be."""

    product_type: str = ""
    sector: str = ""
    classification: str = ""
    price: str = ""  # "free" or "paid"
    show: str = ""  # "products", what can be bought here, or "entries", what other exchanges list

    def __post_init__(self) -> None:
        choices: dict[str, list[str]] = {
            "product_type": ProductType.values,
            "sector": Version.Sector.values,
            "classification": Classification.values,
            "price": ["free", "paid"],
            "show": ["products", "entries"],
        }
        for name, known in choices.items():
            if getattr(self, name) and getattr(self, name) not in known:
                detail = f"{name} is one of {', '.join(known)}."
                raise Invalid(detail, code="wrong_filter", reasons=[{"code": f"wrong_{name}", "detail": detail}])


@dataclass(frozen=True)
class Product:
    """Everything a product page shows."""

    listing: Listing
    version: Version
    registration: Registration | None
    profile: Profile | None
    offers: list[Offer] = field(default_factory=list)


def index(listing: Listing) -> None:
    """Make the listing findable by what its current version says, in the caller's transaction."""
    version = listing.current_version
    if version is None:
        return
    sql, values = search_words.vector([(_WEIGHTS[name], text) for name, text in _texts(listing, version).items()])
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE listings_listing SET search = {sql} WHERE id = %s", [*values, listing.pk])  # noqa: S608


_WEIGHTS = {"titles": "A", "names": "B", "summaries": "C", "details": "D"}


def _texts(listing: Listing, version: Version) -> dict[str, str]:
    fields = (f"{entry.get('name', '')} {entry.get('meaning', '')}" for entry in version.fields)
    covered = (
        f"{' '.join(version.coverage_area.values())} {periods.years(version.coverage_from, version.coverage_until)}"
    )
    return {
        "titles": " ".join(version.titles.values()),
        "names": f"{listing.seller.name} {listing.seller.latin_name} {covered}",
        "summaries": " ".join(version.summaries.values()),
        "details": f"{version.use_scenarios} {' '.join(fields)}",
    }


def search(text: str = "", *, filters: Filters | None = None, reader: Organisation | None = None) -> Any:
    """The listed products that match, the best first; without words the newest first.

    Each has `open_offers`, those `reader` may see, and `rows`, how many rows its release has (or None).
    """
    filters = filters or Filters()
    found = Listing.objects.on_sale().select_related("seller", "current_version__registration")
    if filters.product_type:
        found = found.filter(product_type=filters.product_type)
    if filters.sector:
        found = found.filter(current_version__sector=filters.sector)
    if filters.classification:
        found = found.filter(current_version__classification=filters.classification)
    if filters.price:
        asked = Offer.objects.visible_to(reader).filter(listing=OuterRef("pk"))
        asked = asked.filter(price_minor=0) if filters.price == "free" else asked.filter(price_minor__gt=0)
        found = found.filter(Exists(asked))
    found = _matching(found, text, newest=("-listed_at", "-pk"))
    return (
        found.annotate(rows=KeyTransform("rows", "current_version__release__profile__report"))
        .defer("search", *(f"current_version__{name}" for name in _LONG_COLUMNS))
        .prefetch_related(Prefetch("offers", Offer.objects.visible_to(reader).defer("terms"), to_attr="open_offers"))
    )


_LONG_COLUMNS = ("fields", "use_scenarios", "forbidden_uses", "source_statement", "rights")


@dataclass(frozen=True)
class Found:
    """What the catalogue holds of what was asked for: products first, then what other exchanges list."""

    products: Any
    entries: Any
    show: str = ""

    @cached_property
    def product_count(self) -> int:
        return int(self.products.count())

    @cached_property
    def entry_count(self) -> int:
        return int(self.entries.count())

    def count(self) -> int:
        """How many are shown."""
        return self.product_count * (self.show != "entries") + self.entry_count * (self.show != "products")

    def __len__(self) -> int:
        return self.count()

    def __getitem__(self, wanted: slice) -> list[Listing | CatalogueEntry]:
        """The wanted part of the products, then of the entries."""
        shown = self.product_count if self.show != "entries" else 0
        part: list[Listing | CatalogueEntry] = list(self.products[wanted]) if wanted.start < shown else []
        if self.show != "products" and wanted.stop > shown:
            part += self.entries[max(0, wanted.start - shown) : wanted.stop - shown]
        return part


def browse(text: str = "", *, filters: Filters | None = None, reader: Organisation | None = None) -> Found:
    """Products and entries that match; what only products have, classification and price, leaves no entry."""
    filters = filters or Filters()
    entries = CatalogueEntry.objects.shown().select_related("last_reading").defer("search", "details")
    if filters.product_type:
        entries = entries.filter(product_type=filters.product_type)
    if filters.sector:
        entries = entries.filter(sector=filters.sector)
    if filters.classification or filters.price:
        entries = entries.none()
    return Found(search(text, filters=filters, reader=reader), _matching(entries, text, newest=("-pk",)), filters.show)


def entry(public_id: str) -> CatalogueEntry | None:
    """An entry as anybody sees it; None where there is none or it was withdrawn."""
    shown = CatalogueEntry.objects.shown().filter(public_id=public_id)
    return shown.select_related("first_reading", "last_reading").defer("search").first()


def _matching(found: Any, text: str, *, newest: tuple[str, ...]) -> Any:
    if not text.strip():
        return found.order_by(*newest)
    asked = search_words.question(text)
    if not asked:
        return found.none()
    query, values = search_words.query(asked)
    column = f'"{found.model._meta.db_table}"."search"'
    # `query` holds placeholders only; every word is a parameter.
    matches = RawSQL(f"{column} @@ ({query})", values, output_field=BooleanField())  # noqa: S611
    rank = RawSQL(f"ts_rank({column}, {query})", values, output_field=FloatField())  # noqa: S611
    return found.filter(matches).annotate(rank=rank).order_by("-rank", *newest)


def says(text: str) -> RawSQL | None:
    """The condition that the listing in a query says these words, in any state; None where there is no word."""
    asked = search_words.question(text)
    if not asked:
        return None
    query, values = search_words.query(asked)
    # `query` holds placeholders only; every word is a parameter.
    return RawSQL(f'"listings_listing"."search" @@ ({query})', values, output_field=BooleanField())  # noqa: S611


def page_of(found: Any, number: str) -> Page:
    """One page of a search; the first for nonsense, the last for what lies beyond."""
    paginator = Paginator(found, ON_A_PAGE)
    try:
        wanted = paginator.validate_number(number)
    except InvalidPage:
        wanted = paginator.num_pages if number.strip("0").isdecimal() else 1
    return paginator.page(max(1, min(wanted, LAST_PAGE, paginator.num_pages)))


def product(public_id: str, *, reader: Organisation | None) -> Product | None:
    """What the product page shows this reader; None where there is nothing they may see.

    The seller sees its own product in any state once a version was registered.
    """
    listing = (
        Listing.objects.visible_to(reader)
        .filter(public_id=public_id, current_version__isnull=False)
        .select_related("seller", "current_version__release__profile", "current_version__registration")
        .defer("search")
        .first()
    )
    if listing is None or listing.current_version is None:
        return None
    version = listing.current_version
    return Product(
        listing=listing,
        version=version,
        registration=getattr(version, "registration", None),
        profile=getattr(version.release, "profile", None),
        offers=list(Offer.objects.visible_to(reader).filter(listing=listing)),
    )
