"""Every kind of event the program records has words, and every kind that has words is recorded somewhere."""

from __future__ import annotations

import ast
import re

import pytest
from django.test import Client
from django.utils.translation import override

from compliance import verification
from compliance.states import DemandState, ResponseState
from listings.states import ObjectionState, ReportState
from marketplace.event_words import KINDS, event_words
from settlement.states import ChargebackState, TradeState
from tests import factories, trading
from tests.source import APPS, parsed, sources

KIND = re.compile(r"[a-z_]+\.[a-z_]*[a-z]")
MOVERS = {"_move", "_move_version", "_move_listing", "_end"}  # record the kind they are given
# Kinds whose second half is a state, or what was decided.
OF_STATES = {
    *(f"trade.{state}" for state in TradeState.values),
    *(f"demand.{state}" for state in set(DemandState.values) - {"open"}),
    *(f"demand.answer_{state}" for state in set(ResponseState.values) - {"open"}),
    *(f"chargeback.{state}" for state in set(ChargebackState.values) - {"open"}),
    *(f"objection.{state}" for state in set(ObjectionState.values) - {"open"}),
    *(f"listing_report.{state}" for state in set(ReportState.values) - {"open"}),
    *(f"money.{decision}" for decision in ("applied", "returned", "charged_back")),
    *verification.PROPOSED.values(),
    *verification.DECIDED.values(),
}


def recorded() -> set[str]:
    """Every literal kind that is given to the journal, or to a function that records what it is given."""
    found = set()
    for path in sources(*APPS):
        for call in (node for node in ast.walk(parsed(path)) if isinstance(node, ast.Call)):
            name = ast.unparse(call.func)
            if not name.startswith("journal.record") and name not in MOVERS:
                continue
            said = [
                node.value for argument in call.args for node in ast.walk(argument) if isinstance(node, ast.Constant)
            ]
            found |= {text for text in said if isinstance(text, str) and KIND.fullmatch(text)}
    return found


def test_what_the_program_records_and_what_has_words_are_the_same() -> None:
    assert recorded() | OF_STATES == set(KINDS)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("language", "words"), [("en", "trade agreed"), ("zh-hans", "交易已签约"), ("zh-hant", "交易已訂約")]
)
def test_the_staff_read_words_beside_the_code(language: str, words: str) -> None:
    trading.make_trade("agreed")
    client = Client(headers={"Accept-Language": language})
    client.force_login(factories.make_staff("audit"))
    page = client.get("/admin/marketplace/event/?q=trade.agreed").content.decode()
    assert f"{words} · trade.agreed" in page
    with override(language):
        assert event_words("of.another_version") == "of.another_version"
