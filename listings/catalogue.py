"""The catalogue: what is on sale, found by words in Chinese and English and by filters, and what a product page shows.

Every page costs a fixed number of SQL statements, however much it shows.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.core.paginator import InvalidPage, Page, Paginator
from django.db import connection
from django.db.models import BooleanField, Exists, FloatField, OuterRef, Prefetch
from django.db.models.expressions import RawSQL
from django.db.models.fields.json import KeyTransform

from listings import search_words
from listings.models import Classification, Listing, Offer, ProductType, Profile, Registration, Version
from marketplace.errors import Invalid
from marketplace.models import Organisation

ON_A_PAGE = 20
# Nobody reads further; a script asks by filters.
LAST_PAGE = 250
# How much of a text is searched: a tsvector holds at most 1 MiB.
LONGEST_INDEXED = 20_000

_VECTOR = "setweight(to_tsvector('english', %s), %s) || setweight(to_tsvector('simple', %s), %s) || %s::tsvector"
_QUERY = "(plainto_tsquery('english', %s) || plainto_tsquery('simple', %s))"


@dataclass(frozen=True)
class Filters:
    """What the reader narrows the catalogue to; '' for everything. Raises Invalid for a value that cannot be."""

    product_type: str = ""
    sector: str = ""
    classification: str = ""
    price: str = ""  # "free" or "paid"

    def __post_init__(self) -> None:
        choices: dict[str, list[str]] = {
            "product_type": ProductType.values,
            "sector": Version.Sector.values,
            "classification": Classification.values,
            "price": ["free", "paid"],
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
    parts = [(_WEIGHTS[name], text[:LONGEST_INDEXED]) for name, text in _texts(listing, version).items()]
    values: list[Any] = []
    for weight, text in parts:
        rest = search_words.without_han(text)
        values += [rest, weight, rest, weight, search_words.han_vector(text, weight)]
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE listings_listing SET search = {' || '.join([_VECTOR] * len(parts))} WHERE id = %s",  # noqa: S608
            [*values, listing.pk],
        )


_WEIGHTS = {"titles": "A", "names": "B", "summaries": "C", "details": "D"}


def _texts(listing: Listing, version: Version) -> dict[str, str]:
    fields = (f"{entry.get('name', '')} {entry.get('meaning', '')}" for entry in version.fields)
    return {
        "titles": " ".join(version.titles.values()),
        "names": f"{listing.seller.name} {listing.seller.latin_name} {version.coverage_area} {version.coverage_time}",
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
    found = _matching(found, text)
    return (
        found.annotate(rows=KeyTransform("rows", "current_version__release__profile__report"))
        .defer("search", *(f"current_version__{name}" for name in _LONG_COLUMNS))
        .prefetch_related(Prefetch("offers", Offer.objects.visible_to(reader).defer("terms"), to_attr="open_offers"))
    )


_LONG_COLUMNS = ("fields", "use_scenarios", "forbidden_uses", "source_statement", "rights")


def _matching(found: Any, text: str) -> Any:
    if not text.strip():
        return found.order_by("-listed_at", "-pk")
    asked = search_words.question(text)
    if not asked:
        return found.none()
    terms, values = [], []
    if asked.han:
        terms.append("%s::tsquery")
        values.append(asked.han)
    if asked.rest:
        terms.append(_QUERY)
        values += [asked.rest, asked.rest]
    query = " && ".join(terms)
    # `terms` holds placeholders only; every word is a parameter.
    matches = RawSQL(f'"listings_listing"."search" @@ ({query})', values, output_field=BooleanField())  # noqa: S611
    rank = RawSQL(f'ts_rank("listings_listing"."search", {query})', values, output_field=FloatField())  # noqa: S611
    return found.filter(matches).annotate(rank=rank).order_by("-rank", "-listed_at", "-pk")


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
