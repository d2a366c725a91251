"""What the catalogue and a page of its own show of an entry of another exchange."""

from __future__ import annotations

from typing import Any

from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _

from listings.catalogue import Found
from listings.forms import ReasonForm
from listings.models import CatalogueEntry
from listings.search_words import script_of
from marketplace import posted, roles

HTML_LANGUAGES = {"zh-Hans": "zh-Hans", "zh-Hant": "zh-Hant-HK", "": ""}


def card(entry: CatalogueEntry) -> dict[str, Any]:
    """An entry as templates/_product_card.html takes it."""
    return {
        "url": entry.get_absolute_url(),
        "title": entry.title,
        "title_lang": HTML_LANGUAGES[script_of(entry.title + entry.summary)],
        "summary": entry.summary,
        "kind": entry.product_type or "dataset",
        "kind_label": entry.get_product_type_display() or _("Type not given"),
        "seller": entry.merchant,
        "entry_of": entry.exchange,
        "is_gone": entry.gone_at is not None,
        "traits": [trait for trait in (entry.category, entry.price) if trait],
    }


def shelves(found: Found, asked: QueryDict) -> list[dict[str, Any]]:
    """The ways to see all that was found, what is on sale here, and what other exchanges list, with their counts."""
    named = [
        ("", _("Everything"), found.product_count + found.entry_count),
        ("products", _("On sale here"), found.product_count),
        ("entries", _("Listed elsewhere"), found.entry_count),
    ]
    shown = []
    for show, label, count in named:
        query = asked.copy()
        query.pop("page", None)
        query["show"] = show
        shown.append(
            {
                "label": label,
                "count": count,
                "url": f"?{query.urlencode()}",
                "current": found.asked.filters.show == show,
            }
        )
    return shown


def context(entry: CatalogueEntry, *, reader: Any) -> dict[str, Any]:
    """Everything templates/listings/entry.html shows."""
    acts = []
    if roles.staff_may(reader if reader.is_authenticated else None, "withdraw_entry"):
        acts.append(
            {
                "label": _("Withdraw the entry"),
                "url": reverse("desk_catalogue_entry_withdrawal", args=[entry.public_id]),
                "tone": "danger",
                "confirm": _("It leaves the catalogue for good; reading its row again does not bring it back."),
                "form": ReasonForm(auto_id="withdraw_%s"),
                "key": posted.new_key(),
            }
        )
    facts = [
        (_("Identifier there"), entry.identifier),
        (_("Type, as given"), entry.kind),
        (_("Category, as given"), entry.category),
        (_("Price, as given"), entry.price),
        (_("Area covered"), entry.coverage),
        (_("Update frequency"), entry.update_frequency),
        (_("Keywords"), entry.keywords),
    ]
    return {
        "entry": entry,
        "text_lang": HTML_LANGUAGES[script_of(entry.title + entry.summary)],
        "facts": [{"label": label, "value": value} for label, value in facts if value],
        "acts": acts,
    }
