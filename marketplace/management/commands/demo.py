"""Explain the demo exchange: who is who, and what to try; with --open, open it."""

import argparse
import gc
import logging

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from marketplace import clock
from marketplace.demo import explained, opening, shelves, sources


class Command(BaseCommand):
    """Opens the demo once; running it again goes on where it was cut off."""

    help = __doc__
    requires_system_checks = []  # `up` has just made them

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--open", action="store_true", help="open the demo exchange in this database")
        parser.add_argument(
            "--days", type=int, default=opening.YEAR_DAYS, help="how long a past it has (365); with --open"
        )

    def handle(self, *, open: bool, days: int, **_options: object) -> None:
        if open:
            logging.getLogger("settlement").setLevel(logging.WARNING)  # what each trade does would bury the progress
            gc.set_threshold(50_000, 20, 50)  # a day's rows are in no cycle: looking for some took a tenth of the time
            settings.DEBUG = False  # else Django keeps each statement, written out, for a page that nobody asks for
            try:
                opening.open_exchange(lambda step: self.stdout.write(f"  {step}"), days=days)
            except (opening.CannotOpen, shelves.CannotMeasure, sources.PackageMissing, clock.ClockFixed) as failure:
                raise CommandError(
                    f"The demo is not open: {failure}. Run it again: it goes on from there."
                ) from failure
        self.stdout.write(explained.explain())
