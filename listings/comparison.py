"""Up to four products side by side: the same facts of each in one row, and whether they differ.

Everything is measured or said in the manuals already; nothing is ranked. However much is compared, the number of
statements is the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db.models import Count, Q
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils.formats import date_format, number_format
from django.utils.translation import get_language, ngettext, pgettext
from django.utils.translation import gettext as _

from listings import catalogue, pricing, terms
from listings.catalogue import Product
from listings.column_profile import kind_words, percent
from listings.models import Offer, Question, ReleaseFile
from listings.product_page import language_of, measured
from marketplace.models import Organisation
from marketplace.regions import place_name

MOST = 4
MOST_COLUMNS = 100  # named one by one


@dataclass(frozen=True)
class Item:
    """One of several things said in a cell; `is_shared` where every product says the same."""

    text: str
    note: str = ""
    is_shared: bool = True


@dataclass(frozen=True)
class Cell:
    """What is said of one product: a text with a note beneath, or items."""

    text: str = ""
    note: str = ""
    url: str = ""
    is_verified: bool = False
    items: tuple[Item, ...] = ()
    price: Any = None

    @property
    def said(self) -> tuple[Any, ...]:
        return (self.text, self.note, tuple((item.text, item.note) for item in self.items))


@dataclass(frozen=True)
class Row:
    """One fact of every product."""

    label: str
    cells: list[Cell]

    @property
    def differs(self) -> bool:
        return len({cell.said for cell in self.cells}) > 1


@dataclass(frozen=True)
class Section:
    title: str
    rows: list[Row]
    note: str = ""


@dataclass(frozen=True)
class Compared:
    """The products in the order they were named, and their facts side by side."""

    products: list[Product]
    columns: dict[str, list[str]] = field(default_factory=dict)  # by name, the kind in each product, '' without it

    @property
    def columns_in_common(self) -> list[str]:
        return [name for name, kinds in self.columns.items() if all(kinds)]

    @property
    def columns_elsewhere(self) -> list[str]:
        return [name for name, kinds in self.columns.items() if not all(kinds)]


def compare(public_ids: Iterable[str], *, reader: Organisation | None) -> Compared:
    """The first MOST of these products that the reader may see; what they may not is left out without a word."""
    wanted = list(dict.fromkeys(public_ids))[:MOST]
    products = catalogue.products(wanted, reader=reader)
    return Compared(products, _columns(products))


def heads(compared: Compared) -> list[dict[str, Any]]:
    """What stands above each product's facts."""
    ids = [product.listing.public_id for product in compared.products]
    return [
        {
            "product": product,
            "url": product.listing.get_absolute_url(),
            "title_lang": language_of(product.version, product.version.titles),
            "without": _address([one for one in ids if one != product.listing.public_id]),
        }
        for product in compared.products
    ]


def _address(ids: list[str]) -> str:
    return reverse("compare") + ("?" + "&".join(f"p={one}" for one in ids) if ids else "")


def sections(compared: Compared, *, verified: set[int]) -> list[Section]:
    """Every fact, a row each. `verified` are the ids of the sellers that carry the exchange's sign."""
    products = compared.products
    return [
        Section(_("Seller and product"), _about(products, verified)),
        Section(_("Measured by the exchange"), _measured(products)),
        Section(_("Coverage and updates"), _coverage(products)),
        Section(_("Offers"), _offers(products)),
        Section(_("The licence of the first offer"), _licences(products)),
        Section(_("Columns"), _column_rows(compared), _column_words(compared)),
        Section(_("Questions to the seller"), _questions(products)),
    ]


def _row(label: str, products: list[Product], cell: Callable[[Product], Cell]) -> Row:
    return Row(label, [cell(product) for product in products])


def _text(label: str, products: list[Product], text: Callable[[Product], object], note: str = "") -> Row:
    return _row(label, products, lambda product: Cell(str(text(product) or "–"), note))


def _about(products: list[Product], verified: set[int]) -> list[Row]:
    return [
        _row(
            _("Seller"),
            products,
            lambda one: Cell(
                one.listing.seller.shown_name,
                url=reverse("merchant", args=[one.listing.seller.public_id]),
                is_verified=one.listing.seller_id in verified,
            ),
        ),
        _text(_("Type"), products, lambda one: one.listing.get_product_type_display()),
        _text(_("Sector"), products, lambda one: one.version.get_sector_display()),
        _text(_("Seat of the seller"), products, _seat),
        _text(_("Classification"), products, lambda one: one.version.get_classification_display()),
        _text(_("Personal information"), products, lambda one: _yes(one.version.has_personal_data)),
        _text(_("Lawful basis"), products, lambda one: one.version.get_lawful_basis_display()),
    ]


def _seat(product: Product) -> str:
    return place_name(product.listing.seller.country, product.listing.seller.region)


def _yes(is_so: bool) -> str:
    return pgettext("there is some", "Yes") if is_so else _("None")


