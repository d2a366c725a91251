"""Personal information that the exchange measured, held against what a manual says of it."""

from __future__ import annotations

from typing import Any, TypedDict

from django.utils.translation import gettext

from listings.models import Profile, Version

# Financial accounts are sensitive personal information: PIPL (2021) art. 28.
SENSITIVE_KINDS = {"bank_card"}


class Contradiction(TypedDict):
    """A stable code, a sentence, and the field of the manual that understates."""

    code: str
    detail: str
    field: str


def columns_of(version: Version) -> list[dict[str, Any]]:
    """The personal columns measured in the release this version names: `{path, column, kinds}`. One statement."""
    found = Profile.objects.filter(release=version.release_id).values_list("report__personal_columns", flat=True)
    return found.first() or []


def contradictions(version: Version, columns: list[dict[str, Any]]) -> list[Contradiction]:
    """How the manual understates what was found in these columns; empty where it does not."""
    names = ", ".join(column["column"] for column in columns[:5])
    if columns and not version.has_personal_data:
        detail = gettext("Personal information was found in %(columns)s, but the manual says that there is none.") % {
            "columns": names
        }
        return [{"code": "personal_data_found", "detail": detail, "field": "has_personal_data"}]
    sensitive = [column["column"] for column in columns if SENSITIVE_KINDS & set(column["kinds"])]
    if sensitive and not version.has_sensitive_data:
        detail = gettext(
            "Numbers of bank cards were found in %(columns)s: say that there is sensitive personal information."
        ) % {"columns": ", ".join(sensitive[:5])}
        return [{"code": "sensitive_data_found", "detail": detail, "field": "has_sensitive_data"}]
    return []
