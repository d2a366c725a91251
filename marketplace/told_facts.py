"""The facts of a notification: kept as plain JSON, and put into words when somebody reads them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import get_language

from marketplace.models import Organisation
from marketplace.money import Money
from marketplace.roles import Role

LONGEST_WORDS = 4000


def kept(value: Any) -> Any:
    """The fact as JSON: a text, a number, a moment, a day, Money, an Organisation, a Role, or a text in several
    languages (`{language: text}`, as a version's titles). Raises TypeError for anything else.
    """
    if isinstance(value, Role):
        return {"role": value.value}
    if isinstance(value, str):
        return value if len(value) <= LONGEST_WORDS else value[: LONGEST_WORDS - 1] + "…"
    if isinstance(value, int):
        return value
    if isinstance(value, dt.datetime):
        return {"at": value.isoformat()}
    if isinstance(value, dt.date):
        return {"day": value.isoformat()}
    if isinstance(value, Money):
        return {"minor": value.minor, "currency": value.currency}
    if isinstance(value, Organisation):
        return {"name": value.name, "latin_name": value.latin_name}
    if isinstance(value, Mapping):
        return {"said": {str(language): str(words)[:LONGEST_WORDS] for language, words in value.items()}}
    raise TypeError(f"{value!r} is no fact of a notification")


def shown(fact: Any) -> str:
    """The fact in the language and time zone of whoever reads now."""
    match fact:
        case {"role": role}:
            return str(Role(role).label)
        case {"at": moment}:
            return date_format(localtime(dt.datetime.fromisoformat(moment)), "DATETIME_FORMAT")
        case {"day": day}:
            return date_format(dt.date.fromisoformat(day), "DATE_FORMAT")
        case {"minor": minor, "currency": currency}:
            return str(Money(minor, currency))
        case {"name": name, "latin_name": latin_name}:
            return str(Organisation(name=name, latin_name=latin_name).shown_name)
        case {"said": texts}:
            return in_readers_language(texts)
    return str(fact)


def in_readers_language(texts: Mapping[str, str]) -> str:
    """The text in the reader's language, else in the nearest there is."""
    language = get_language() or "en"
    nearest = [language, "zh-hans" if language == "zh-hant" else "zh-hant", "en", "zh-hans"]
    return next((texts[one] for one in nearest if texts.get(one)), next(iter(texts.values()), ""))
