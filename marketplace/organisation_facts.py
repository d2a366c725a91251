"""What an organisation says of itself when it registers, checked field by field."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from marketplace import registration_numbers
from marketplace.errors import Invalid
from marketplace.models import Organisation
from marketplace.regions import COUNTRY_NAMES, regions_of

FIELDS = ("kinds", "name", "latin_name", "country", "region", "number_kind", "registration_number")


def checked(
    kinds: Sequence[str],
    name: str,
    latin_name: str,
    country: str,
    region: str,
    number_kind: str,
    registration_number: str,
) -> dict[str, object]:
    """The facts in the form they are kept. Raises Invalid with one reason a field, so that a form can mark them all."""
    reasons = []

    def wrong(field: str, detail: str) -> None:
        reasons.append({"code": "invalid", "field": field, "detail": detail, "next": ""})

    kept = sorted(set(kinds))
    if not kept or set(kept) - set(Organisation.Kind.values):
        wrong(
            "kinds", gettext("Name at least one kind of: %(known)s.") % {"known": ", ".join(Organisation.Kind.values)}
        )
    names = {"name": one_line(name), "latin_name": one_line(latin_name)}
    for field, written in names.items():
        if not 2 <= len(written) <= 200:
            wrong(field, gettext("A name has 2 to 200 characters."))
    if not _is_latin(names["latin_name"]):
        wrong("latin_name", gettext("Write this name in Latin letters."))
    if country not in COUNTRY_NAMES:
        wrong("country", gettext("Name the country or territory by its two capitals of ISO 3166."))
    elif region not in regions_of(country):
        wrong(
            "region",
            gettext("For %(country)s the region is one of: %(known)s.")
            % {"country": country, "known": ", ".join(regions_of(country))},
        )
    number = registration_number
    if number_kind not in Organisation.NumberKind.values:
        wrong(
            "number_kind",
            gettext("The kind of number is one of: %(known)s.") % {"known": ", ".join(Organisation.NumberKind.values)},
        )
    elif (number_kind == "uscc" and country != "CN") or (number_kind == "hk_br" and country != "HK"):
        wrong("number_kind", gettext("A number of this kind is not given in this country or territory."))
    else:
        try:
            number = registration_numbers.check(number_kind, registration_number)
        except registration_numbers.NotARegistrationNumber as mistake:
            wrong("registration_number", str(mistake))
    if reasons:
        raise Invalid(_("Some facts about the organisation cannot be used."), reasons=reasons)
    return {
        "kinds": kept,
        **names,
        "country": country,
        "region": region,
        "number_kind": number_kind,
        "registration_number": number,
    }


def require_same_jointness(organisation: Organisation, kinds: Iterable[str]) -> None:
    """Raises Invalid `joint_for_life` where an organisation would become a joint merchant or cease to be one."""
    if (Organisation.Kind.JOINT in organisation.kinds) != (Organisation.Kind.JOINT in kinds):
        raise Invalid(
            _("An organisation is a joint merchant from its registration on, or never."),
            code="joint_for_life",
            next=_("Leave this kind as it is, or register another organisation."),
        )


def one_line(text: str) -> str:
    """The text without control characters and with single spaces."""
    visible = "".join(" " if unicodedata.category(character).startswith("C") else character for character in text)
    return " ".join(visible.split())


def _is_latin(text: str) -> bool:
    return all("LATIN" in unicodedata.name(character, "") for character in text if character.isalpha())
