"""What stands near a product on the shelf: its sector's products that resemble it, and its seller's others."""

from __future__ import annotations

from typing import Any

from django.db import connection

from listings import shelf_cards
from listings.catalogue import Product
from listings.models import Listing
from marketplace.models import Organisation

MOST = 4
# The newest of the sector, among which fields of the same name, type and seat decide.
LOOKED_AT = 200

# Both are read in one statement; a field that two manuals name alike counts most.
_NEAR = """
    WITH near AS (
        SELECT i.listing_id, i.since,
            (i.product_type = own.product_type)::int + (i.region = own.region)::int AS alike
        FROM listings_shelfitem own JOIN listings_shelfitem i ON i.sector = own.sector
        WHERE own.listing_id = %(listing)s AND i.is_shown AND NOT i.is_entry
            AND i.listing_id <> own.listing_id AND i.merchant <> own.merchant
        ORDER BY i.since DESC, i.id DESC LIMIT %(looked_at)s
    ), ranked AS (
        SELECT near.listing_id, near.since, near.alike + 2 * (
            SELECT count(*) FROM jsonb_array_elements(v.fields) f WHERE lower(f ->> 'name') = ANY(%(fields)s)
        ) AS alike
        FROM near JOIN listings_listing l ON l.id = near.listing_id
            JOIN listings_version v ON v.id = l.current_version_id
    )
    (SELECT false, listing_id FROM ranked ORDER BY alike DESC, since DESC, listing_id DESC LIMIT %(most)s)
    UNION ALL
    (
        SELECT true, id FROM listings_listing
        WHERE seller_id = %(seller)s AND state = 'listed' AND id <> %(listing)s
        ORDER BY listed_at DESC, id DESC LIMIT %(most)s
    )
"""


def of(product: Product, *, reader: Organisation | None) -> tuple[list[Any], list[Any]]:
    """(like it, of the same seller): at most MOST listings each, as cards take them. Three statements."""
    asked: dict[str, Any] = {
        "listing": product.listing.pk,
        "seller": product.listing.seller_id,
        "fields": [str(one.get("name", "")).lower() for one in product.version.fields],
        "looked_at": LOOKED_AT,
        "most": MOST,
    }
    with connection.cursor() as cursor:
        cursor.execute(_NEAR, asked)
        found = cursor.fetchall()
    listings: dict[int, Listing] = shelf_cards.of([pk for _is_own, pk in found], reader)
    alike = [listings[pk] for is_own, pk in found if not is_own and pk in listings]
    return alike, [listings[pk] for is_own, pk in found if is_own and pk in listings]
