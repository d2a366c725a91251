"""Usage terms of an offer as data: what the licence allows, checked, compared and said in plain words.

Terms are a plain JSON object, so that an offer keeps them, a trade freezes them and a contract's digest covers them:

    purposes        list of PURPOSES, at least one
    territory       list of ISO 3166-1 codes from TERRITORIES (mainland CN, Hong Kong HK and Macao MO are three),
                    or ["*"] for the whole world
    term_months     whole months from delivery, or null for a licence without end
    derived_works   "none", "internal" (for the licensee's own use) or "free" (also for others)
    redistribution  "none", "group" (companies of the licensee's group) or "same_terms" (anyone, on the same terms)
    seats           how many people may use the data, or null for everyone in the organisation
    personal_data   "none", "deidentified" or "personal": what the data holds, hence how it must be handled

A free trial's terms also say `term_days`, whole days from delivery, and then no `term_months`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NotRequired, TypedDict, cast

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from listings.terms_words import LANGUAGES, PURPOSES, TERRITORIES, WORDS, joined
from marketplace.errors import Text

ANYWHERE = "*"
LONGEST_TERM_MONTHS = 600
LONGEST_TERM_DAYS = 90  # of a trial
MOST_SEATS = 1_000_000
DERIVED_WORKS = ("none", "internal", "free")
REDISTRIBUTION = ("none", "group", "same_terms")
PERSONAL_DATA = ("none", "deidentified", "personal")
# What can only be done with something made from the data.
_PURPOSES_NEEDING_DERIVED_WORKS = ("model_training", "product_development", "customer_services", "publication")


class Terms(TypedDict):
    """The terms of one licence; see the module's docstring for the meaning of each."""

    purposes: list[str]
    territory: list[str]
    term_months: int | None
    derived_works: str
    redistribution: str
    seats: int | None
    personal_data: str
    term_days: NotRequired[int]


class Problem(TypedDict):
    """Why terms cannot be offered: a stable code and a sentence for the seller."""

    code: str
    detail: str


class Item(TypedDict):
    """One sentence of the licence, and who sees to it: the exchange itself (enforced) or the contract."""

    code: str
    text: str
    kept: Literal["enforced", "contractual"]


class PlainWords(TypedDict):
    """A licence in plain words."""

    may: list[Item]
    may_not: list[Item]
    must: list[Item]


class Difference(TypedDict):
    """One field in which two sets of terms differ."""

    field: str
    before: Any
    after: Any


def default_terms() -> Terms:
    """What a new offer starts from: one year of internal use on the mainland, nothing passed on."""
    return {
        "purposes": ["internal_analysis"],
        "territory": ["CN"],
        "term_months": 12,
        "derived_works": "internal",
        "redistribution": "none",
        "seats": None,
        "personal_data": "none",
    }


def problems(terms: object) -> list[Problem]:
    """Everything that keeps these terms from being offered, all at once; empty when they are sound.

    Takes any JSON value, because that is what a form or a script may send.
    """
    if not isinstance(terms, dict):
        return [
            _problem(
                "not_an_object",
                gettext("Terms are an object with the fields %(fields)s.") % {"fields": ", ".join(_CHECKS)},
            )
        ]
    found = [
        _problem("missing_field", gettext("The field %(field)s is missing.") % {"field": field})
        for field in _CHECKS
        if field not in terms
    ]
    found += [
        _problem("unknown_field", gettext("Terms have no field %(field)s.") % {"field": repr(str(field)[:40])})
        for field in terms
        if field not in _CHECKS and field not in _OPTIONAL
    ]
    for field, reason in (_CHECKS | _OPTIONAL).items():
        if field in terms and (detail := reason(terms[field])):
            found.append(_problem(f"wrong_{field}", detail))
    return found or _contradictions(cast(Terms, terms))


