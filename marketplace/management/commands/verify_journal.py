"""Recompute the journal and say what is wrong where; ends with status 1 if anything is."""

from __future__ import annotations

import argparse
import datetime as dt
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from marketplace.journal_audit import Audit
from marketplace.merkle import HASH_BYTES


def _known_head(text: str) -> tuple[int, bytes]:
    size, _colon, root = text.partition(":")
    try:
        head = int(size), bytes.fromhex(root)
    except ValueError:
        head = 0, b""
    if head[0] < 1 or len(head[1]) != HASH_BYTES:
        raise argparse.ArgumentTypeError(f"{text!r} is not SIZE:ROOT, the root as {2 * HASH_BYTES} hex digits")
    return head


class Command(BaseCommand):
    """`python3 manage.py verify_journal`: every leaf, every tree head, every gap, every event that lacks its seal."""

    help = __doc__

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--head",
            type=_known_head,
            action="append",
            default=[],
            metavar="SIZE:ROOT",
            help="a tree head known from elsewhere, such as a certificate, that the journal must still lead to",
        )
        parser.add_argument(
            "--sealed-within",
            type=int,
            default=60,
            metavar="SECONDS",
            help="how long an event may wait for its seal (60)",
        )

    def handle(self, **options: Any) -> None:
        audit = Audit(seal_within=dt.timedelta(seconds=options["sealed_within"]), known_heads=dict(options["head"]))
        faults = 0
        for finding in audit.findings():
            faults += 1
            self.stdout.write(f"{finding.code}: {finding.sentence}")
        if options["verbosity"] > 1:
            for position in audit.forgotten:
                self.stdout.write(f"forgotten: position {position}")
        self.stdout.write(
            f"{audit.size} events sealed, {len(audit.forgotten)} of them forgotten; {audit.heads} tree heads."
        )
        if faults:
            raise CommandError(f"The journal is not whole: {faults} faults.")
        self.stdout.write(f"The journal is whole. Head: {audit.size}:{audit.root.hex()}")
