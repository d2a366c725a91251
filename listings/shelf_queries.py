"""The questions asked of the catalogue's shelf: which items a page shows, and how many there are of each kind.

All SQL here holds placeholders only; every word and value is a parameter.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from listings.filters import Filters
from listings.search_question import Part, Question
from listings.shelf import OFFERS_NOW, PRICES_OF_OFFER
from marketplace import clock
from marketplace.models import Organisation

# The shelf's column of each filter.
COLUMNS = {
    "product_type": "product_type", "sector": "sector", "region": "region", "classification": "classification",
    "price": "prices", "frequency": "frequency", "channel": "channels", "quality": "grade", "merchant": "merchant",
}  # fmt: skip
ARRAYS = ("price", "channel")
# The filters by which `counts` groups together, by PostgreSQL's GROUPING(kind, deal), each with the place of its value
# in what `counts` reads of a group; `show` has none.
_GROUPS = {
    1: (("show", -1), ("product_type", 0), ("sector", 1), ("classification", 2), ("frequency", 3)),
    2: (("region", 4), ("quality", 5), ("price", 6), ("channel", 7)),
    3: (("merchant", 8),),
}
# The best by title and date, among which the words of the whole text then decide.
RANKED = 400
MERCHANTS_COUNTED = 12
_SHOWN = {"products": "NOT is_entry", "entries": "is_entry"}

_NAMED = f"""
    LEFT JOIN (
        SELECT o.listing_id, array_agg(DISTINCT price) AS prices, array_agg(DISTINCT o.channel) AS channels
        FROM {OFFERS_NOW} o CROSS JOIN LATERAL unnest({PRICES_OF_OFFER}) AS price
        WHERE o.closed_at IS NULL AND o.audience = 'named' AND o.converts_to_id IS NULL AND o.id IN (
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

    matches: bool = False  # whether anything holds the words, whatever the filters say
    products: int = 0
    entries: int = 0
    of: dict[str, dict[str, int]] = field(default_factory=dict)


def _items(asked: Asked, *, with_words: bool, match: Part | None = None) -> Part:
    """The shelf's rows that hold the words, or those of `match`, with the offers that name the reader counted among
    the prices."""
    values: list[Any] = []
    columns, join = "i.prices, i.channels, false AS is_named", ""
    if asked.reader is not None:
        merged = f"{_WITH_NAMED.format('prices')}, {_WITH_NAMED.format('channels')}"
        columns, join = f"{merged}, named IS NOT NULL AS is_named", _NAMED
        now = clock.now()
        values += [now, now, asked.reader.pk, asked.reader.pk]
    condition = "i.is_shown"
    if match is None and asked.question:
        sql, words = asked.match()
        match = f"i.search @@ {sql}", words
    if match is not None:
        condition += f" AND {match[0]}"
        values += match[1]
    plain = (
        "i.id, i.listing_id, i.entry_id, i.is_entry, i.since, i.product_type, i.sector, i.region, i.classification, "
        "i.frequency, i.grade, i.merchant, i.quality, i.price_minor, i.currency, i.kind, i.deal"
    )
    plain += ", i.search, i.title_search" if with_words else ""
    return f"SELECT {plain}, {columns} FROM listings_shelfitem i {join} WHERE {condition}", values  # noqa: S608


def _holds(name: str) -> str:
    return f"{COLUMNS[name]} && %s::varchar[]" if name in ARRAYS else f"{COLUMNS[name]} = ANY(%s)"


def page(asked: Asked, *, sort: str, start: int, count: int) -> list[tuple[int | None, int | None]]:
    """The (listing, entry) ids of a part of what was found, products first."""
    if sort == "best" and asked.question:
        sql, values = _best(asked) if start < RANKED else _tiered(asked)
    else:
        found, values = _found(asked)
        order, more = _order(sort)
        sql = f"SELECT listing_id, entry_id {found} ORDER BY is_entry, {order} since DESC, id DESC"
        values += more
    return _run(f"{sql} LIMIT %s OFFSET %s", [*values, count, start])


def _found(asked: Asked, match: Part | None = None, conditions: Iterable[Part] = ()) -> Part:
    """FROM and WHERE of what passes every filter, and the conditions."""
    sql, values = _items(asked, with_words=True, match=match)
    held = []
    for condition, more in conditions:
        held.append(condition)
        values += more
    for name, chosen in asked.filters.chosen.items():
        held.append(_holds(name))
        values.append(list(chosen))
    if asked.filters.show:
        held.append(_SHOWN[asked.filters.show])
    where = f"WHERE {' AND '.join(held)}" if held else ""
    return f"FROM ({sql}) AS item {where}", values


def _order(sort: str) -> Part:
    if sort == "price":
        # Amounts of two currencies are not compared: each currency stands by itself.
        own = "(price_minor = 0) DESC NULLS LAST, array_position(%s::varchar[], currency), price_minor NULLS LAST,"
        return own, [list(settings.CURRENCIES)]
    return ("quality DESC NULLS LAST,", []) if sort == "quality" else ("", [])


def _in_title(question: str) -> str:
    return f"id IN (SELECT id FROM listings_shelfitem WHERE title_search @@ {question})"  # noqa: S608


def _questions(asked: Asked) -> tuple[Part, Part]:
    """What is asked as it was typed, and with synonyms."""
    wide = asked.match()
    return (wide if asked.is_any else asked.question.strict()), wide


def _tiered(asked: Asked) -> Part:
    """Those whose title says every word as typed, then by its synonyms, then the others; the newest first."""
    (strict, strict_values), (wide, wide_values) = _questions(asked)
    found, values = _found(asked)
    tier = f"({_in_title(strict)})::int + ({_in_title(wide)})::int"
    order = "is_entry, tier DESC, since DESC, id DESC"
    sql = f"SELECT listing_id, entry_id FROM (SELECT *, {tier} AS tier {found}) AS tiered ORDER BY {order}"  # noqa: S608
    return sql, [*strict_values, *wide_values, *values]


def _best(asked: Asked) -> Part:
    """The first RANKED of `_tiered`, put in order by how often and where their whole text says the words.

    Each tier is a part of its own, read only where those before it do not fill the RANKED: a frequent word is looked
    for in titles alone. What a title says, the whole text says too; a part that is not full holds all of its tier, so
    the next one leaves out what it holds and need not ask again who says it.
    """
    (strict, strict_values), (wide, wide_values) = _questions(asked)
    tiers: list[tuple[int, Part]] = [(2, (f"i.title_search @@ {strict}", strict_values))]
    if not asked.is_any:
        tiers.append((1, (f"i.title_search @@ {wide}", wide_values)))
    tiers.append((0, (f"i.search @@ {wide}", wide_values)))
    named: list[str] = []
    values: list[Any] = []
    for show, shown in _SHOWN.items():
        if asked.filters.show in ("", show):
            others: list[Part] = [(shown, [])]
            for tier, match in tiers:
                name = f"{show}_{tier}"
                found, more = _found(asked, match, others)
                newest = f"SELECT *, {tier} AS tier {found} ORDER BY since DESC, id DESC LIMIT {RANKED}"
                named.append(f"{name} AS MATERIALIZED ({newest})")
                values += more
                others = [*others, (f"id NOT IN (SELECT id FROM {name})", [])]  # noqa: S608
    parts = " UNION ALL ".join(f"SELECT * FROM {one.split()[0]}" for one in named)  # noqa: S608
    # A short title that says it is nearer than a long one (1: by the logarithm of its length).
    rank = f"ts_rank(title_search, {wide}, 1) + ts_rank(search, {strict}) + ts_rank(search, {wide}) / 2"
    sql = (
        f"WITH {', '.join(named)} SELECT listing_id, entry_id FROM ({parts} LIMIT {RANKED}) AS best "  # noqa: S608
        f"ORDER BY is_entry, tier DESC, {rank} DESC, since DESC, id DESC"
    )
    return sql, [*values, *wide_values, *strict_values, *wide_values]


def counts(asked: Asked) -> Counts:
    """Every count of a search, in one pass over what matches."""
    base, values = _items(asked, with_words=False)
    chosen: dict[str, Any] = dict(asked.filters.chosen)
    tests = [_holds(name) for name in chosen]
    values = [list(one) for one in chosen.values()] + values
    names = list(chosen)
    if asked.filters.show:
        names.append("show")
        tests.append(_SHOWN[asked.filters.show])
    more, by_failed, by_named, held = [], "", "", ""
    if tests:
        # Which of the chosen filters a row fails, a bit each: it counts where it fails none, or for the one it fails.
        bits = " + ".join(f"CASE WHEN {test} THEN 0 ELSE {1 << place} END" for place, test in enumerate(tests))
        more, by_failed, held = [f"{bits} AS failed"], "failed, ", "WHERE failed & (failed - 1) = 0"
    if asked.reader is not None:
        more += [f"CASE WHEN is_named THEN {name} END AS named_{name}" for name in ("prices", "channels")]
        by_named = ", named_prices, named_channels"
    if more:  # OFFSET 0 has them worked out once for each row, not wherever they are named
        base = f"SELECT item.*, {', '.join(more)} FROM ({base}) AS item OFFSET 0"  # noqa: S608
    # What is the same for every row is no part of a group's key: a frequent word has forty thousand rows to group.
    sql = f"""
        WITH grouped AS (
            SELECT GROUPING(kind, deal) AS by, {by_failed or "0 AS failed, "} count(*) AS number, min(id) AS one
                {by_named or ", NULL::varchar[] AS named_prices, NULL::varchar[] AS named_channels"}
            FROM ({base}) AS found {held}
            GROUP BY GROUPING SETS (({by_failed}kind), ({by_failed}deal{by_named}), ({by_failed}merchant))
        )
        SELECT g.by, g.failed, g.number, i.is_entry, i.product_type, i.sector, i.classification, i.frequency,
            i.region, i.grade, CASE WHEN g.by = 2 THEN coalesce(g.named_prices, i.prices) END,
            CASE WHEN g.by = 2 THEN coalesce(g.named_channels, i.channels) END, i.merchant
        FROM grouped g JOIN listings_shelfitem i ON i.id = g.one
    """  # noqa: S608
    told = _told(_run(sql, values), names, asked.filters)
    if not told.matches and len(names) > 1 and asked.question:  # all of them fail two filters, or there is none
        told.matches = _matches(asked)
    return told


def _matches(asked: Asked) -> bool:
    sql, values = asked.match()
    return bool(_run(f"SELECT FROM listings_shelfitem WHERE is_shown AND search @@ {sql} LIMIT 1", values))  # noqa: S608


# One worker, too: several would read the tiers of `_best` in no order.
_BY_WORDS = (
    "SET LOCAL enable_seqscan = off; SET LOCAL enable_indexscan = off; SET LOCAL jit = off; "
    "SET LOCAL work_mem = '32MB'; SET LOCAL max_parallel_workers_per_gather = 0"
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


def _told(rows: Iterable[Sequence[Any]], names: list[str], filters: Filters) -> Counts:
    """The counts by value of the groups that `counts` reads: by kind, by deal and by merchant, each with which of the
    filters `names` its items fail."""
    told = Counts(of={name: {} for name in COLUMNS})
    shown = {False: 0, True: 0}
    for by, failed, number, is_entry, *values in rows:
        told.matches = True
        fails = names[failed.bit_length() - 1] if failed else ""
        for name, place in _GROUPS[by]:
            if fails and fails != name:
                continue
            if name == "show":
                shown[is_entry] += number
                continue
            of, value = told.of[name], values[place]
            for one in value if name in ARRAYS else (value,):
                if one:
                    of[one] = of.get(one, 0) + number
    told.products, told.entries = shown[False], shown[True]
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
