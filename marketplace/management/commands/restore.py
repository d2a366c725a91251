"""Put a backup back into an empty database, and check that its journal is whole."""

import argparse
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from marketplace import backups


class Command(BaseCommand):
    """`python3 manage.py restore FOLDER/….dump`: the database, the files beside it, and a look at the journal."""

    help = __doc__
    requires_system_checks: list[str] = []
    requires_migrations_checks = False

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("dump", type=Path, help="a dump that `backup` made; its files are looked for beside it")
        parser.add_argument("--replace", action="store_true", help="drop whatever the database holds now")

    def handle(self, *, dump: Path, replace: bool, **_options: object) -> None:
        try:
            files_copied, audit, findings = backups.restore(dump, replace=replace)
        except (backups.CannotBackUp, OSError) as reason:
            raise CommandError(str(reason)) from None
        self.stdout.write(f"Restored, with {files_copied} files.")
        for finding in findings:
            self.stdout.write(f"{finding.code}: {finding.sentence}")
        if findings:
            raise CommandError("The restored journal is not whole.")
        self.stdout.write(f"The journal is whole. Head: {audit.size}:{audit.root.hex()}")
