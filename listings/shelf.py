"""Keeps the catalogue's shelf: one narrow row for each product and entry, made from what they are.

The row holds what is searched and what is narrowed by, so that a hundred thousand are counted without reading a
manual. Whoever changes a product calls `put` (or `index`, when its words changed) in the same transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet

from listings import periods, pricing, search_words, spelling
from listings.catalogue_columns import frequency_of
from listings.models import CatalogueEntry, Listing, ShelfItem, Version
from listings.profiler.quality import GRADES
from marketplace import clock
from marketplace.models import Organisation

# A paid offer's band by its price in minor units: up to a thousand, ten thousand, a hundred thousand, beyond.
BANDS = (100_000, 1_000_000, 10_000_000)
REPRICED_AT_ONCE = 100

# Offers with what they cost at a moment, asked for twice as a parameter; `price_minor` is less the discount in force.
_LEAST = "(o.steps->0->>'from_quantity')::bigint"
_LEAST_UNIT = "(o.steps->0->>'unit_price_minor')::bigint"
OFFERS_NOW = f"""(
    SELECT o.id, o.listing_id, o.channel, o.currency, o.audience, o.closed_at, o.converts_to_id, CASE o.steps
        WHEN '[]' THEN {pricing.less_sql("o.price_minor", "d")}
        ELSE {_LEAST} * {pricing.less_sql(_LEAST_UNIT, "d")} END AS price_minor
    FROM listings_offer o LEFT JOIN listings_discount d
        ON d.offer_id = o.id AND d.valid_from <= %s AND least(d.valid_until, d.ended_at) > %s
)"""  # noqa: S608
# The prices of an offer `o` of `OFFERS_NOW` as the shelf names them.
PRICES_OF_OFFER = (
    "CASE WHEN o.price_minor = 0 THEN '{free}'::varchar[] ELSE ARRAY['paid', o.currency || '-' || "
    f"(1 + {' + '.join(f'(o.price_minor >= {band})::int' for band in BANDS)})] END"
)
_GRADE = " ".join(f"WHEN quality >= {least} THEN '{grade}'" for grade, least in GRADES.items())
_FACETS = (
    "is_entry", "is_shown", "since", "product_type", "sector", "region", "classification", "frequency", "merchant",
    "grade", "quality", "channels", "prices", "price_minor", "currency",
    "priced_until",
)  # fmt: skip
_PUT = f"""
    INSERT INTO listings_shelfitem (listing_id, {", ".join(_FACETS)})
    SELECT l.id, false, l.state = 'listed', coalesce(l.listed_at, l.created_at), l.product_type, v.sector, s.region,
        v.classification, v.update_frequency, s.public_id, coalesce(CASE {_GRADE} END, ''), p.quality,
        coalesce(o.channels, '{{}}'), coalesce(o.prices, '{{}}'), o.price_minor, coalesce(o.currency, ''), (
            SELECT min(at) FROM listings_discount d JOIN listings_offer o ON o.id = d.offer_id
            CROSS JOIN LATERAL (VALUES (d.valid_from), (d.valid_until)) AS turn (at)
            WHERE o.listing_id = l.id AND o.closed_at IS NULL AND d.ended_at IS NULL AND at > %s
        )
    FROM listings_listing l
    JOIN listings_version v ON v.id = l.current_version_id
    JOIN marketplace_organisation s ON s.id = l.seller_id
    LEFT JOIN listings_profile p ON p.release_id = v.release_id AND p.state = 'done'
    LEFT JOIN LATERAL (
        SELECT array_agg(DISTINCT o.channel) AS channels, array_agg(DISTINCT price) AS prices,
            min(o.price_minor) AS price_minor, (array_agg(o.currency ORDER BY o.price_minor, o.id))[1] AS currency
        FROM {OFFERS_NOW} o CROSS JOIN LATERAL unnest({PRICES_OF_OFFER}) AS price
        WHERE o.listing_id = l.id AND o.closed_at IS NULL AND o.audience <> 'named'
            AND o.converts_to_id IS NULL
    ) o ON true
    WHERE l.id = ANY(%s)
    ON CONFLICT (listing_id) DO UPDATE SET {", ".join(f"{name} = excluded.{name}" for name in _FACETS)}
"""  # noqa: S608

_WEIGHTS = {"titles": "A", "names": "B", "summaries": "C", "details": "D"}


def put(*listings: Listing) -> None:
    """Bring products' rows in step with their state, offers and measurements; without a current version, nothing."""
    pks = [listing.pk for listing in listings]
    with connection.cursor() as cursor:
        # Of two who change offers of one product, the second reads what the first has written.
        cursor.execute(
            "SELECT FROM listings_shelfitem WHERE listing_id = ANY(%s) ORDER BY listing_id FOR UPDATE", [pks]
        )
        now = clock.now()
        cursor.execute(_PUT, [now, now, now, pks])


