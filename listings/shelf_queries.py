"""The questions asked of the catalogue's shelf: which items a page shows, and how many there are of each kind.

All SQL here holds placeholders only; every word and value is a parameter.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from listings.filters import Filters
from listings.search_question import Part, Question
from listings.shelf import PRICES_OF_OFFER
from marketplace.models import Organisation

# The shelf's column of each filter.
COLUMNS = {
    "product_type": "product_type", "sector": "sector", "region": "region", "classification": "classification",
    "price": "prices", "frequency": "frequency", "channel": "channels", "quality": "grade", "merchant": "merchant",
}  # fmt: skip
ARRAYS = ("price", "channel")
# The best by title and date, among which the words of the whole text then decide.
RANKED = 400
MERCHANTS_COUNTED = 12

_NAMED = f"""
    LEFT JOIN (
        SELECT o.listing_id, array_agg(DISTINCT price) AS prices, array_agg(DISTINCT o.channel) AS channels
        FROM listings_offer o CROSS JOIN LATERAL unnest({PRICES_OF_OFFER}) AS price
        WHERE o.closed_at IS NULL AND o.audience = 'named' AND o.id IN (
            SELECT offer_id FROM listings_offerbuyer WHERE organisation_id = %s
            UNION SELECT own.id FROM listings_offer own JOIN listings_listing l ON l.id = own.listing_id
            WHERE l.seller_id = %s
        )
        GROUP BY o.listing_id
    ) named ON named.listing_id = i.listing_id
"""  # noqa: S608
_WITH_NAMED = "CASE WHEN named IS NULL THEN i.{0} ELSE ARRAY(SELECT DISTINCT unnest(i.{0} || named.{0})) END AS {0}"


@dataclass(frozen=True)
class Asked:
    """What is looked for, by whom. `is_any` asks for any of the words, else all are needed."""

    question: Question
    filters: Filters
    reader: Organisation | None = None
    is_any: bool = False

    def match(self) -> Part:
        return self.question.some() if self.is_any else self.question.wide()


@dataclass
class Counts:
    """How many items match: all there are, and of each filter's values, leaving out that filter itself."""

    matching: int = 0  # by words alone
    products: int = 0
    entries: int = 0
    of: dict[str, dict[str, int]] = field(default_factory=dict)


def _items(asked: Asked, *, with_words: bool) -> Part:
    """The shelf's rows that hold the words, with the offers that name the reader counted among the prices."""
    values: list[Any] = []
    columns, join = "i.prices, i.channels", ""
    if asked.reader is not None:
        columns, join = f"{_WITH_NAMED.format('prices')}, {_WITH_NAMED.format('channels')}", _NAMED
        values += [asked.reader.pk, asked.reader.pk]
    condition = "i.is_shown"
    if asked.question:
        sql, words = asked.match()
        condition += f" AND i.search @@ {sql}"
        values += words
    plain = (
        "i.id, i.listing_id, i.entry_id, i.is_entry, i.since, i.product_type, i.sector, i.region, i.classification, "
        "i.frequency, i.grade, i.merchant, i.quality, i.price_minor, i.currency"
    )
    plain += ", i.search, i.title_search" if with_words else ""
    return f"SELECT {plain}, {columns} FROM listings_shelfitem i {join} WHERE {condition}", values  # noqa: S608


def _holds(name: str) -> str:
    return f"{COLUMNS[name]} && %s::varchar[]" if name in ARRAYS else f"{COLUMNS[name]} = ANY(%s)"


def page(asked: Asked, *, sort: str, start: int, count: int) -> list[tuple[int | None, int | None]]:
    """The (listing, entry) ids of a part of what was found, products first."""
    sql, values = _items(asked, with_words=True)
    conditions = []
    for name, chosen in asked.filters.chosen.items():
        conditions.append(_holds(name))
        values.append(list(chosen))
    if asked.filters.show:
        conditions.append("is_entry" if asked.filters.show == "entries" else "NOT is_entry")
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    found = f"FROM ({sql}) AS item {where}"
    if sort == "best" and asked.question:
        sql, values = _best(found, values, asked, is_ranked=start < RANKED)
    else:
        order, more = _order(sort)
        sql, values = (
            f"SELECT listing_id, entry_id {found} ORDER BY is_entry, {order} since DESC, id DESC",
            values + more,
        )
    return _run(f"{sql} LIMIT %s OFFSET %s", [*values, count, start])


def _order(sort: str) -> Part:
    if sort == "price":
        # Amounts of two currencies are not compared: each currency stands by itself.
        own = "(price_minor = 0) DESC NULLS LAST, array_position(%s::varchar[], currency), price_minor NULLS LAST,"
        return own, [list(settings.CURRENCIES)]
    return ("quality DESC NULLS LAST,", []) if sort == "quality" else ("", [])


