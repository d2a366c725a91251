"""How often the demo's products were looked at: drawn by a small seeded program around its trades, since nobody did.

As many looks as a market of this size might see: more on working days and as a product gets known, and on a day on
which it was ordered more pages opened than orders made.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from random import Random

from django.db.models.functions import TruncDate

from listings import daily_counts
from listings.models import Listing
from marketplace import clock
from settlement.models import Trade

BATCH = "looks of the demo"


def draw() -> None:
    """Every product's looks from the day it was listed until yesterday; today's are the visitors' own. Once."""
    orders = Counter(Trade.objects.order_by().values_list("listing", TruncDate("proposed_at")))
    found: dict[tuple[dt.date, int], dict[str, int]] = {}
    for number, listing in enumerate(Listing.objects.filter(listed_at__isnull=False).order_by("pk")):
        for age in range((clock.today() - listing.listed_at.date()).days if listing.listed_at else 0):
            day = clock.today() - dt.timedelta(days=age + 1)
            found[day, listing.pk] = _of_a_day(number, day, age, orders[listing.pk, day])
    daily_counts.add(found, batch=BATCH)


def _of_a_day(number: int, day: dt.date, age: int, ordered: int) -> dict[str, int]:
    draw = Random(number * 100_000 + day.toordinal())  # noqa: S311 - a simulation
    liveliness = (1.0 if day.weekday() < 5 else 0.35) * (2.0 - min(age, 365) / 365) * (0.6 + number * 7 % 10 / 10)
    opened = ordered * draw.randint(2, 5) + int(liveliness * draw.uniform(0, 4))
    sampled = sum(draw.random() < 0.22 for _ in range(opened))
    return {"seen": opened * draw.randint(3, 6) + draw.randint(1, 9), "opened": opened, "sampled": sampled}