@transaction.atomic
def reprice() -> int:
    """Bring rows in step whose prices changed because a discount began or ended, a bounded number at a time, and say
    how many; safe to run twice or in parallel."""
    due = to_reprice().order_by("priced_until", "pk").values_list("listing", flat=True)[:REPRICED_AT_ONCE]
    listings = list(Listing.objects.filter(pk__in=list(due)))
    put(*listings)
    return len(listings)


def to_reprice() -> QuerySet[ShelfItem]:
    """Rows whose prices were true until a moment that has passed."""
    return ShelfItem.objects.filter(priced_until__lte=clock.now())


def put_all_of(seller: Organisation) -> None:
    """Bring the rows of all the seller's products in step, also with its name."""
    index(*Listing.objects.sold_by(seller).select_related("current_version", "seller").order_by("pk"))


def index(*listings: Listing) -> None:
    """Make products findable by what their current versions say; without one, nothing."""
    rows: list[str] = []
    values: list[Any] = []
    noted: list[str] = []
    for listing in listings:
        if listing.current_version is None:
            continue
        texts = _texts(listing, listing.current_version)
        sql, parameters = search_words.vector([(_WEIGHTS[name], text) for name, text in texts.items()])
        title_sql, title_parameters = search_words.vector([("A", texts["titles"])])
        rows.append(f"(%s::bigint, {sql}, {title_sql})")
        values += [listing.pk, *parameters, *title_parameters]
        noted += texts.values()
    if not rows:
        return
    put(*listings)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE listings_shelfitem item SET search = t.search, title_search = t.title_search
            FROM (VALUES {", ".join(rows)}) AS t (id, search, title_search) WHERE item.listing_id = t.id
            """,  # noqa: S608
            values,
        )
    spelling.note(noted)


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


# What is searched of an entry, by how much it counts.
_ENTRY_WEIGHTS = {
    "A": ("title",),
    "B": ("merchant", "exchange", "coverage", "keywords"),
    "C": ("summary", "category", "kind"),
    "D": ("details",),
}
_PUT_ENTRIES = """
    INSERT INTO listings_shelfitem (
        entry_id, is_entry, is_shown, since, region, classification, grade, channels, prices, currency,
        product_type, sector, merchant, frequency, search, title_search
    )
    SELECT e.id, true, e.withdrawn_at IS NULL, r.read_at, '', '', '', '{{}}', '{{}}', '',
        e.product_type, e.sector, e.merchant, t.frequency, t.search, t.title_search
    FROM (VALUES {rows}) AS t (id, frequency, search, title_search)
    JOIN listings_catalogueentry e ON e.id = t.id
    JOIN listings_cataloguereading r ON r.id = e.first_reading_id
    ORDER BY e.id
    ON CONFLICT (entry_id) DO UPDATE SET product_type = excluded.product_type, sector = excluded.sector,
        merchant = excluded.merchant, frequency = excluded.frequency, search = excluded.search,
        title_search = excluded.title_search
"""


def put_entries(entries: Mapping[int, Mapping[str, str]]) -> None:
    """Make entries, {id: what was read}, findable, in one statement; of those read at once the catalogue shows the one
    with the greatest id first, in whatever order PostgreSQL joins them."""
    rows, values = [], []
    for pk, entry in entries.items():
        texts = [(weight, " ".join(entry[name] for name in names)) for weight, names in _ENTRY_WEIGHTS.items()]
        sql, parameters = search_words.vector(texts)
        title_sql, title_parameters = search_words.vector([("A", entry["title"])])
        rows.append(f"(%s::bigint, %s, {sql}, {title_sql})")
        values += [pk, frequency_of(entry["update_frequency"]), *parameters, *title_parameters]
    with connection.cursor() as cursor:
        cursor.execute(_PUT_ENTRIES.format(rows=", ".join(rows)), values)
    spelling.note(entry[name] for entry in entries.values() for names in _ENTRY_WEIGHTS.values() for name in names)


def words_of(entry: CatalogueEntry) -> dict[str, str]:
    """What `put_entries` needs of an entry that is kept already."""
    names = [name for names in _ENTRY_WEIGHTS.values() for name in names]
    return {name: getattr(entry, name) for name in (*names, "update_frequency")}


def take_off(entry: CatalogueEntry) -> None:
    """Show a withdrawn entry no more."""
    ShelfItem.objects.filter(entry=entry).update(is_shown=False)