def plain_words(terms: Terms, language: str) -> PlainWords:
    """The licence as short sentences: what the licensee may, may not and must do, in en, zh-hans or zh-hant.

    Expects terms without problems. An item is `enforced` only where the exchange itself makes it so; everything else
    is a promise of the contract. KeyError for another language.
    """
    words = WORDS[language]
    said: PlainWords = {"may": [], "may_not": [], "must": []}

    def say(part: Literal["may", "may_not", "must"], code: str, *, enforced: bool = False, **values: object) -> None:
        text = words[code].format(**values)
        said[part].append({"code": code, "text": text, "kept": "enforced" if enforced else "contractual"})

    for purpose in PURPOSES:
        if purpose in terms["purposes"]:
            say("may", f"purpose_{purpose}")
    if terms["derived_works"] != "none":
        say("may", f"derive_{terms['derived_works']}")
    if terms["redistribution"] != "none":
        say("may", f"share_{terms['redistribution']}")
    if terms["seats"] is None:
        say("may", "seats_everyone")
    else:
        say("may", "seats_one" if terms["seats"] == 1 else "seats_counted", count=terms["seats"])
    if term := term_of(terms, language):
        say("may", "term_counted", enforced=True, term=term)
    else:
        say("may", "term_without_end")
    if terms["territory"] == [ANYWHERE]:
        say("may", "territory_anywhere")
    else:
        say("may", "territory_named", territory=territory_words(terms["territory"], language))

    say("may_not", "other_purposes")
    if terms["territory"] != [ANYWHERE]:
        say("may_not", "outside_territory", territory=territory_words(terms["territory"], language))
    if terms["derived_works"] != "free":
        say("may_not", "derive_none" if terms["derived_works"] == "none" else "derived_to_others")
    if terms["redistribution"] != "same_terms":
        say("may_not", "share_none" if terms["redistribution"] == "none" else "share_beyond_group")
    if terms["personal_data"] != "personal":
        say("may_not", "reidentify")

    say("must", "access_signed_in", enforced=True)
    say("must", "keep_safe")
    if terms["redistribution"] != "none":
        say("must", "bind_recipients")
    if term:
        say("must", "delete_at_end" if terms["derived_works"] == "none" else "delete_at_end_but_results")
    say("must", f"personal_{terms['personal_data']}")
    return said


def plain_words_in_every_language(terms: Terms) -> dict[str, PlainWords]:
    """The plain words by language, as a contract's record keeps them."""
    return {language: plain_words(terms, language) for language in LANGUAGES}


def differences(before: Terms, after: Terms) -> list[Difference]:
    """The fields in which the second terms differ from the first; the order within a list means nothing."""

    def value(terms: Terms, field: str) -> Any:
        kept = terms.get(field)
        return sorted(kept) if isinstance(kept, list) else kept

    return [
        {"field": field, "before": value(before, field), "after": value(after, field)}
        for field in _CHECKS | _OPTIONAL
        if value(before, field) != value(after, field)
    ]


def _contradictions(terms: Terms) -> list[Problem]:
    """What is wrong between fields that are each right."""
    found = []
    if "term_days" in terms and terms["term_months"] is not None:
        found.append(_problem("two_terms", gettext("Give the term in months or in days, not in both.")))
    if terms["derived_works"] == "none":
        needing = [purpose for purpose in _PURPOSES_NEEDING_DERIVED_WORKS if purpose in terms["purposes"]]
        if needing:
            detail = gettext(
                "The purpose %(purpose)s makes something from the data, but derived works are not allowed."
            ) % {"purpose": needing[0]}
            found.append(_problem("purpose_needs_derived_works", detail))
    elif terms["derived_works"] == "internal":
        needing = [purpose for purpose in ("customer_services", "publication") if purpose in terms["purposes"]]
        if needing:
            detail = gettext(
                "The purpose %(purpose)s gives results to others, but derived works are for internal use only."
            ) % {"purpose": needing[0]}
            found.append(_problem("purpose_needs_free_derived_works", detail))
    if terms["personal_data"] == "personal" and terms["redistribution"] == "same_terms":
        detail = gettext("Personal data cannot be passed on to anyone: each recipient needs a lawful basis of its own.")
        found.append(_problem("personal_data_passed_on", detail))
    if terms["personal_data"] == "personal" and "publication" in terms["purposes"]:
        found.append(
            _problem("personal_data_published", gettext("Data with personal information cannot be for publication."))
        )
    if terms["seats"] is not None and terms["redistribution"] == "same_terms":
        detail = gettext("A number of seats means nothing when the data may be passed on to anyone.")
        found.append(_problem("seats_without_meaning", detail))
    return found


