"""What a product manual (数据产品说明书) holds: the form of each of its fields, and what a draft still lacks.

`cleaned` takes anything a form or a script may send and answers values that fit the columns, or refuses naming every
field that is wrong. `lacks` reads one version and says what keeps it from being submitted. Both are without effects.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Callable
from typing import Any, NotRequired, TypedDict

from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from listings import personal_found, plain_text
from listings.models import MANUAL, Classification, ProductType, Version
from listings.states import ProfileState
from listings.terms_words import LANGUAGES
from marketplace import languages
from marketplace.errors import Invalid

MOST_FIELDS = 2000
MOST_PERSONS = 10**11
RIGHTS = ("holding", "use", "operation")
RIGHT_NAMES = {
    "holding": pgettext_lazy("a right", "holding"),
    "use": pgettext_lazy("a right", "use"),
    "operation": pgettext_lazy("a right", "operation"),
}
# The fields of one value each, as a form shows them.
PLAIN_FIELDS = (
    *("sector", "coverage_from", "coverage_until", "coverage_population", "update_frequency", "use_scenarios"),
    *("forbidden_uses", "source_statement", "lawful_basis", "classification", "has_personal_data"),
    *("has_sensitive_data", "persons_count", "leaves_mainland", "support_contact"),
)
FIELD_TEXTS = {"name": 200, "type": 60, "meaning": 1000, "unit": 60, "example": 120}
LONGEST_TITLE, LONGEST_SUMMARY, LONGEST_TEXT, LONGEST_STATEMENT, LONGEST_AREA = 160, 2000, 4000, 1000, 200
# From the least to the most sensitive.
GRADES = [
    Classification.GENERAL_1,
    Classification.GENERAL_2,
    Classification.GENERAL_3,
    Classification.GENERAL_4,
    Classification.IMPORTANT,
    Classification.CORE,
]
# A report, a model or a service has no columns to explain.
_HAS_FIELDS = {ProductType.DATASET, ProductType.API}


class Problem(TypedDict):
    """One thing that is wrong or missing: a stable code, a sentence, and the field of the manual it is about.

    `at` says where in that field, if it has parts: a language, or a right.
    """

    code: str
    detail: str
    field: str
    at: NotRequired[str]


class _Wrong(plain_text.NotPlain):
    """The sentence says what is wrong with one value."""


def cleaned(manual: dict[str, Any]) -> dict[str, Any]:
    """The same manual in the form it is stored in. Raises Invalid with one reason for each wrong field."""
    good: dict[str, Any] = {}
    reasons: list[dict[str, str]] = []
    for field, value in manual.items():
        if field not in _FORMS:
            name = str(field)[:40].encode("ascii", "backslashreplace").decode()
            reasons.append(
                {
                    "code": "unknown_field",
                    "detail": gettext("A manual has no field “%(name)s”.") % {"name": name},
                    "field": name,
                }
            )
            continue
        try:
            good[field] = _FORMS[field](value)
        except plain_text.NotPlain as wrong:
            reasons.append({"code": f"wrong_{field}", "detail": str(wrong), "field": field})
    if reasons:
        raise Invalid(
            gettext("The manual was not changed: %(why)s"),
            code="wrong_manual",
            reasons=reasons,
            why=reasons[0]["detail"],
        )
    return good


def mark(version: Version) -> str:
    """A short digest of everything the manual says: the same as long as nobody changes it."""
    told = {field: version.release_id if field == "release" else getattr(version, field) for field in MANUAL}
    return hashlib.sha256(json.dumps(told, sort_keys=True, default=str).encode()).hexdigest()[:16]


def lacks(version: Version) -> list[Problem]:
    """Everything that keeps this manual from being submitted, in the order of the form; empty when it is whole."""
    return [
        *_missing_words(version),
        *_missing_facts(version),
        *_wrong_rights(version),
        *_wrong_classification(version),
        *_wrong_release(version),
    ]


_PARTS = {"titles": _("titles"), "summaries": _("summaries")}


def _problem(code: str, field: str, detail: str, at: str = "") -> Problem:
    problem: Problem = {"code": code, "detail": detail, "field": field}
    return {**problem, "at": at} if at else problem


def _missing_words(version: Version) -> list[Problem]:
    found = []
    if not version.titles:
        found.append(_problem("title_missing", "titles", gettext("Give the product a title in at least one language.")))
    for language in LANGUAGES:
        if bool(version.titles.get(language)) != bool(version.summaries.get(language)):
            here, there = ("titles", "summaries") if version.titles.get(language) else ("summaries", "titles")
            detail = gettext("The %(here)s have %(language)s, the %(there)s do not: give both, or neither.") % {
                "here": _PARTS[here],
                "language": languages.KNOWN[language],
                "there": _PARTS[there],
            }
            found.append(_problem("language_missing", there, detail, language))
        elif version.coverage_area and version.titles.get(language) and not version.coverage_area.get(language):
            detail = gettext("The title has %(language)s, the area covered does not.") % {
                "language": languages.KNOWN[language]
            }
            found.append(_problem("language_missing", "coverage_area", detail, language))
    return found


def _missing_facts(version: Version) -> list[Problem]:
    needed = {
        "sector": gettext("Choose the sector."),
        "coverage_from": gettext("Say from which day the data covers."),
        "coverage_area": gettext("Say which area the data covers."),
        "update_frequency": gettext("Say how often the data is updated."),
        "use_scenarios": gettext("Describe what the data is good for."),
        "forbidden_uses": gettext("Say what the data must not be used for."),
        "source_statement": gettext("State where the data comes from."),
        "lawful_basis": gettext("Choose the lawful basis on which you hold the data."),
        "support_contact": gettext("Say where a buyer gets help."),
    }
    found = [
        _problem(f"{field}_missing", field, detail)
        for field, detail in needed.items()
        if not str(getattr(version, field) or "").strip()
    ]
    start, end = version.coverage_from, version.coverage_until
    if start and end and end < start:
        detail = gettext("The period covered ends before it begins.")
        found.append(_problem("period_ends_first", "coverage_until", detail))
    if version.listing.product_type in _HAS_FIELDS and not version.fields:
        found.append(
            _problem("fields_missing", "fields", gettext("Explain each field of the data in the field dictionary."))
        )
    for position, field in enumerate(version.fields, 1):
        if not field.get("name") or not field.get("meaning"):
            called = f" ({field['name']})" if field.get("name") else ""
            detail = gettext("Field %(position)s of the dictionary%(called)s needs a name and a meaning.") % {
                "position": position,
                "called": called,
            }
            found.append(_problem("field_unexplained", "fields", detail))
    return found


def _wrong_rights(version: Version) -> list[Problem]:
    found = []
    for right in RIGHTS:
        claim = version.rights.get(right)
        if claim is None:
            found.append(
                _problem(
                    "right_missing",
                    "rights",
                    gettext("Say whether you hold the right of %(right)s.") % {"right": RIGHT_NAMES[right]},
                    right,
                )
            )
        elif claim["held"] and not (claim["basis"] and claim["evidence"]):
            detail = gettext("The right of %(right)s is claimed without its basis and evidence.") % {
                "right": RIGHT_NAMES[right]
            }
            found.append(_problem("right_without_evidence", "rights", detail, right))
    if (version.rights.get("operation") or {}).get("held") is False:
        detail = gettext("Only who holds the right to operate the product may sell it.")
        found.append(_problem("operation_right_needed", "rights", detail, "operation"))
    return found


def _wrong_classification(version: Version) -> list[Problem]:
    """The floors for personal information follow TC260-PG-20212A (2021): general 2, and general 4 where sensitive."""
    found = []
    grade = version.classification
    if not grade:
        found.append(
            _problem("classification_missing", "classification", gettext("Choose the classification of the data."))
        )
    elif grade == Classification.CORE:
        found.append(_problem("core_data", "classification", gettext("Core data cannot be listed at all.")))
    if version.has_sensitive_data and not version.has_personal_data:
        detail = gettext("Sensitive personal information is personal information: say that the data contains it.")
        found.append(_problem("personal_data_contradiction", "has_personal_data", detail))
    if version.has_personal_data:
        if version.persons_count == 0:
            detail = gettext("Say how many persons the personal information is about.")
            found.append(_problem("persons_count_missing", "persons_count", detail))
        if not version.coverage_population.strip():
            detail = gettext("Say which persons the data is about.")
            found.append(_problem("coverage_population_missing", "coverage_population", detail))
        floor = Classification.GENERAL_4 if version.has_sensitive_data else Classification.GENERAL_2
        if grade and GRADES.index(Classification(grade)) < GRADES.index(floor):
            detail = gettext("Data with such personal information is at least %(floor)s.") % {
                "floor": floor.label.lower()
            }
            found.append(_problem("classification_too_low", "classification", detail))
    elif version.persons_count:
        detail = gettext("Persons are counted, but the data is said to contain no personal information.")
        found.append(_problem("personal_data_contradiction", "persons_count", detail))
    return found


def _wrong_release(version: Version) -> list[Problem]:
    release = version.release
    if release is None:
        return [_problem("release_missing", "release", gettext("Choose the release this manual describes."))]
    if release.sealed_at is None:
        return [
            _problem(
                "release_not_sealed",
                "release",
                gettext("Release %(release)s is still open: seal it first.") % {"release": release},
            )
        ]
    profile = release.profile
    if profile.state == ProfileState.FAILED:
        return [
            _problem(
                "profile_failed",
                "release",
                gettext("Release %(release)s could not be measured: %(error)s")
                % {"release": release, "error": profile.why},
            )
        ]
    if profile.state != ProfileState.DONE:
        return [
            _problem(
                "profile_not_ready",
                "release",
                gettext("Release %(release)s is still being measured.") % {"release": release},
            )
        ]
    found = (profile.report or {}).get("personal_columns", [])
    return [_problem(one["code"], one["field"], one["detail"]) for one in personal_found.contradictions(version, found)]


def _text(longest: int) -> Callable[[object], str]:
    return lambda value: plain_text.cleaned(value, longest)


def _by_language(longest: int) -> Callable[[object], dict[str, str]]:
    clean_text = _text(longest)

    def clean(value: object) -> dict[str, str]:
        if not isinstance(value, dict) or not set(value) <= set(LANGUAGES):
            raise _Wrong(gettext("Give an object with texts by language: %(known)s.") % {"known": ", ".join(LANGUAGES)})
        texts = {language: clean_text(value[language]) for language in LANGUAGES if language in value}
        return {language: text for language, text in texts.items() if text}

    return clean


def _choice(choices: list[str]) -> Callable[[object], str]:
    def clean(value: object) -> str:
        if not isinstance(value, str) or value not in [*choices, ""]:
            raise _Wrong(gettext("Choose one of %(known)s.") % {"known": ", ".join(choices)})
        return value

    return clean


def _day(value: object) -> dt.date | None:
    if value is None or value == "":
        return None
    if isinstance(value, dt.date):
        return value
    try:
        return dt.date.fromisoformat(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise _Wrong(gettext("Give a day as in 2026-11-30.")) from None


def _truth(value: object) -> bool:
    if not isinstance(value, bool):
        raise _Wrong(gettext("Say true or false."))
    return value


def _count(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MOST_PERSONS:
        raise _Wrong(gettext("Give a whole number from 0 to %(most_persons)s.") % {"most_persons": f"{MOST_PERSONS:,}"})
    return value


def _field_dictionary(value: object) -> list[dict[str, Any]]:
    if not isinstance(value, list) or len(value) > MOST_FIELDS:
        raise _Wrong(gettext("Give a list of at most %(most_fields)s fields.") % {"most_fields": f"{MOST_FIELDS:,}"})
    fields, names = [], set()
    for position, entry in enumerate(value, 1):
        if not isinstance(entry, dict) or not set(entry) <= {*FIELD_TEXTS, "is_key"}:
            raise _Wrong(
                gettext("Field %(position)s is not an object of %(known)s and is_key.")
                % {"position": position, "known": ", ".join(FIELD_TEXTS)}
            )
        try:
            field: dict[str, Any] = {part: _text(longest)(entry.get(part, "")) for part, longest in FIELD_TEXTS.items()}
            field["is_key"] = _truth(entry.get("is_key", False))
            if not field["example"]:
                del field["example"]
        except plain_text.NotPlain as wrong:
            raise _Wrong(gettext("Field %(position)s: %(wrong)s") % {"position": position, "wrong": wrong}) from None
        if field["name"] in names:
            raise _Wrong(gettext("Field %(position)s has the name of an earlier one.") % {"position": position})
        names.add(field["name"])
        fields.append(field)
    return fields


def _rights(value: object) -> dict[str, dict[str, Any]]:
    if not isinstance(value, dict) or not set(value) <= set(RIGHTS):
        raise _Wrong(gettext("Give an object with the rights %(known)s.") % {"known": ", ".join(RIGHTS)})
    rights = {}
    for right in RIGHTS:
        if right not in value:
            continue
        claim = value[right]
        if not isinstance(claim, dict) or not set(claim) <= {"held", "basis", "evidence"}:
            raise _Wrong(
                gettext("The right of %(right)s is an object of held, basis and evidence.")
                % {"right": RIGHT_NAMES[right]}
            )
        statement = _text(LONGEST_STATEMENT)
        rights[right] = {
            "held": _truth(claim.get("held", False)),
            "basis": statement(claim.get("basis", "")),
            "evidence": statement(claim.get("evidence", "")),
        }
    return rights


def _as_given(value: object) -> object:
    """The release: `publishing.edit` looks at it, because whether it fits depends on the listing."""
    return value


_FORMS: dict[str, Callable[[Any], Any]] = {
    "titles": _by_language(LONGEST_TITLE),
    "summaries": _by_language(LONGEST_SUMMARY),
    "sector": _choice(Version.Sector.values),
    "coverage_from": _day,
    "coverage_until": _day,
    "coverage_area": _by_language(LONGEST_AREA),
    "coverage_population": _text(200),
    "update_frequency": _choice(Version.Frequency.values),
    "fields": _field_dictionary,
    "use_scenarios": _text(LONGEST_TEXT),
    "forbidden_uses": _text(LONGEST_TEXT),
    "source_statement": _text(LONGEST_TEXT),
    "lawful_basis": _choice(Version.Basis.values),
    "rights": _rights,
    "classification": _choice(Classification.values),
    "has_personal_data": _truth,
    "has_sensitive_data": _truth,
    "persons_count": _count,
    "leaves_mainland": _truth,
    "support_contact": _text(200),
    "release": _as_given,
}
