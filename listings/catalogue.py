"""The catalogue: what is on sale, found by words in Chinese and English and by filters, and what a product page shows.

Beside it stands what other exchanges list: found and read like products, never sold here. Every page costs a fixed
number of SQL statements, however much it shows.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.core.paginator import InvalidPage, Page, Paginator
from django.db.models import BooleanField, Exists, F, OuterRef, Prefetch, QuerySet
from django.db.models.expressions import RawSQL

from listings import samples, search_question, shelf_cards, shelf_queries
from listings.filters import Filters
from listings.models import (
    CatalogueEntry,
    Listing,
    Offer,
    Profile,
    PublishedSample,
    Registration,
    ShelfItem,
    Version,
)
from listings.search_question import Question
from listings.shelf_queries import Asked, Counts
from marketplace.models import Organisation

ON_A_PAGE = 20
# Nobody reads further; a script asks by filters.
LAST_PAGE = 250


@dataclass(frozen=True)
class Product:
    """Everything a product page shows."""

    listing: Listing
    version: Version
    registration: Registration | None
    profile: Profile | None
    offers: list[Offer] = field(default_factory=list)
    # Why this reader sees no row before buying; '' where they do.
    rows_withheld: str = ""
    # What the seller lets this reader download.
    sample: list[samples.Table] = field(default_factory=list)


# --- searching -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Found:
    """What the catalogue holds of what was asked for: products first, then what other exchanges list."""

    asked: Asked
    sort: str
    # Nothing says every word; these say some.
    is_some: bool = False
    # What was typed holds no word.
    is_nothing: bool = False

    @property
    def question(self) -> Question:
        return self.asked.question

    @cached_property
    def counts(self) -> Counts:
        return Counts(of={name: {} for name in shelf_queries.COLUMNS}) if self.is_nothing else _counts(self.asked)

    @property
    def product_count(self) -> int:
        return self.counts.products

    @property
    def entry_count(self) -> int:
        return self.counts.entries

    def count(self) -> int:
        """How many are shown."""
        show = self.asked.filters.show
        return self.product_count * (show != "entries") + self.entry_count * (show != "products")

    def __len__(self) -> int:
        return self.count()

    def __getitem__(self, wanted: slice) -> list[Listing | CatalogueEntry]:
        """The wanted part; products as `shelf_cards.of` reads them."""
        if self.is_nothing:
            return []
        start = wanted.start or 0
        rows = shelf_queries.page(self.asked, sort=self.sort, start=start, count=wanted.stop - start)
        products = shelf_cards.of([pk for pk, _entry in rows if pk], self.asked.reader)
        entries = _entries([pk for _listing, pk in rows if pk])
        found = [products.get(listing) if listing else entries.get(entry or 0) for listing, entry in rows]
        return [one for one in found if one is not None]


def browse(
    text: str = "",
    *,
    filters: Filters | None = None,
    reader: Organisation | None = None,
    sort: str = "best",
    is_as_typed: bool = False,
) -> Found:
    """Products and entries that match, the best first; without words the newest.

    What only products have, such as a price, leaves no entry. Where nothing holds every word, what holds some is found.
    """
    question = search_question.read(text, is_as_typed=is_as_typed)
    asked = Asked(question, filters or Filters(), reader)
    found = Found(asked, sort, is_nothing=bool(text.strip()) and not question)
    if len(question.words) > 1 and not found.counts.matches:
        return Found(replace(asked, is_any=True), sort, is_some=True)
    return found


def newest(count: int, *, reader: Organisation | None = None) -> list[Any]:
    """The products last put on sale."""
    return Found(Asked(Question(), Filters(show="products"), reader), "newest")[:count]


def _counts(asked: Asked) -> Counts:
    """How many there are; where no filter is chosen they may be a minute old."""
    if asked.filters != Filters():
        return shelf_queries.counts(asked)
    words = hashlib.sha256(f"{asked.is_any} {asked.question.words}".encode()).hexdigest()
    key = f"catalogue-counts:{asked.reader.pk if asked.reader else 'anyone'}:{words}"
    counted: Counts | None = cache.get(key)
    if counted is None:
        counted = shelf_queries.counts(asked)
        cache.set(key, counted, settings.CATALOGUE_COUNTS_SECONDS)
    return counted


_HAS_SAMPLE = Exists(PublishedSample.objects.standing().filter(listing=OuterRef("pk")))


def _entries(pks: list[int]) -> dict[int, CatalogueEntry]:
    if not pks:
        return {}
    found = CatalogueEntry.objects.shown().filter(pk__in=pks).select_related("last_reading").defer("details")
    return {entry.pk: entry for entry in found}


def saying(text: str) -> QuerySet[ShelfItem, int | None]:
    """The ids of the listings, in any state, that say these words."""
    question = search_question.read(text)
    if not question:
        return ShelfItem.objects.none().values_list("listing", flat=True)
    sql, values = question.wide()
    # `sql` holds placeholders only; every word is a parameter.
    matches = RawSQL(f'"search" @@ {sql}', values, output_field=BooleanField())  # noqa: S611
    return ShelfItem.objects.filter(matches, listing__isnull=False).values_list("listing", flat=True)


def page_of(found: Any, number: str) -> Page:
    """One page of a search; the first for nonsense, the last for what lies beyond."""
    paginator = Paginator(found, ON_A_PAGE)
    try:
        wanted = paginator.validate_number(number)
    except InvalidPage:
        wanted = paginator.num_pages if number.strip("0").isdecimal() else 1
    return paginator.page(max(1, min(wanted, LAST_PAGE, paginator.num_pages)))


# --- one product, one entry ----------------------------------------------------------------------------------------


def entry(public_id: str) -> CatalogueEntry | None:
    """An entry as anybody sees it; None where there is none or it was withdrawn."""
    shown = CatalogueEntry.objects.shown().filter(public_id=public_id)
    return shown.select_related("first_reading", "last_reading").first()


def product(public_id: str, *, reader: Organisation | None) -> Product | None:
    """What the product page shows this reader; None where there is nothing they may see.

    The seller sees its own product in any state once a version was registered.
    """
    return next(iter(products([public_id], reader=reader)), None)


def _offers_for(reader: Organisation | None) -> QuerySet[Offer]:
    """What this reader may take: trials after what they are trials of."""
    offers = Offer.objects.visible_to(reader).select_related("converts_to")
    return offers.order_by(F("converts_to").asc(nulls_first=True), "price_minor", "pk")


def products(public_ids: list[str], *, reader: Organisation | None) -> list[Product]:
    """What product pages show this reader, in this order; what they may not see is left out. Three statements."""
    found = {
        listing.public_id: listing
        for listing in Listing.objects.visible_to(reader)
        .filter(public_id__in=public_ids, current_version__isnull=False)
        .select_related("seller", "current_version__release__profile", "current_version__registration")
        .prefetch_related(Prefetch("offers", _offers_for(reader), to_attr="open_offers"))
        .annotate(has_sample=_HAS_SAMPLE)
    }
    return [_product(found[one], reader) for one in public_ids if one in found]


def _product(listing: Any, reader: Organisation | None) -> Product:
    version = listing.current_version
    version.listing = listing
    withheld = str(samples.rows_withheld(version, reader))
    return Product(
        listing=listing,
        version=version,
        registration=getattr(version, "registration", None),
        profile=getattr(version.release, "profile", None),
        offers=listing.open_offers,
        rows_withheld=withheld,
        sample=samples.tables_of(version.release) if listing.has_sample and not withheld else [],
    )