def _problem(code: str, detail: str) -> Problem:
    return {"code": code, "detail": detail}


def _list_of(known: dict[str, Any] | tuple[str, ...], named: Text) -> Callable[[object], str]:
    def reason(value: object) -> str:
        if not isinstance(value, list) or not value:
            return gettext("Name at least one %(named)s.") % {"named": named}
        unknown = [str(one)[:40] for one in value if not isinstance(one, str) or one not in known]
        if unknown:
            return gettext("%(value)s is not a %(named)s we know.") % {"value": repr(unknown[0]), "named": named}
        return gettext("A %(named)s is named twice.") % {"named": named} if len(set(value)) != len(value) else ""

    return reason


def _one_of(known: tuple[str, ...]) -> Callable[[object], str]:
    def reason(value: object) -> str:
        return (
            ""
            if isinstance(value, str) and value in known
            else gettext("Choose one of %(known)s.") % {"known": ", ".join(known)}
        )

    return reason


def _count_up_to(most: int, otherwise: Text) -> Callable[[object], str]:
    def reason(value: object) -> str:
        is_whole = isinstance(value, int) and not isinstance(value, bool)
        if value is None or (is_whole and 1 <= cast(int, value) <= most):
            return ""
        return gettext("Give a whole number from 1 to %(most)s, or null %(otherwise)s.") % {
            "most": f"{most:,}",
            "otherwise": otherwise,
        }

    return reason


def _days_reason(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= LONGEST_TERM_DAYS:
        return ""
    return gettext("A trial lasts 1 to %(most)s days.") % {"most": LONGEST_TERM_DAYS}


def _territory_reason(value: object) -> str:
    return "" if value == [ANYWHERE] else _list_of(TERRITORIES, _("territory"))(value)


_CHECKS: dict[str, Callable[[object], str]] = {
    "purposes": _list_of(PURPOSES, _("purpose")),
    "territory": _territory_reason,
    "term_months": _count_up_to(LONGEST_TERM_MONTHS, _("for a licence without end")),
    "derived_works": _one_of(DERIVED_WORKS),
    "redistribution": _one_of(REDISTRIBUTION),
    "seats": _count_up_to(MOST_SEATS, _("for everyone in the organisation")),
    "personal_data": _one_of(PERSONAL_DATA),
}
_OPTIONAL: dict[str, Callable[[object], str]] = {"term_days": _days_reason}


def term_of(terms: Terms, language: str) -> str:
    """How long the licence lasts, as people say it; "" for one without end."""
    if days := terms.get("term_days"):
        return WORDS[language]["one_days" if days == 1 else "many_days"].format(count=days)
    months = terms["term_months"]
    return "" if months is None else term_words(months, language)


def term_words(months: int, language: str) -> str:
    """`18 months` and `2 years` as people say them."""
    unit, count = ("years", months // 12) if months % 12 == 0 else ("months", months)
    return WORDS[language][f"one_{unit}" if count == 1 else f"many_{unit}"].format(count=count)


def territory_words(codes: list[str], language: str) -> str:
    """Where a licence holds, in words: the territories named, or the whole world."""
    if codes == [ANYWHERE]:
        return WORDS[language]["everywhere"]
    column = LANGUAGES.index(language)
    return joined([TERRITORIES[code][column] for code in TERRITORIES if code in codes], language)
