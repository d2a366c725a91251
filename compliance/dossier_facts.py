"""The facts of each section of an application: what they are, in which form they are kept, and which are needed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import models
from django.utils import formats
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from compliance.dossier_models import Section
from listings.models import Version
from marketplace import clock, marks
from marketplace.errors import Invalid
from marketplace.models import Organisation
from marketplace.organisation_facts import FIELDS, one_line
from marketplace.regions import COUNTRY_NAMES, REGION_NAMES

MOST_OWNERS = 20
LONGEST_CHARACTERS = 200
WHOLE_BASIS_POINTS = 10_000


class MerchantKind(models.TextChoices):
    """The categories of data merchant of the Shanghai Data Exchange (CTC 2022-08-16)."""

    PARTY = "party", _("Provider or buyer of data")
    DELIVERY = "delivery", _("Data delivery")
    ASSESSMENT = "assessment", _("Professional assessment")
    INTERMEDIARY = "intermediary", _("Data intermediary")
    CONSULTING = "consulting", _("Data consulting")
    OTHER = "other", _("Other data services")


EMPTY: dict[str, dict[str, Any]] = {
    Section.REPRESENTATIVE: {"name": "", "position": ""},
    Section.ACTIVITY: {
        "sector": "", "merchant_kinds": [], "is_critical_operator": None, "is_listed_company": None, "listed_at": "",
    },
    Section.OWNERS: {"owners": [], "has_none": False},
    Section.CONTACTS: {
        "security_name": "", "security_email": "", "security_phone": "",
        "privacy_name": "", "privacy_email": "", "privacy_phone": "",
    },
    Section.BANK: {"holder": "", "bank": "", "reference": ""},
}  # fmt: skip

LABELS: dict[str, Any] = {
    "name": pgettext_lazy("of a person", "Name"),
    "position": pgettext_lazy("of a person in an organisation", "Position"),
    "sector": _("Sector"),
    "merchant_kinds": _("Kinds of data merchant"),
    "is_critical_operator": _("Operator of critical information infrastructure"),
    "is_listed_company": _("Listed company"),
    "listed_at": _("Exchange and stock code"),
    "owners": _("Beneficial owners"),
    "has_none": _("No natural person holds a quarter of it or controls it otherwise"),
    "security_name": _("Security contact"),
    "security_email": _("Security contact, e-mail"),
    "security_phone": _("Security contact, telephone"),
    "privacy_name": _("Privacy contact (data protection officer)"),
    "privacy_email": _("Privacy contact, e-mail"),
    "privacy_phone": _("Privacy contact, telephone"),
    "holder": _("Account holder"),
    "bank": _("Bank"),
    "reference": _("Account number"),
    "kinds": _("Kinds"),
    "latin_name": _("Name in Latin script"),
    "country": _("Country or territory"),
    "region": _("Region"),
    "number_kind": _("Kind of registration number"),
    "registration_number": _("Registration number"),
}

NEEDED: dict[str, tuple[str, ...]] = {
    Section.REPRESENTATIVE: ("name", "position"),
    Section.ACTIVITY: ("sector", "merchant_kinds", "is_critical_operator", "is_listed_company"),
    Section.OWNERS: (),
    Section.CONTACTS: ("security_name", "security_email", "privacy_name", "privacy_email"),
    Section.BANK: (),
}

Wrong = Callable[[str, str], None]


def checked(section: str, said: Mapping[str, Any]) -> dict[str, Any]:
    """The section's facts in the form they are kept; what is not said is empty.

    Raises Invalid, with a reason for each fact that cannot be used. What is merely missing is told by `lacks`.
    """
    if section not in EMPTY:
        raise Invalid(_("A section is one of: %(known)s."), code="no_such_section", known=", ".join(EMPTY))
    reasons: list[dict[str, str]] = []

    def wrong(field: str, detail: str) -> None:
        reasons.append({"code": "invalid", "field": field, "detail": detail, "next": ""})

    kept = {field: _kept(field, said.get(field), empty, wrong) for field, empty in EMPTY[section].items()}
    if section == Section.ACTIVITY and not kept["is_listed_company"]:
        kept["listed_at"] = ""
    if kept.get("owners") and kept["has_none"]:
        wrong("has_none", gettext("Either name the owners or say that there are none."))
    if reasons:
        raise Invalid(_("Some facts about the organisation cannot be used."), reasons=reasons)
    return kept


def lacks(section: str, facts: Mapping[str, Any]) -> list[str]:
    """The fields that must be filled before the organisation can apply."""
    missing = [field for field in NEEDED[section] if facts.get(field) in ("", None, [])]
    if section == Section.ACTIVITY and facts.get("is_listed_company") and not facts.get("listed_at"):
        missing.append("listed_at")
    if section == Section.OWNERS and not facts.get("owners") and not facts.get("has_none"):
        missing.append("owners")
    return missing


def _kept(field: str, value: Any, empty: Any, wrong: Wrong) -> Any:
    if value is None:
        return empty
    if field == "owners":
        return _owners(value, wrong)
    if field == "merchant_kinds":
        if not isinstance(value, list) or not set(map(str, value)) <= set(MerchantKind.values):
            known = ", ".join(MerchantKind.values)
            wrong(field, gettext("A kind of data merchant is one of: %(known)s.") % {"known": known})
            return []
        return sorted(set(value))
    if isinstance(empty, bool) or empty is None:
        if not isinstance(value, bool):
            wrong(field, gettext("Answer yes or no."))
        return value
    text = one_line(str(value))
    if len(text) > LONGEST_CHARACTERS:
        wrong(field, gettext("At most %(most)s characters.") % {"most": LONGEST_CHARACTERS})
    elif field == "sector" and text and text not in Version.Sector.values:
        wrong(field, gettext("A sector is one of: %(known)s.") % {"known": ", ".join(Version.Sector.values)})
    elif field.endswith("_email") and text:
        try:
            validate_email(text)
        except ValidationError:
            wrong(field, gettext("This is not an e-mail address."))
    return text


def _owners(rows: Any, wrong: Wrong) -> list[dict[str, Any]]:
    if not isinstance(rows, list) or len(rows) > MOST_OWNERS or not all(isinstance(row, Mapping) for row in rows):
        detail = gettext("Name at most %(most)s owners, each with name, country, share and since when.")
        wrong("owners", detail % {"most": MOST_OWNERS})
        return []
    kept: list[dict[str, Any]] = []
    for row in rows:
        name, country, since = (one_line(str(row.get(part) or "")) for part in ("name", "country", "since"))
        share = row.get("share_basis_points")
        if not 2 <= len(name) <= LONGEST_CHARACTERS:
            wrong("owners", gettext("Each owner has a name."))
        if country not in COUNTRY_NAMES:
            wrong("owners", gettext("Name each owner's country or territory by its two capitals of ISO 3166."))
        if not isinstance(share, int) or isinstance(share, bool) or not 0 <= share <= WHOLE_BASIS_POINTS:
            wrong("owners", gettext("A share is between 0 and 10,000 basis points (100 %)."))
            share = 0
        if not _is_past_day(since):
            wrong("owners", gettext("Say since which day each owner holds the share: YYYY-MM-DD, today at the latest."))
        kept.append({"name": name, "country": country, "share_basis_points": share, "since": since})
    if sum(row["share_basis_points"] for row in kept) > WHOLE_BASIS_POINTS:
        wrong("owners", gettext("The shares together are more than 100 %."))
    return kept


def _is_past_day(text: str) -> bool:
    try:
        return dt.date.fromisoformat(text) <= clock.today()
    except ValueError:
        return False


def shown(section: str, facts: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The facts as people read them: `{field, label, value}`, in the order they are asked."""
    return [
        {"field": field, "label": _label(section, field), "value": _words(field, value)}
        for field, value in ((field, facts.get(field)) for field in _order(section))
    ]


