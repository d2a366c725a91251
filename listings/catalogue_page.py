"""What the page of the catalogue shows: cards with the asked words marked, filters with counts, and what is chosen."""

from __future__ import annotations

from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _

from listings import catalogue, entry_page, facets, product_page
from listings.facets import Facet
from listings.filters import Filters, sort_of
from listings.highlights import Hits
from listings.models import CatalogueEntry
from listings.search_question import LONGEST
from marketplace.errors import Invalid
from marketplace.models import Organisation


def context(asked: QueryDict, *, reader: Organisation | None) -> dict[str, Any]:
    """Everything templates/listings/catalogue.html shows. What cannot be asked is left out and said in `refusal`."""
    text, filters, sort, refusal = asked.get("q", "").strip(), Filters(), "best", ""
    try:
        if len(text) > LONGEST:
            text = ""
            raise Invalid(_("Search for at most %(most)s characters.") % {"most": LONGEST}, code="wrong_search")
        filters, sort = Filters.asked(asked), sort_of(asked.get("sort", ""))
    except Invalid as wrong:
        refusal = str(wrong)
    found = catalogue.browse(text, filters=filters, reader=reader, sort=sort, is_as_typed=asked.get("as") == "typed")
    page = catalogue.page_of(found, asked.get("page", "1"))
    shown = facets.of(found.counts, filters)
    return {
        "refusal": refusal,
        "page": page,
        "cards": cards(list(page), found),
        "shelves": entry_page.shelves(found, asked),
        "facets": shown,
        "chips": chips(shown, asked),
        "show": filters.show,
        "sorts": [
            {"value": value, "label": label, "is_chosen": value == sort} for value, label in facets.sorts().items()
        ],
        "is_narrowed": bool(text or filters != Filters()),
        "text": text,
        "is_some": found.is_some,
        "mended": found.question.text if found.question.mended else "",
        "as_typed_url": _with(asked, "as", ["typed"]),
    }


def cards(shown: list[Any], found: catalogue.Found) -> list[dict[str, Any]]:
    """Products and entries as templates/_product_card.html takes them, what was asked for marked."""
    made = [entry_page.card(one) if isinstance(one, CatalogueEntry) else product_page.card(one) for one in shown]
    if found.question:
        hits = Hits(found.question, [text for card in made for text in (card["title"], card["summary"])])
        for card in made:
            card |= {"title_marked": hits.marked(card["title"]), "summary_marked": hits.marked(card["summary"])}
    return made


def chips(shown: list[Facet], asked: QueryDict) -> list[dict[str, str]]:
    """What is chosen, each with the address of the page without it."""
    return [
        {
            "facet": facet.label,
            "label": value.label,
            "url": _with(asked, facet.name, [one for one in asked.getlist(facet.name) if one not in ("", value.value)]),
        }
        for facet in shown
        for value in facet.values
        if value.is_chosen
    ]


def _with(asked: QueryDict, name: str, values: list[str]) -> str:
    query = asked.copy()
    query.pop("page", None)
    query.setlist(name, values)
    return f"?{query.urlencode()}"
