"""A product manual as a reviewer reads it: field by field, beside the version approved before it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from listings.models import Version
from listings.states import VersionState

# A dictionary may have thousands of fields; a reviewer sees so many here and the rest in the API.
SHOWN_FIELDS = 200

RIGHTS: dict[str, Any] = {
    "holding": gettext_lazy("Right to hold the resource"),
    "use": gettext_lazy("Right to process and use"),
    "operation": gettext_lazy("Right to operate the product"),
}

LABELS: dict[str, Any] = {
    "titles": gettext_lazy("Title"),
    "summaries": gettext_lazy("Summary"),
    "sector": gettext_lazy("Sector"),
    "coverage_time": gettext_lazy("Period covered"),
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


@dataclass(frozen=True)
class Row:
    """One field of the manual: its lines now, and before where there was a version approved before."""

    label: Any
    now: list[str]
    before: list[str]
    is_changed: bool


def approved_before(version: Version) -> Version | None:
    """The newest version of the product that was approved before this one."""
    earlier = version.listing.versions.filter(state=VersionState.APPROVED, number__lt=version.number)
    return earlier.select_related("release").order_by("-number").first()


def side_by_side(version: Version, before: Version | None) -> list[Row]:
    """Every field of the manual, those that changed marked."""
    rows = []
    for name, label in LABELS.items():
        now, then = _lines(version, name), _lines(before, name) if before else []
        rows.append(Row(label, now[:SHOWN_FIELDS], then[:SHOWN_FIELDS], before is not None and now != then))
    return rows


def _lines(version: Version, name: str) -> list[str]:
    """The field as lines of text."""
    value = getattr(version, name)
    if name in ("titles", "summaries"):
        return [f"{language}: {text}" for language, text in sorted(value.items())]
    if name == "fields":
        return [_field(entry) for entry in value]
    if name == "rights":
        return [_right(right, claim) for right, claim in sorted(value.items())]
    if name == "release":
        return [f"{value.label} · {value.digest}"] if value else []
    if isinstance(value, bool):
        return [_("yes") if value else _("no")]
    display = getattr(version, f"get_{name}_display", None)
    return [str(display() if display else value)] if value not in ("", None) else []


def _field(entry: dict[str, Any]) -> str:
    facts = ", ".join(filter(None, [entry.get("type"), entry.get("unit"), _("key") if entry.get("is_key") else ""]))
    return f"{entry.get('name', '')} ({facts}): {entry.get('meaning', '')}"


def _right(right: str, claim: dict[str, Any]) -> str:
    name = RIGHTS.get(right, right)
    # Not called within the f-strings: gettext's tools do not look there.
    not_claimed, evidence = _("Not claimed"), _("Evidence")
    if not claim.get("held"):
        return f"{name}: {not_claimed}"
    return f"{name}: {claim.get('basis', '')} · {evidence}: {claim.get('evidence', '')}"
