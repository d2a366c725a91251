"""Restore the newest backup beside the exchange, and check that everything in it is whole."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from listings import storage
from listings.models import ReleaseFile
from marketplace.models import Event, Paper
from settlement import ledger
from settlement.models import Trade, Transfer

COUNTED = {"events": Event, "trades": Trade, "transfers": Transfer, "papers": Paper, "files": ReleaseFile}


class Command(BaseCommand):
    """`python3 manage.py drill FOLDER --into DATABASE`: restore, recompute the journal, sum the books, read the files.

    DATABASE is an empty one on the exchange's server, owned by who runs this. Nothing of the exchange is touched.
    """

    help = __doc__

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, nargs="?", help="where `backup` keeps its dumps; the newest is taken")
        parser.add_argument("--into", metavar="DATABASE", help="an empty database on the same server")
        parser.add_argument("--look", action="store_true", help="only look at the database of DATABASE_URL")

    def handle(self, *, folder: Path | None, into: str | None, look: bool, **_options: Any) -> None:
        if look:
            self._look()
            return
        if folder is None or not into:
            raise CommandError("Name the folder of the backups, and the empty database: FOLDER --into DATABASE.")
        if into == connection.settings_dict["NAME"]:
            raise CommandError("That is the exchange's own database; make an empty one for the drill.")
        dumps = sorted(folder.glob("*.dump"))
        if not dumps:
            raise CommandError(f"There is no dump in {folder}.")
        began = time.monotonic()
        self.stdout.write(f"Restoring {dumps[-1].name} into {into}.")
        with tempfile.TemporaryDirectory(prefix="databourse-drill-") as files:
            surroundings = os.environ | {"DATABASE_URL": _address_of(into), "STORAGE_DIR": files, "STORAGE_URL": ""}
            restore = ["restore", str(dumps[-1].absolute())]
            migrate = ["migrate", "--no-input", "--verbosity", "0"]  # the program may be newer than the dump
            for arguments in (restore, migrate, ["drill", "--look"]):
                self._manage(arguments, surroundings)
        self.stdout.write(f"The drill was passed in {time.monotonic() - began:.0f} s.")

    def _manage(self, arguments: list[str], surroundings: dict[str, str]) -> None:
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=settings.BASE_DIR, env=surroundings, capture_output=True, text=True, check=False,
        )  # fmt: skip
        self.stdout.write(done.stdout, ending="")
        if done.returncode:
            raise CommandError(f"`{arguments[0]}` failed: {done.stderr.strip()[-1000:]}")

    def _look(self) -> None:
        """Say what there is; raises CommandError with everything that is wrong."""
        self.stdout.write(
            ", ".join(f"{model._default_manager.count()} {name}" for name, model in COUNTED.items()) + "."
        )
        faults = [str(difference) for difference in ledger.reconcile()]
        for currency, kinds in sorted(ledger.totals().items()):
            self.stdout.write(f"The books of {currency} sum to {sum(kinds.values())}.")
            if sum(kinds.values()):
                faults.append(f"the books of {currency} do not sum to nothing")
        for file in ReleaseFile.objects.order_by("pk").iterator():
            try:
                if storage.sha256_of(file.stored_as) != file.sha256:
                    faults.append(f"file {file.pk} has another digest")
            except OSError as error:
                faults.append(f"file {file.pk} cannot be read ({type(error).__name__})")
        if faults:
            raise CommandError("; ".join(faults))
        self.stdout.write("Every account has the sum of its transfers, every file its digest.")


def _address_of(name: str) -> str:
    """The address of another database on the server that is used now."""
    address = urlsplit(os.environ["DATABASE_URL"])
    return urlunsplit(address._replace(path="/" + quote(name, safe="")))
