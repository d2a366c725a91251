"""Read catalogues of other exchanges into entries that can be found and read here, and not bought."""

import argparse
import contextlib
import csv
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from listings import catalogue_entries, catalogue_files
from listings.catalogue_columns import NAMES
from listings.catalogue_entries import Told
from listings.catalogue_files import Looked, Problem, Unreadable

COUNTED = ("rows", "created", "changed", "returned", "unchanged", "gone", "refused")
SHOWN_PROBLEMS = 20


class Command(BaseCommand):
    """`python3 manage.py import_catalogue PATH`: a file or a folder; again whenever the catalogue changed."""

    help = __doc__

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("path", type=Path, help="a .csv, .tsv, .json or .jsonl, or a folder of them")
        parser.add_argument("--exchange", default="", help="the exchange's name, where no column says it")
        parser.add_argument(
            "--map", action="append", default=[], metavar="MEANING=COLUMN", help=f"meanings: {', '.join(NAMES)}"
        )
        parser.add_argument("--partial", action="store_true", help="not all its exchange lists: mark nothing as gone")
        parser.add_argument("--dry-run", action="store_true", help="read and report, but keep nothing")
        parser.add_argument("--report", type=Path, help="write what could not be read to this .csv or .json")

    def handle(
        self,
        *,
        path: Path,
        exchange: str,
        map: list[str],
        partial: bool,
        dry_run: bool,
        report: Path | None,
        **_: object,
    ) -> None:
        mapping = _mapping(map)
        with _kept(report) as (keep, conclude):

            def tell(problem: Problem) -> None:
                keep(problem)
                self._show(problem)

            looked, unreadable = self._looked(path, tell)
            with _progress(self, sum(one.size_bytes for one in looked)) as advance:
                told = catalogue_entries.read(
                    looked,
                    exchange=exchange,
                    mapping=mapping,
                    is_partial=partial or bool(unreadable),
                    is_dry_run=dry_run,
                    report=tell,
                    advance=advance,
                )
            conclude(told)
        self._conclude(told, dry_run)

    def _looked(self, path: Path, tell: Callable[[Problem], None]) -> tuple[list[Looked], int]:
        """The files that can be read, and how many cannot."""
        try:
            files = catalogue_files.files_in(path)
        except Unreadable as reason:
            raise CommandError(f"{reason.code}: {reason.detail}") from None
        looked, unreadable = [], 0
        for file in files:
            try:
                looked.append(catalogue_files.look(file))
            except Unreadable as reason:
                tell(Problem(file.name, 0, reason.code, reason.detail))
                unreadable += 1
        return looked, unreadable

    _shown = 0

    def _show(self, problem: Problem) -> None:
        self._shown += 1
        if self._shown <= SHOWN_PROBLEMS:
            place = f"{problem.file}:{problem.line}" if problem.line else problem.file
            self._say(f"{place}: {problem.code}: {problem.detail}")
        elif self._shown == SHOWN_PROBLEMS + 1:
            self._say("… more; --report writes them all")

    def _say(self, line: str) -> None:
        """Above the bar, where there is one."""
        if sys.stderr.isatty():
            tqdm.write(line, file=sys.stderr)
        else:
            self.stderr.write(line)

    def _conclude(self, told: Told, is_dry_run: bool) -> None:
        for file, columns in told.columns.items():
            known = ", ".join(f"{meaning} ← {column}" for meaning, column in columns.items())
            self.stdout.write(f"{file}: {known or 'no known column'}")
        self.stdout.write(", ".join(f"{name} {told.counts[name]}" for name in COUNTED))
        for code, count in sorted(told.reasons.items()):
            self.stdout.write(f"  {code}: {count}")
        if not told.is_whole:
            self.stdout.write("Nothing was marked as gone: parts of the catalogue could not be read.")
        if is_dry_run:
            self.stdout.write("A dry run: nothing was kept.")
        if not told.usable:
            raise CommandError("Nothing could be read.")


def _mapping(given: list[str]) -> dict[str, str]:
    """`--map` as {meaning: column}. Raises CommandError."""
    pairs = dict(one.partition("=")[::2] for one in given)
    if unknown := [meaning for meaning, column in pairs.items() if meaning not in NAMES or not column]:
        raise CommandError(f"--map takes MEANING=COLUMN; unknown: {', '.join(unknown)}. Meanings: {', '.join(NAMES)}.")
    return pairs


@contextlib.contextmanager
def _progress(command: BaseCommand, total_bytes: int) -> Iterator[Callable[[int], None]]:
    """A bar on a terminal; elsewhere a plain line for each tenth."""
    if sys.stderr.isatty():
        with tqdm(total=total_bytes, unit="B", unit_scale=True, file=sys.stderr) as bar:
            yield lambda count: bar.update(count) and None
        return
    read = tenths = 0

    def advance(count: int) -> None:
        nonlocal read, tenths
        read += count
        if total_bytes and read * 10 // total_bytes > tenths:
            tenths = min(10, read * 10 // total_bytes)
            command.stderr.write(f"{tenths * 10} % of {total_bytes} bytes")

    yield advance


@contextlib.contextmanager
def _kept(path: Path | None) -> Iterator[tuple[Callable[[Problem], None], Callable[[Told], None]]]:
    """Where each problem, and at the end the figures, are written: nowhere, a CSV or a JSON."""
    if path is None:
        yield lambda _problem: None, lambda _told: None
        return
    if path.suffix not in (".csv", ".json"):
        raise CommandError("--report takes a .csv or a .json.")
    with path.open("w", encoding="utf-8", newline="") as file:
        if path.suffix == ".csv":
            writer = csv.writer(file)
            writer.writerow(["file", "line", "code", "detail"])
            yield lambda one: writer.writerow([one.file, one.line, one.code, one.detail]) and None, lambda _told: None
            return
        lead = '{"problems": [\n'

        def keep(problem: Problem) -> None:
            nonlocal lead
            file.write(lead + json.dumps(asdict(problem), ensure_ascii=False))
            lead = ",\n"

        def conclude(told: Told) -> None:
            file.write(lead if lead.startswith("{") else "")
            told_json = {"counts": told.counts, "reasons": told.reasons, "columns": told.columns}
            file.write("\n], " + json.dumps(told_json, ensure_ascii=False)[1:] + "\n")

        yield keep, conclude
