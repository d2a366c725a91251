"""A product manual as a reviewer reads it: field by field, beside the version approved before it, word by word."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from compliance import markings
from compliance.markings import Pair, Part
from listings import terms
from listings.models import Offer, Version
from listings.states import VersionState

# A dictionary may have thousands of fields; a reviewer sees so many here, changed ones first, and all in the API.
SHOWN_FIELDS = 200

LANGUAGE_NAMES = dict(settings.LANGUAGES)  # each in its own words

RIGHTS: dict[str, Any] = {
    "holding": gettext_lazy("Right to hold the resource"),
    "use": gettext_lazy("Right to process and use"),
    "operation": gettext_lazy("Right to operate the product"),
}

LABELS: dict[str, Any] = {
    "titles": gettext_lazy("Title"),
    "summaries": gettext_lazy("Summary"),
    "sector": gettext_lazy("Sector"),
    "coverage_from": gettext_lazy("Covers from"),
    "coverage_until": gettext_lazy("Covers until"),
    "coverage_area": gettext_lazy("Area covered"),
    "coverage_population": gettext_lazy("Population covered"),
    "update_frequency": gettext_lazy("Update frequency"),
    "classification": gettext_lazy("Classification"),
    "has_personal_data": gettext_lazy("Personal information"),
    "has_sensitive_data": gettext_lazy("Sensitive personal information"),
    "persons_count": gettext_lazy("Persons concerned"),
    "leaves_mainland": gettext_lazy("May leave the mainland"),
    "source_statement": gettext_lazy("Source statement"),
    "lawful_basis": gettext_lazy("Lawful basis"),
    "rights": gettext_lazy("Rights"),
    "use_scenarios": gettext_lazy("Use scenarios"),
    "forbidden_uses": gettext_lazy("Forbidden uses"),
    "fields": gettext_lazy("Field dictionary"),
    "release": gettext_lazy("Release"),
    "support_contact": gettext_lazy("Support contact"),
}
FIELD_LABELS: dict[str, Any] = LABELS | {"offers": gettext_lazy("Offers")}


@dataclass(frozen=True)
class Row:
    """One field of the manual: its lines now, and before where a version was approved before, with what differs."""

    name: str
    label: Any
    now: list[list[Part]]
    before: list[list[Part]]
    is_changed: bool
    questions: list[Any] = field(default_factory=list)


def approved_before(version: Version) -> Version | None:
    """The newest version of the product that was approved before this one."""
    earlier = version.listing.versions.filter(state=VersionState.APPROVED, number__lt=version.number)
    return earlier.select_related("release__profile").order_by("-number").first()


def side_by_side(version: Version, before: Version | None, questions: list[Any]) -> list[Row]:
    """Every field of the manual but its dictionary, what changed marked, with the questions asked about it."""
    rows = []
    for name, label in LABELS.items():
        if name == "fields":
            continue
        now, then = _lines(version, name), _lines(before, name) if before else {}
        asked = [question for question in questions if question.field == name]
        lines_now, lines_before = (
            _marked(now, then) if before else ([[Part("same", text)] for text in now.values()], [])
        )
        rows.append(Row(name, label, lines_now, lines_before, before is not None and now != then, asked))
    return rows


def _marked(now: dict[str, str], then: dict[str, str]) -> tuple[list[list[Part]], list[list[Part]]]:
    """Both sides line by line; a line is compared with the one of the same key."""
    parts = {key: markings.of_texts(then.get(key, ""), now.get(key, "")) for key in [*now, *then]}
    return [markings.of_now(parts[key]) for key in now], [markings.of_before(parts[key]) for key in then]


def dictionary(version: Version, before: Version | None) -> tuple[list[Pair], dict[str, int]]:
    """The fields of the dictionary, those that differ first, at most SHOWN_FIELDS; and how many of each kind."""
    if before is None:
        pairs = [Pair("same", None, entry) for entry in version.fields]
    else:
        pairs = markings.of_entries(before.fields, version.fields, key="name")
    counts = {kind: sum(pair.kind == kind for pair in pairs) for kind in ("added", "changed", "removed", "same")}
    return sorted(pairs, key=lambda pair: pair.kind == "same")[:SHOWN_FIELDS], counts


def offers(version: Version, before: Version | None, language: str) -> list[dict[str, Any]]:
    """What is offered now, with its licence in words, and what was on sale when the version before was approved."""
    wanted = Q(closed_at=None)
    since: dt.datetime | None = before.approved_at if before else None
    if since:
        wanted |= Q(created_at__lte=since, closed_at__gt=since)
    rows = (
        Offer.objects.with_discounts()
        .filter(wanted, listing=version.listing_id)
        .order_by("closed_at", "price_minor", "pk")
    )
    return [
        {
            "offer": offer,
            "kind": "removed" if offer.closed_at else "added" if since and offer.created_at > since else "same",
            "licence": terms.plain_words(offer.terms, language),
        }
        for offer in rows[:SHOWN_FIELDS]
    ]


def _lines(version: Version, name: str) -> dict[str, str]:
    """The field as lines of text, each with the key by which it is compared."""
    value = getattr(version, name)
    if name in ("titles", "summaries", "coverage_area"):
        return {
            language: f"{LANGUAGE_NAMES.get(language, language)}{_colon()}{text}"
            for language, text in sorted(value.items())
        }
    if name == "rights":
        return {right: _right(right, claim) for right, claim in sorted(value.items())}
    if name == "release":
        return {"": f"{value.label} · {value.digest}"} if value else {}
    if isinstance(value, bool):
        return {"": _("yes") if value else _("no")}
    display = getattr(version, f"get_{name}_display", None)
    return {"": str(display() if display else value)} if value not in ("", None) else {}


def _right(right: str, claim: dict[str, Any]) -> str:
    name = RIGHTS.get(right, right)
    # Not called within the f-strings: gettext's tools do not look there.
    not_claimed, evidence = _("Not claimed"), _("Evidence")
    if not claim.get("held"):
        return f"{name}{_colon()}{not_claimed}"
    return f"{name}{_colon()}{claim.get('basis', '')} · {evidence}{_colon()}{claim.get('evidence', '')}"


def _colon() -> str:
    """What stands between a word and what is said of it, in the reader's language."""
    return pgettext("after a word, before what is said of it", ": ")
