"""Workers killed while they look for saved searches: each new product is told of once."""

from __future__ import annotations

from pathlib import Path

import pytest

from listings import saved_searches, tasks
from listings.models import FoundProduct
from marketplace.models import Letter
from tests import factories
from tests.crashes.dying import die_at, let_claims_lapse

pytestmark = pytest.mark.django_db(transaction=True)

TASKS = {"listings.tasks.look_for_saved_searches"}
LOOK = [
    "after listings.models.SavedSearch.claim_several",
    "within listings.saved_searches.look",
    "after listings.saved_searches.look",
]


@pytest.mark.parametrize("at", LOOK)
def test_a_product_is_told_of_once_whoever_dies_over_it(at: str, own_storage: Path, tmp_path: Path) -> None:
    reader = factories.make_user("reader@example.com")
    saved_searches.save(name="Departures", query="q=departures", frequency="at_once", reader=None, by=reader)
    factories.make_listed_product()
    die_at(at, "listings.tasks.look_for_saved_searches", tmp_path)
    let_claims_lapse()
    tasks.look_for_saved_searches()
    assert FoundProduct.objects.count() == 1
    assert Letter.objects.filter(to=reader.email).count() == 1
