"""What a card shows of a product, read for a page of cards at once.

Two statements written by hand: a page of the catalogue shows twenty products, each of five tables, and Django would
take a quarter of the page's time to compose what is always the same.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from django.db import connection, models

from listings.models import Discount, Listing, Offer, Registration, Version
from marketplace import clock
from marketplace.models import Organisation


class _Columns:
    """Some columns of a model under an alias, and the instance made of them; its other fields are deferred."""

    def __init__(self, model: type[models.Model], alias: str, *names: str) -> None:
        self.model = model
        fields = [field for field in model._meta.concrete_fields if field.attname in {"id", *names}]
        self.names = [field.attname for field in fields]
        self.sql = ", ".join(f"{alias}.{field.column}" for field in fields)
        self._json = [place for place, field in enumerate(fields) if isinstance(field, models.JSONField)]

    def read(self, row: Sequence[Any], start: int) -> tuple[Any, int]:
        """The instance whose columns begin there, and where they end."""
        end = start + len(self.names)
        values = list(row[start:end])
        for place in self._json:
            values[place] = json.loads(values[place])
        return self.model.from_db(connection.alias, self.names, values), end


_LISTING = _Columns(
    Listing, "l", "public_id", "seller_id", "product_type", "state", "current_version_id", "listed_at"
)  # fmt: skip
_SELLER = _Columns(Organisation, "s", "public_id", "name", "latin_name", "country")
_VERSION = _Columns(
    Version, "v", "listing_id", "titles", "summaries", "sector", "classification", "coverage_from", "coverage_until",
    "coverage_area",
)  # fmt: skip
_REGISTRATION = _Columns(Registration, "r", "version_id", "number")
_PRODUCTS = f"""
    SELECT {_LISTING.sql}, {_SELLER.sql}, {_VERSION.sql}, {_REGISTRATION.sql}, p.report -> 'rows',
        EXISTS (SELECT FROM listings_publishedsample WHERE listing_id = l.id AND withdrawn_at IS NULL)
    FROM listings_listing l
        JOIN marketplace_organisation s ON s.id = l.seller_id
        JOIN listings_version v ON v.id = l.current_version_id
        JOIN listings_registration r ON r.version_id = v.id
        LEFT JOIN listings_profile p ON p.release_id = v.release_id
    WHERE l.id = ANY(%s) AND l.state = 'listed'
"""  # noqa: S608

_OFFER = _Columns(
    Offer, "o", "public_id", "listing_id", "price_minor", "currency", "steps", "is_postpaid", "instalments",
    "converts_to_id",
)  # fmt: skip
_DISCOUNT = _Columns(Discount, "d", "public_id", "offer_id", "percent", "valid_from", "valid_until")
# As `OfferQuerySet.visible_to` says it.
_OFFERS = f"""
    SELECT {_OFFER.sql}, {_DISCOUNT.sql}
    FROM listings_offer o LEFT JOIN listings_discount d ON d.offer_id = o.id
        AND d.valid_from <= %(now)s AND d.valid_until > %(now)s AND (d.ended_at IS NULL OR d.ended_at > %(now)s)
    WHERE o.listing_id = ANY(%(listings)s) AND o.closed_at IS NULL AND (o.open_until IS NULL OR o.open_until > %(now)s)
        AND (
            o.audience <> 'named'
            OR o.id IN (SELECT offer_id FROM listings_offerbuyer WHERE organisation_id = %(reader)s)
            OR o.listing_id IN (SELECT id FROM listings_listing WHERE seller_id = %(reader)s)
        )
    ORDER BY o.price_minor, o.id
"""  # noqa: S608


def of(pks: Sequence[int], reader: Organisation | None) -> dict[int, Any]:
    """Of these products those on sale, by id: listings with their seller, current version and registration.

    Each has `open_offers`, those the reader may see, with what they cost now (`pricing.now`), `rows` of its release or
    None, and `has_sample`. Two statements.
    """
    if not pks:
        return {}
    offers = _offers(pks, reader)
    found = {}
    with connection.cursor() as cursor:
        cursor.execute(_PRODUCTS, [list(pks)])
        for row in cursor.fetchall():
            listing, end = _LISTING.read(row, 0)
            listing.seller, end = _SELLER.read(row, end)
            version, end = _VERSION.read(row, end)
            version.registration, end = _REGISTRATION.read(row, end)
            rows, listing.has_sample = row[end:]
            listing.rows = None if rows is None else json.loads(rows)
            listing.current_version = version
            listing.open_offers = offers[listing.pk]
            found[listing.pk] = listing
    return found


def _offers(pks: Sequence[int], reader: Organisation | None) -> defaultdict[int, list[Offer]]:
    found: defaultdict[int, list[Offer]] = defaultdict(list)
    asked: dict[str, Any] = {"listings": list(pks), "now": clock.now(), "reader": reader.pk if reader else None}
    with connection.cursor() as cursor:
        cursor.execute(_OFFERS, asked)
        for row in cursor.fetchall():
            offer, end = _OFFER.read(row, 0)
            offer.discounts_in_force = [] if row[end] is None else [_DISCOUNT.read(row, end)[0]]
            found[offer.listing_id].append(offer)
    return found
