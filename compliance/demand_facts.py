"""What a demand and an answer to one say, checked: every fault is told at once, each with its field."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from listings import plain_text
from listings.models import Version
from marketplace import clock
from marketplace.errors import Invalid
from marketplace.money import LARGEST_MINOR
from marketplace.regions import REGION_NAMES

LONGEST_TITLE = 120
LONGEST_DESCRIPTION = 3000
LONGEST_COLUMNS = 2000
LONGEST_COVERAGE = 200
LONGEST_ANSWER = 3000
FURTHEST_DAYS = 3 * 366

Reason = dict[str, str]


class _Faults:
    """Faults as they are found."""

    def __init__(self) -> None:
        self.reasons: list[Reason] = []

    def add(self, field: str, code: str, detail: str) -> None:
        self.reasons.append({"code": code, "field": field, "detail": detail, "next": ""})

    def text(self, field: str, value: object, longest: int, **how: Any) -> str:
        try:
            return plain_text.cleaned(value, longest, **how)
        except plain_text.NotPlain as wrong:
            self.add(field, f"wrong_{field}", str(wrong))
            return ""

    def one_of(self, field: str, value: object, known: Callable[[], Any], *, may_be_empty: bool = True) -> str:
        if (value == "" and may_be_empty) or value in known():
            return str(value)
        self.add(field, f"wrong_{field}", gettext("Choose one of the values offered."))
        return ""

    def day(self, field: str, value: dt.date | None) -> dt.date | None:
        today = clock.today()
        if value is not None and not today <= value <= today + dt.timedelta(days=FURTHEST_DAYS):
            self.add(field, f"wrong_{field}", gettext("Name a day from today on, within three years."))
        return value

    def amount(self, field: str, value: int | None, *, least: int = 0) -> int | None:
        if value is not None and not least <= value <= LARGEST_MINOR:
            self.add(field, f"wrong_{field}", gettext("This amount cannot be used."))
        return value

    def raise_any(self) -> None:
        if self.reasons:
            raise Invalid(_("Some of what was sent cannot be used."), reasons=self.reasons)


def of_demand(said: dict[str, Any]) -> dict[str, Any]:
    """The facts of a demand. Raises Invalid, naming each field."""
    faults = _Faults()
    facts: dict[str, Any] = {
        "title": faults.text("title", said["title"], LONGEST_TITLE, shortest=1, is_one_line=True),
        "description": faults.text("description", said["description"], LONGEST_DESCRIPTION, shortest=1),
        "sector": faults.one_of("sector", said["sector"], lambda: Version.Sector.values, may_be_empty=False),
        "region": faults.one_of("region", said["region"], lambda: REGION_NAMES),
        "columns": faults.text("columns", said["columns"], LONGEST_COLUMNS),
        "coverage": faults.text("coverage", said["coverage"], LONGEST_COVERAGE, is_one_line=True),
        "frequency": faults.one_of("frequency", said["frequency"], lambda: Version.Frequency.values),
        "budget_from_minor": faults.amount("budget_from", said["budget_from_minor"]),
        "budget_until_minor": faults.amount("budget_until", said["budget_until_minor"], least=1),
        "needed_by": faults.day("needed_by", said["needed_by"]),
        "is_public": bool(said["is_public"]),
        "is_named": bool(said["is_named"]),
    }
    facts["currency"] = _currency(faults, said["currency"], facts["budget_from_minor"], facts["budget_until_minor"])
    least, most = facts["budget_from_minor"], facts["budget_until_minor"]
    if least is not None and most is not None and least > most:
        faults.add("budget_until", "wrong_budget_until", gettext("The budget ends below where it begins."))
    faults.raise_any()
    return facts


def of_answer(said: dict[str, Any]) -> dict[str, Any]:
    """The facts of an answer but its product. Raises Invalid, naming each field."""
    faults = _Faults()
    facts: dict[str, Any] = {
        "text": faults.text("text", said["text"], LONGEST_ANSWER, shortest=1),
        "price_minor": faults.amount("price", said["price_minor"]),
        "ready_on": faults.day("ready_on", said["ready_on"]),
    }
    facts["currency"] = _currency(faults, said["currency"], facts["price_minor"])
    faults.raise_any()
    return facts


def _currency(faults: _Faults, value: object, *amounts: int | None) -> str:
    """The currency of these amounts; '' where there are none."""
    if all(amount is None for amount in amounts):
        return ""
    return faults.one_of("currency", value, lambda: settings.CURRENCIES, may_be_empty=False)