def _order(section: str) -> list[str]:
    return list(FIELDS) if section == Section.IDENTITY else list(EMPTY[section])


def _label(section: str, field: str) -> Any:
    """Chinese calls the name of an organisation otherwise than that of a person."""
    return _("Name") if (section, field) == (Section.IDENTITY, "name") else LABELS[field]


def _owner(row: Mapping[str, Any]) -> str:
    """Who, of where, with which share since when."""
    country = COUNTRY_NAMES.get(row["country"], row["country"])
    since = formats.date_format(dt.date.fromisoformat(row["since"]))
    share = marks.percent(f"{row['share_basis_points'] / 100:g}")
    return f"{row['name']} · {country} · {share} · {since}"


def _words(field: str, value: Any) -> Any:
    if field == "owners":
        return [_owner(row) for row in value]
    if field in ("merchant_kinds", "kinds"):
        choices = MerchantKind if field == "merchant_kinds" else Organisation.Kind
        return [str(choices(kind).label) for kind in value or []]
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    if field == "sector" and value:
        return Version.Sector(value).label
    if field == "country":
        return COUNTRY_NAMES.get(str(value), value)
    if field == "region":
        return REGION_NAMES.get(str(value), value)
    if field == "number_kind" and value:
        return Organisation.NumberKind(value).label
    return value if value is not None else ""
