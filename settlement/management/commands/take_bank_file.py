"""Bring a file of the bank in: a statement (camt.053 or CSV) or a status report (pain.002)."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from marketplace.errors import Refused
from marketplace.models import User
from settlement.bank import reports
from settlement.models import BankReport


class Command(BaseCommand):
    """`python3 manage.py take_bank_file PATH --by E-MAIL`: once for each file; the workers act on what it says."""

    help = __doc__

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("path", type=Path)
        parser.add_argument("--by", required=True, metavar="E-MAIL", help="who of the payments staff brings it in")
        parser.add_argument("--form", choices=BankReport.Form.values, default=BankReport.Form.CAMT053.value)
        parser.add_argument("--currency", default="", help="of the account a CSV is of")
        parser.add_argument("--columns", default="", help="the CSV's columns, where BANK_CSV_COLUMNS does not fit")

    def handle(self, *, path: Path, by: str, form: str, currency: str, columns: str, **_options: Any) -> None:
        person = User.objects.filter(email__iexact=by, is_active=True).first()
        if person is None:
            raise CommandError(f"Nobody has the e-mail {by}.")
        try:
            with path.open("rb") as file:
                body = file.read(reports.MOST_BYTES + 1)
        except OSError as error:
            raise CommandError(f"{path} cannot be read: {error.strerror}.") from None
        try:
            if form == BankReport.Form.CSV:
                report = reports.take_csv(body, currency=currency, columns=columns, name=path.name, by=person)
            else:
                take = reports.take_pain002 if form == BankReport.Form.PAIN002 else reports.take_camt053
                report = take(body, name=path.name, by=person)
        except Refused as refusal:
            raise CommandError(f"{refusal.code}: {refusal} {refusal.next}") from None
        counts = f"{report.taken} taken, {report.known} known, {report.unbooked} not final yet"
        self.stdout.write(f"{counts}, {len(report.refused)} left out.")
        for one in report.refused:
            self.stdout.write(f"  left out: entry {one['entry']} {one['reference']} {one['code']}")
