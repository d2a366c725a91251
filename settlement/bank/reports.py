"""Bring the bank's files in: keep each once, as it came, and turn what it says into notices like any gateway's.

A file that cannot be relied on is refused whole, with nothing kept. One entry at fault is left out and listed on the
report; the others are taken.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from django.conf import settings
from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from marketplace import journal, roles
from marketplace.errors import Invalid, Refused
from marketplace.models import User
from settlement import payments
from settlement.bank import accounts, camt053, matching, pain002, statement_csv
from settlement.bank.entries import Entry, Told
from settlement.gateways.bank import NAME, headers_of
from settlement.models import BankEntry, BankReport

MOST_BYTES = 16 * 1024 * 1024
REPORT_LOCK = 7_302_521  # advisory: one file at a time


class TooLarge(Invalid):
    """The file is larger than is taken at once."""

    code = "report_too_large"
    says = _("The file is larger than is taken at once.")
    next = _("Ask the bank for statements of shorter periods.")


class KnownReport(Refused):
    """This file was brought in already; nothing is booked twice."""

    code = "report_known"
    says = _("This file was brought in already; nothing is booked twice.")
    next = _("Bring the next one in.")


def take_camt053(body: bytes, *, name: str = "", by: User) -> BankReport:
    """Take a statement in ISO 20022 camt.053. Raises RoleNeeded, KnownReport, TooLarge and what camt053.read raises."""
    digest = _new_digest(body, by)
    return _take(BankReport.Form.CAMT053, camt053.read(body), body, digest, name=name, by=by)


def take_csv(body: bytes, *, currency: str, columns: str = "", name: str = "", by: User) -> BankReport:
    """Take a CSV of our account in this currency; the setting BANK_CSV_COLUMNS maps its columns unless `columns` does.

    Raises RoleNeeded, KnownReport, TooLarge, NoAccount and what statement_csv.read raises.
    """
    digest = _new_digest(body, by)
    account = accounts.ours_in(currency)
    mapping = statement_csv.columns_of(columns or settings.BANK_CSV_COLUMNS)
    told = statement_csv.read(body, account=account, columns=mapping)
    return _take(BankReport.Form.CSV, told, body, digest, name=name, by=by)


def _new_digest(body: bytes, by: User) -> str:
    roles.require_staff(by, "match_payment")
    if len(body) > MOST_BYTES:
        raise TooLarge()
    digest = hashlib.sha256(body).hexdigest()
    if BankReport.objects.filter(digest=digest).exists():
        raise KnownReport()
    return digest


def take_pain002(body: bytes, *, name: str = "", by: User) -> BankReport:
    """Take what the bank says of a file of payments: what it refused comes back, what it settled is paid.

    Raises RoleNeeded, KnownReport, TooLarge and what pain002.read raises.
    """
    digest = _new_digest(body, by)
    answers = pain002.read(body)
    return _take_answers(answers, body, digest, name=name, by=by)


@transaction.atomic
def _take_answers(answers: pain002.Answers, body: bytes, digest: str, *, name: str, by: User) -> BankReport:
    _wait_for_our_turn(digest)
    notices, refused = matching.answered(answers)
    report = BankReport.objects.create(
        form=BankReport.Form.PAIN002,
        name=name[:200],
        digest=digest,
        body=body,
        taken=len(notices),
        known=0,
        unbooked=answers.pending,
        refused=refused,
        by=by,
    )
    payments.note_many(NAME, [(notice, headers_of(notice)) for notice in notices])
    journal.record(
        "bank.report_taken", report, by=by, form=report.form, digest=digest, taken=len(notices), refused=len(refused)
    )
    return report


@transaction.atomic
def _take(form: str, told: Told, body: bytes, digest: str, *, name: str, by: User) -> BankReport:
    """Enter what is new and tell of it, in one transaction; one file at a time, as statements may overlap."""
    _wait_for_our_turn(digest)
    known = _known(told.entries)
    new = [entry for entry in told.entries if entry.name not in known]
    for entry in told.entries:
        if entry.name in known and known[entry.name] != (entry.is_credit, entry.amount_minor):
            told.leave_out(0, "changed", entry.bank_reference)
    report = BankReport.objects.create(
        form=form,
        name=name[:200],
        digest=digest,
        body=body,
        taken=len(new),
        known=len(told.entries) - len(new),
        unbooked=told.unbooked,
        refused=told.refused,
        by=by,
    )
    notices = matching.enter(report, new)
    payments.note_many(NAME, [(notice, headers_of(notice)) for notice in notices])
    journal.record(
        "bank.report_taken", report, by=by, form=form, digest=digest, taken=len(new), refused=len(told.refused)
    )
    return report


def _wait_for_our_turn(digest: str) -> None:
    """Raises KnownReport for a file that another person brought in meanwhile."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [REPORT_LOCK])
    if BankReport.objects.filter(digest=digest).exists():
        raise KnownReport()


def _known(entries: Sequence[Entry]) -> dict[tuple[str, str, str], tuple[bool, int]]:
    """Direction and amount of those that an earlier file brought, by name."""
    rows = BankEntry.objects.filter(bank_reference__in={entry.bank_reference for entry in entries})
    fields = ("account", "currency", "bank_reference", "is_credit", "amount_minor")
    return {(account, currency, ref): (way, minor) for account, currency, ref, way, minor in rows.values_list(*fields)}