def _measured(products: list[Product]) -> list[Row]:
    facts = {product.version.pk: measured(product.version.release) for product in products}
    files = dict(
        ReleaseFile.objects.filter(release__in=[one.version.release_id for one in products])
        .values_list("release")
        .annotate(Count("pk"))
    )

    def of(product: Product, name: str) -> str:
        found = facts[product.version.pk]
        value = getattr(found, name) if found else None
        return number_format(value, force_grouping=True) if isinstance(value, int) else str(value or "–")

    def quality(product: Product) -> str:
        found = facts[product.version.pk]
        return "–" if found is None or found.score is None else percent(found.score)

    return [
        _text(_("Rows"), products, lambda one: of(one, "rows")),
        _text(_("Columns"), products, lambda one: of(one, "column_count")),
        _text(_("Files"), products, lambda one: number_format(files.get(one.version.release_id, 0))),
        _text(_("Size"), products, _size),
        _text(_("Quality"), products, quality),
        _text(_("Newest date"), products, lambda one: of(one, "newest_date")),
        _row(_("Last release"), products, _release),
    ]


def _size(product: Product) -> str:
    return filesizeformat(product.version.release.size_bytes) if product.version.release else ""


def _release(product: Product) -> Cell:
    release = product.version.release
    if release is None or release.sealed_at is None:
        return Cell("–")
    return Cell(date_format(release.sealed_at, "DATE_FORMAT"), release.label)


def _coverage(products: list[Product]) -> list[Row]:
    return [
        _text(_("Area covered"), products, lambda one: one.version.area),
        _text(_("Period covered"), products, lambda one: one.version.period),
        _text(_("Updated"), products, lambda one: one.version.get_update_frequency_display()),
        _text(
            _("Outside the mainland"),
            products,
            lambda one: _("offered, each trade is checked") if one.version.leaves_mainland else _("Not offered there"),
        ),
        _text(_("Sample"), products, lambda one: _yes(bool(one.sample))),
    ]


def _offers(products: list[Product]) -> list[Row]:
    def delivery(product: Product) -> Cell:
        channels = dict.fromkeys(offer.channel for offer in product.offers)
        named = [_("as files") if channel == "files" else channel for channel in channels]
        return Cell(pgettext("between things named", ", ").join(named) or "–")

    def prices(product: Product) -> Cell:
        if not product.offers:
            return Cell(_("No open offer"))
        return Cell(items=tuple(Item(_price(offer), _offer_words(offer)) for offer in product.offers))

    return [
        _row(_("Offers"), products, prices),
        _row(pgettext("by which way", "Delivered"), products, delivery),
        _row(_("Time to inspect"), products, _inspection),
    ]


def _price(offer: Offer) -> str:
    now = pricing.now(offer)
    if offer.is_trial:
        return _("Free trial")
    if offer.steps:
        return _("from %(price)s a call") % {"price": now.unit_price}
    return str(now.price) if offer.price_minor else _("Free")


def _offer_words(offer: Offer) -> str:
    """What the offer is called and, under a discount, what it costs otherwise."""
    now = pricing.now(offer)
    if now.discount is None:
        return offer.name
    return _("%(name)s (list price %(price)s)") % {"name": offer.name, "price": now.list_unit_price or now.list_price}


def _inspection(product: Product) -> Cell:
    if not product.offers:
        return Cell("–")
    days = product.offers[0].inspection_days
    return Cell(ngettext("%(days)s day", "%(days)s days", days) % {"days": days})


def _licences(products: list[Product]) -> list[Row]:
    """The first offer's licence in plain words; a sentence that not every product says is marked."""
    language = get_language() or settings.LANGUAGE_CODE
    said = [terms.plain_words(one.offers[0].terms, language) if one.offers else None for one in products]
    rows = []
    for part, label in (("may", _("May")), ("may_not", _("May not")), ("must", _("Must"))):
        texts = [[item["text"] for item in licence[part]] if licence else [] for licence in said]  # type: ignore[literal-required]
        shared = set.intersection(*map(set, texts)) if texts else set()
        cells = [Cell(items=tuple(Item(text, is_shared=text in shared) for text in own)) for own in texts]
        rows.append(Row(label, cells))
    return rows


# --- columns -------------------------------------------------------------------------------------------------------


def _columns(products: list[Product]) -> dict[str, list[str]]:
    """Every measured column by name, those in common first, each with its kind in each product."""
    found: dict[str, list[str]] = {}
    for place, product in enumerate(products):
        facts = measured(product.version.release)
        for column in (column for one in (facts.files if facts else []) for column in one["columns"]):
            found.setdefault(column["name"], [""] * len(products))[place] = column["type"]
    return dict(sorted(found.items(), key=lambda one: -sum(map(bool, one[1]))))


def _column_rows(compared: Compared) -> list[Row]:
    names = list(compared.columns)[:MOST_COLUMNS]
    return [Row(name, [Cell(kind_words(kind) if kind else "–") for kind in compared.columns[name]]) for name in names]


def _column_words(compared: Compared) -> str:
    common, elsewhere = len(compared.columns_in_common), len(compared.columns_elsewhere)
    said = _("In common: %(common)s. Not in all: %(elsewhere)s.") % {"common": common, "elsewhere": elsewhere}
    if common + elsewhere > MOST_COLUMNS:
        said += " " + _("The first %(most)s are shown.") % {"most": MOST_COLUMNS}
    return said


def _questions(products: list[Product]) -> list[Row]:
    answered = dict(
        Question.objects.filter(
            Q(answered_at__isnull=False, hidden_at=None), listing__in=[one.listing.pk for one in products]
        )
        .values_list("listing")
        .annotate(Count("pk"))
    )

    def told(product: Product) -> Cell:
        url = reverse("product_questions", args=[product.listing.public_id])
        return Cell(number_format(answered.get(product.listing.pk, 0)), url=url)

    return [_row(_("Answered in public"), products, told)]
