"""Back up the database and the files into a folder, while the exchange goes on."""

import argparse
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from marketplace import backups


class Command(BaseCommand):
    """`python3 manage.py backup FOLDER`: a new dump each time; files are copied once, for they never change."""

    help = __doc__

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, help="where dumps and files are kept; on another disk")

    def handle(self, *, folder: Path, **_options: object) -> None:
        try:
            made = backups.back_up(folder)
        except (backups.CannotBackUp, OSError) as reason:
            raise CommandError(str(reason)) from None
        self.stdout.write(f"{made.dump}: the database, and {made.files_copied} new files.")
        self.stdout.write(f"Head of the journal: {made.head or 'none yet'}")
