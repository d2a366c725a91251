"""Workers killed while they end demands whose time has passed: each ends once, and its poster reads so once."""

from __future__ import annotations

from pathlib import Path

import pytest

from compliance import demands, tasks
from compliance.models import Demand
from marketplace.models import Event, Letter
from tests import factories
from tests.crashes.dying import die_at
from tests.tenancy.world import demand_of

pytestmark = pytest.mark.django_db(transaction=True)

TASKS = {"compliance.tasks.lapse_demands"}
LAPSE = ["within compliance.demands._lapse", "after compliance.demands._lapse"]


@pytest.mark.parametrize("at", LAPSE)
def test_a_demand_lapses_once_whoever_dies_over_it(at: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    poster = factories.make_verified()
    monkeypatch.setattr(demands, "OPEN_DAYS", 0)
    demands.post(poster, by=factories.owner_of(poster), **demand_of("Tugs of every port"))
    die_at(at, "compliance.tasks.lapse_demands", tmp_path)
    assert Demand.objects.get().state == ("open" if at.startswith("within") else "lapsed")
    tasks.lapse_demands()
    assert Demand.objects.get().state == "lapsed"
    assert Event.objects.filter(kind="demand.lapsed").count() == 1
    assert Letter.objects.filter(subject="Your demand “Tugs of every port” has lapsed").count() == 1
