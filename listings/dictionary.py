"""A field dictionary drafted from what was measured, for the seller to complete.

Nothing the seller wrote is overwritten. A meaning is never guessed: it stays empty, and `manual.lacks` asks for it.
Shares of missing cells are not written down either: pages show what was measured beside each field.
"""

from __future__ import annotations

import re
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from listings import manual, publishing
from listings.models import Listing, Version
from listings.states import ProfileState
from marketplace.errors import WrongState
from marketplace.models import User

# Units by the last word of a name, or by what stands in brackets at its end: 重量（千克）, distance [km].
BRACKETS = re.compile(r"[(（\[［]([^()（）\[\]［］]{1,12})[)）\]］]\s*$")
LAST_WORD = re.compile(r"[_\-. ]([a-z%°]+)$")
UNITS = {
    **{"kg": "kg", "g": "g", "t": "t", "tonnes": "t", "lb": "lb", "km": "km", "m": "m", "cm": "cm", "mm": "mm"},
    **{"mi": "mi", "miles": "mi", "ft": "ft", "m2": "m²", "sqm": "m²", "m3": "m³", "ha": "ha", "l": "l"},
    **{"seconds": "s", "sec": "s", "secs": "s", "ms": "ms", "minutes": "min", "min": "min", "hours": "h", "days": "d"},
    **{"pct": "%", "percent": "%", "celsius": "°C", "degc": "°C", "fahrenheit": "°F", "hpa": "hPa", "kpa": "kPa"},
    **{"kmh": "km/h", "mph": "mph", "kw": "kW", "kwh": "kWh", "mw": "MW", "mwh": "MWh", "mb": "MB", "gb": "GB"},
    **{"cny": "CNY", "rmb": "CNY", "usd": "USD", "hkd": "HKD", "eur": "EUR", "teu": "TEU"},
}
ALSO_STATISTICS = {"min"}  # a last word of a name that is as often a minimum as minutes
NUMBERS = {"integer", "number"}


@transaction.atomic
def draft_from_profile(version: Version, *, by: User) -> Version:
    """Add a field for every measured column the draft's dictionary lacks, and fill what its fields leave empty.

    Raises RoleNeeded, WrongState for a submitted version or `not_measured` without a measured release, and Invalid
    where the columns are more than a dictionary takes.
    """
    Listing.objects.select_for_update().get(pk=version.listing_id)  # as every command of a version: listing first
    version = Version.objects.select_related("release__profile", "listing__seller").get(pk=version.pk)
    publishing.require_draft(version, by=by)
    profile = getattr(version.release, "profile", None)
    if profile is None or profile.state != ProfileState.DONE:
        raise WrongState(
            _("There is no measured release to draft the dictionary from."),
            code="not_measured",
            next=_("Choose a sealed release in the manual and wait until it has been measured."),
        )
    return publishing.edit(version, by=by, fields=drafted(version.fields, profile.report))


def drafted(fields: list[dict[str, Any]], report: dict[str, Any]) -> list[dict[str, Any]]:
    """The dictionary `fields`, completed from a profile's report; a new list."""
    measured = {column["name"]: column for one in report["files"] for column in one.get("columns", [])}
    named = {field["name"] for field in fields}
    blank = [{"name": name, "meaning": "", "is_key": False} for name in measured if _fits(name) and name not in named]
    return [_completed(field, measured.get(field["name"])) for field in [*fields, *blank]]


def unit_of(name: str, kind: str, place: str) -> str:
    """A guess at the unit of a column of numbers by its name; empty where the name says nothing."""
    if place in ("latitude", "longitude"):
        return "°"
    if kind not in NUMBERS:
        return ""
    if in_brackets := BRACKETS.search(name):
        return in_brackets[1].strip()
    last = LAST_WORD.search(name.lower())
    if last is None or last[1] in ALSO_STATISTICS:
        return ""
    return UNITS.get(last[1], "")


def _completed(field: dict[str, Any], column: dict[str, Any] | None) -> dict[str, Any]:
    if column is None:
        return dict(field)
    found = {
        "type": column["type"],
        "unit": unit_of(column["name"], column["type"], column.get("place", "")),
        "example": (column.get("examples") or [""])[0],
    }
    return {**field, **{part: field.get(part) or value for part, value in found.items()}}


def _fits(name: str) -> bool:
    """A manual keeps plain names without blanks around them; a column named otherwise cannot stand in it."""
    return bool(name) and len(name) <= manual.FIELD_TEXTS["name"] and name.isprintable() and name == name.strip()