def _best(found: str, values: list[Any], asked: Asked, *, is_ranked: bool) -> Part:
    """Those whose title says every word as typed, then by its synonyms, then the others; the newest first.

    The first RANKED are put in order by how often and where their whole text says the words.
    """
    wide, wide_values = asked.match()
    strict, strict_values = (wide, wide_values) if asked.is_any else asked.question.strict()
    in_title = "(id IN (SELECT id FROM listings_shelfitem WHERE title_search @@ {}))::int"
    tier = f"{in_title.format(strict)} + {in_title.format(wide)}"
    order = "is_entry, tier DESC, since DESC, id DESC"
    sql = f"SELECT *, {tier} AS tier {found}"  # noqa: S608
    values = [*strict_values, *wide_values, *values]
    if not is_ranked:
        return f"SELECT listing_id, entry_id FROM ({sql}) AS tiered ORDER BY {order}", values  # noqa: S608
    # A short title that says it is nearer than a long one (1: by the logarithm of its length).
    rank = f"ts_rank(title_search, {wide}, 1) + ts_rank(search, {strict}) + ts_rank(search, {wide}) / 2"
    sql = (
        f"SELECT listing_id, entry_id FROM ({sql} ORDER BY {order} LIMIT {RANKED}) AS best "  # noqa: S608
        f"ORDER BY is_entry, tier DESC, {rank} DESC, since DESC, id DESC"
    )
    return sql, [*values, *wide_values, *strict_values, *wide_values]


def counts(asked: Asked) -> Counts:
    """Every count of a search, in one statement."""
    base, values = _items(asked, with_words=False)
    chosen: dict[str, Any] = dict(asked.filters.chosen)
    tests = {name: _holds(name) for name in chosen}
    values = [list(one) for one in chosen.values()] + values
    if asked.filters.show:
        chosen["show"] = ()
        tests["show"] = "is_entry" if asked.filters.show == "entries" else "NOT is_entry"
    # Which of the chosen filters a row fails, a bit each: it counts for a filter's values where it fails no other.
    bits = {name: 1 << place for place, name in enumerate(chosen)}
    failed = " + ".join(f"CASE WHEN {tests[name]} THEN 0 ELSE {bit} END" for name, bit in bits.items()) or "0"
    columns = {"show": "is_entry"} | COLUMNS
    free = {name: column for name, column in columns.items() if name not in chosen}
    parts = [_grouped(free, "failed = 0")] if free else []
    parts += [_grouped({name: columns[name]}, f"failed IN (0, {bits[name]})") for name in bits]
    if bits:
        parts.append("SELECT 'matching', '', count(*) FROM found")
    # Where nothing is chosen one pass over the matches does; else they are read once for each of the chosen.
    kept = "AS MATERIALIZED" if bits else "AS NOT MATERIALIZED"
    sql = f"WITH found {kept} (SELECT *, {failed} AS failed FROM ({base}) AS item) {' UNION ALL '.join(parts)}"  # noqa: S608
    return _told(_run(sql, values), asked.filters)


_BY_WORDS = (
    "SET LOCAL enable_seqscan = off; SET LOCAL enable_indexscan = off; SET LOCAL jit = off; SET LOCAL work_mem = '32MB'"
)


def _run(sql: str, values: list[Any]) -> list[Any]:
    """The rows of a question. PostgreSQL weighs reading a row, but not fetching its words from beside it: without the
    hint it would rather read all of them than use their index."""
    has_words = "@@" in sql
    with transaction.atomic() if has_words else contextlib.nullcontext(), connection.cursor() as cursor:
        if has_words:
            cursor.execute(_BY_WORDS)
        cursor.execute(sql, values)
        return cursor.fetchall()


def _grouped(columns: dict[str, str], condition: str) -> str:
    """One pass over the matches, grouped by each of these columns by itself."""
    names = ", ".join(columns.values())
    last = len(columns) - 1
    cases = " ".join(
        f"WHEN {((1 << len(columns)) - 1) ^ (1 << (last - place))} THEN '{name}'" for place, name in enumerate(columns)
    )
    sets = ", ".join(f"({column})" for column in columns.values())
    said = ", ".join(f"{column}::text" for column in columns.values())
    return (
        f"SELECT CASE GROUPING({names}) {cases} END, coalesce({said}, ''), count(*) FROM found "  # noqa: S608
        f"WHERE {condition} GROUP BY GROUPING SETS ({sets})"
    )


def _told(rows: Iterable[tuple[str, str, int]], filters: Filters) -> Counts:
    told = Counts(of={name: {} for name in COLUMNS})
    for name, value, number in rows:
        if name == "matching":
            told.matching = number
        elif name == "show":
            if value == "true":
                told.entries = number
            else:
                told.products = number
        else:
            for one in value.strip("{}").replace('"', "").split(",") if name in ARRAYS else [value]:
                if one:
                    told.of[name][one] = told.of[name].get(one, 0) + number
    told.matching = told.matching or told.products + told.entries
    merchants = told.of["merchant"]
    most = sorted(merchants, key=lambda one: (one not in filters.merchant, -merchants[one], one))[:MERCHANTS_COUNTED]
    told.of["merchant"] = {one: merchants[one] for one in most}
    return told


def among(asked: Asked, listings: list[int]) -> list[int]:
    """Which of these products, all of them on sale, hold every word and pass every filter."""
    sql, values = _items(asked, with_words=False)
    sql += " AND i.listing_id = ANY(%s)"
    values = [*values, listings]
    conditions = ["true"]
    for name, chosen in asked.filters.chosen.items():
        conditions.append(_holds(name))
        values.append(list(chosen))
    rows = _run(f"SELECT listing_id FROM ({sql}) AS item WHERE {' AND '.join(conditions)}", values)  # noqa: S608
    return [pk for (pk,) in rows]
