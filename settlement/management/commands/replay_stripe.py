"""Ask Stripe for what it told while the exchange could not hear it, as after an outage of more than three days."""

from __future__ import annotations

import argparse
import datetime as dt
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from marketplace import clock
from settlement.gateways import TryLater

LONGEST = dt.timedelta(days=30)  # for which Stripe keeps its events


class Command(BaseCommand):
    """`python3 manage.py replay_stripe --since 2026-11-20`: the days by the exchange's clock, that one included."""

    help = __doc__

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--since", type=dt.date.fromisoformat, required=True, metavar="YYYY-MM-DD")

    def handle(self, *, since: dt.date, **_options: Any) -> None:
        if "stripe" not in settings.GATEWAYS:
            raise CommandError("There is no Stripe gateway: set STRIPE_SECRET_KEY and STRIPE_WEBHOOK_SECRET.")
        begins, _ends = clock.day_of(since)
        if not clock.now() - LONGEST <= begins <= clock.now():
            raise CommandError("Stripe keeps its events for thirty days: name a day of these.")
        from settlement.gateways import stripe_line, stripe_replay

        try:
            found, new = stripe_replay.replay(begins)
        except (TryLater, stripe_line.Declined) as error:
            raise CommandError(f"{error}. What was heard is kept; run it again.") from None
        self.stdout.write(f"{found} events since {since}, {new} of them new. The workers read them.")
