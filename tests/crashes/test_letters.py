"""Workers killed while they send letters: each goes out, at the worst twice, never not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from marketplace import letters, tasks
from marketplace.models import Letter
from tests import factories
from tests.crashes.dying import die_at, let_claims_lapse

pytestmark = pytest.mark.django_db(transaction=True)

TASKS = {"marketplace.tasks.send_letters"}
SEND = ["after marketplace.letters.claim_next", "after marketplace.letters.send"]


@pytest.mark.parametrize("at", SEND)
def test_a_letter_is_sent_whoever_dies_over_it(at: str, tmp_path: Path, mailoutbox: Any) -> None:
    letters.write(factories.make_user("reader@example.com"), "A word", "To you.")
    die_at(at, "marketplace.tasks.send_letters", tmp_path)
    assert Letter.objects.get().sent_at is None
    let_claims_lapse()
    tasks.send_letters()
    assert Letter.objects.get().sent_at is not None
    assert [(letter.to, letter.subject) for letter in mailoutbox] == [(["reader@example.com"], "A word")]
