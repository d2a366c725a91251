"""What the cards of the catalogue and the page of a product show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.formats import number_format
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from listings import differences, pricing, revisions, terms
from listings.catalogue import Product
from listings.column_profile import kind_words, percent, profiles_of
from listings.models import Listing, Offer, ProductType, Profile, Release, Version
from listings.states import ListingState, ProfileState
from marketplace import joint_merchants

HTML_LANGUAGES = {"en": "en", "zh-hans": "zh-Hans", "zh-hant": "zh-Hant-HK"}
# What no channel delivers yet but as files; such a product may be listed without a paid plan, and its page says so.
WITHOUT_CHANNEL = (ProductType.API, ProductType.MODEL, ProductType.SERVICE)
PART_NAMES = ("completeness", "uniqueness", "validity", "timeliness", "consistency")


def language_of(version: Version, texts: dict[str, str]) -> str:
    """The HTML language of the text that `version.said` chooses."""
    said = version.said(texts)
    return next((HTML_LANGUAGES[language] for language, text in texts.items() if text == said), "")


def card(listing: Any) -> dict[str, Any]:
    """A found listing as templates/_product_card.html takes it."""
    version = listing.current_version
    offers = cheapest_first([offer for offer in listing.open_offers if not offer.is_trial])
    now = pricing.now(offers[0]) if offers else None
    traits = [version.area, version.period]
    if listing.rows is not None:
        traits.append(_("%s rows") % number_format(listing.rows, force_grouping=True))
    if listing.has_sample:
        traits.append(_("Sample"))
    if len(offers) < len(listing.open_offers):
        traits.append(_("Free trial"))
    return {
        "url": listing.get_absolute_url(),
        "public_id": listing.public_id,
        "title": version.title,
        "title_lang": language_of(version, version.titles),
        "summary": version.summary,
        "kind": listing.product_type,
        "kind_label": ProductType(listing.product_type).label,
        "number": version.registration.number,
        "seller": listing.seller.shown_name,
        "seller_id": listing.seller_id,
        "price": now.price if now else None,
        "cheapest": offers[0] if now and (now.discount or now.unit_price) else None,
        "is_not_offered": not offers,
        "has_dearer_plans": len(offers) > 1 and bool(now and now.price),
        "traits": [trait for trait in traits if trait],
    }


def cheapest_first(offers: list[Offer]) -> list[Offer]:
    """Offers by what they cost now."""
    return sorted(offers, key=lambda offer: (pricing.now(offer).price.minor, offer.pk))


@dataclass(frozen=True)
class Measured:
    """What the exchange measured of a release, made ready to be shown; empty tables where a file is none."""

    profile: Profile
    release: Release
    files: list[dict[str, Any]]
    rows: int | None
    column_count: int | None
    newest_date: str | None
    parts: list[dict[str, Any]]

    @property
    def score(self) -> float | None:
        return None if self.profile.quality is None else float(self.profile.quality)

    @property
    def score_in_words(self) -> str:
        return "–" if self.score is None else percent(self.score)


def measured(release: Release | None, *, shows_rows: bool = True) -> Measured | None:
    """The measured facts of a release, None until there are any; without its first rows where they are withheld."""
    profile = getattr(release, "profile", None)
    if release is None or profile is None or profile.state != ProfileState.DONE:
        return None
    report = profile.report
    files = [_file(one, shows_rows=shows_rows) for one in report["files"]]
    columns = [len(one["columns"]) for one in files if one["columns"]]
    return Measured(
        profile=profile,
        release=release,
        files=files,
        rows=report["rows"],
        column_count=sum(columns) if columns else None,
        newest_date=report["newest_date"],
        parts=_parts(report["files"]),
    )


def _file(report: dict[str, Any], *, shows_rows: bool) -> dict[str, Any]:
    """One file's report with its preview as rows under its columns' names."""
    columns = report.get("columns", [])
    preview = (report.get("preview") or []) if shows_rows else []
    return {
        "path": report["path"],
        "format": report["format"],
        "size_bytes": report["size_bytes"],
        "is_part": report.get("is_part", False),
        "rows": report.get("rows"),
        "columns": columns,
        "profiles": profiles_of(columns),
        "preview_columns": [column["name"] for column in columns][: len((preview or [[]])[0])],
        "preview": preview,
    }


def _parts(files: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The parts of the quality score over all tables: good of so many, each with its formula in words."""
    names = {
        "completeness": (_("Completeness"), _("cells that are not missing")),
        "uniqueness": (_("Uniqueness"), _("rows that repeat no earlier one")),
        "validity": (_("Validity"), _("cells that are of their column’s kind")),
        "timeliness": (_("Timeliness"), _("promised interval over the age of the newest date")),
        "consistency": (_("Consistency"), _("rows that contradict nothing")),
    }
    tables = [report["quality"]["parts"] for report in files if "quality" in report]
    shown = []
    for name in PART_NAMES:
        good, of = sum(parts[name]["good"] for parts in tables), sum(parts[name]["of"] for parts in tables)
        if of:
            label, words = names[name]
            shown.append({"label": label, "score": good / of, "words": percent(good / of), "formula": words})
    return shown


def field_rows(version: Version, facts: Measured | None) -> list[dict[str, Any]]:
    """The field dictionary beside what was measured of the column of that name, and its `kind` in words."""
    found = {column["name"]: column for one in (facts.files if facts else []) for column in one["columns"]}
    rows = [field | {"measured": found.get(field["name"])} for field in version.fields]
    return [row | {"kind": kind_words((row["measured"] or row).get("type", ""))} for row in rows]


def offer_cards(offers: list[Offer]) -> list[dict[str, Any]]:
    """The offers with their licence in plain words of the reader's language."""
    language = get_language() or settings.LANGUAGE_CODE
    return [{"offer": offer, "licence": terms.plain_words(offer.terms, language)} for offer in offers]


def context(product: Product, *, is_own: bool) -> dict[str, Any]:
    """Everything templates/listings/product.html shows."""
    version = product.version
    facts = measured(version.release, shows_rows=not product.rows_withheld)
    found = revisions.of(product.listing)
    return {
        "product": product,
        "listing": product.listing,
        "version": version,
        "joint_members": joint_merchants.members_of(product.listing.seller),
        "registration": product.registration,
        "title_lang": language_of(version, version.titles),
        "measured": facts,
        "sample": product.sample,
        "rows_withheld": product.rows_withheld,
        "revisions": found,
        "differences": _changes(found, version),
        "fields": field_rows(version, facts),
        "offers": offer_cards(cheapest_first(product.offers)),
        "rights": [(name, version.rights.get(name, {})) for name in ("holding", "use", "operation")],
        "is_on_sale": product.listing.state == ListingState.LISTED,
        "is_own": is_own,
        "has_no_channel": product.listing.product_type in WITHOUT_CHANNEL
        and not any(one.price_minor for one in product.offers),
        "takes_money": bool(settings.DEFAULT_GATEWAY),
    }


def _changes(found: list[revisions.Revision], version: Version) -> dict[str, Any] | None:
    """What changed in the version's release since the last one that strangers have seen."""
    if found and found[0].release.pk == version.release_id:
        return found[0].changes
    return differences.shown(version.release, only_approved=True)


def title_of(listing: Listing) -> str:
    """What to call a product before anything of it was approved: the newest title its seller gave it."""
    if listing.current_version:
        return listing.current_version.title
    newest = listing.versions.exclude(titles={}).order_by("-number").first()
    return newest.title if newest else str(listing)
