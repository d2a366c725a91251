"""The bank's side of money: what payers are asked to quote, what its statements say, and what it is asked to send."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from marketplace import clock
from marketplace.guards import append_only, never_changes, never_deleted, sentence
from marketplace.models import User
from settlement.models.payments import Payment


class BankReference(models.Model):
    """The creditor reference (ISO 11649) by which the money of one payment is known."""

    payment = models.OneToOneField(Payment, on_delete=models.PROTECT, related_name="bank_reference")
    reference = models.CharField(max_length=25, unique=True)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        verbose_name = _("bank reference")
        verbose_name_plural = _("bank references")
        triggers = append_only()

    def __str__(self) -> str:
        return self.reference


class BankReport(models.Model):
    """A statement or status report of the bank, kept as it came. `refused` lists what was left out, with its codes."""

    class Form(models.TextChoices):
        CAMT053 = "camt.053", "ISO 20022 camt.053"
        CSV = "csv", "CSV"
        PAIN002 = "pain.002", "ISO 20022 pain.002"

    form = models.CharField(max_length=10, choices=Form.choices)
    name = models.CharField(max_length=200, blank=True)
    digest = models.CharField(max_length=64, unique=True)  # SHA-256 of the file, in hexadecimal
    body = models.BinaryField()
    taken = models.PositiveIntegerField()  # entries that are new with this file
    known = models.PositiveIntegerField()  # entries an earlier file brought
    unbooked = models.PositiveIntegerField()  # entries the bank has not booked yet: a later file brings them
    refused = models.JSONField(default=list)
    imported_at = models.DateTimeField(default=clock.now)
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("report of the bank")
        verbose_name_plural = _("reports of the bank")
        triggers = append_only()

    def __str__(self) -> str:
        return self.name or self.digest[:12]


class BankFile(models.Model):
    """A file of payments for the bank (pain.001), kept as it was made: each download gives the same bytes."""

    message_id = models.CharField(max_length=35, unique=True)
    currency = models.CharField(max_length=3)
    account = models.CharField(max_length=34)
    number = models.PositiveIntegerField()  # of instructions
    sum_minor = models.BigIntegerField()
    digest = models.CharField(max_length=64)  # SHA-256 of the file, in hexadecimal
    body = models.BinaryField()
    made_at = models.DateTimeField(default=clock.now)
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("file of payments")
        verbose_name_plural = _("files of payments")
        constraints = [sentence("payment_file_holds_something", Q(number__gt=0, sum_minor__gt=0))]
        triggers = append_only()

    def __str__(self) -> str:
        return self.message_id


class BankInstruction(models.Model):
    """Money the bank is asked to send, once per key: it waits for a file, and stands in one file only."""

    class Kind(models.TextChoices):
        REFUND = "refund", _("Refund")
        PAYOUT = "payout", _("Payout")

    kind = models.CharField(max_length=10, choices=Kind.choices)
    key = models.CharField(max_length=60, unique=True)
    end_to_end_id = models.CharField(max_length=35, unique=True)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    payee = models.CharField(max_length=120)  # account/BIC/holder
    file = models.ForeignKey(BankFile, on_delete=models.PROTECT, null=True, blank=True, related_name="instructions")
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        verbose_name = _("instruction to the bank")
        verbose_name_plural = _("instructions to the bank")
        indexes = [models.Index(fields=["currency", "id"], condition=Q(file=None), name="instruction_without_file")]
        constraints = [sentence("instruction_is_positive", Q(amount_minor__gt=0))]
        triggers = [
            never_changes("kind", "key", "end_to_end_id", "amount_minor", "currency", "payee", "created_at"),
            pgtrigger.Protect(
                name="stands_in_one_file",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__file__isnull=False),
            ),
            *never_deleted(),
        ]

    def __str__(self) -> str:
        return self.end_to_end_id


class BankEntry(models.Model):
    """One booked movement of an account of the exchange, once per account and the bank's own reference."""

    class Reading(models.TextChoices):
        PAYMENT = "payment", _("Payment")
        UNKNOWN = "unknown", _("Unknown payment")
        SENT = "sent", _("Money sent")
        RETURNED = "returned", _("Money returned")
        OTHER = "other", _("Other")

    report = models.ForeignKey(BankReport, on_delete=models.PROTECT, related_name="entries")
    account = models.CharField(max_length=34)
    bank_reference = models.CharField(max_length=40)
    is_credit = models.BooleanField()
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    booked_on = models.DateField()
    text = models.CharField(max_length=500, blank=True)  # what the payer wrote, references first
    payer = models.CharField(max_length=120, blank=True)  # account/BIC/holder
    reading = models.CharField(max_length=10, choices=Reading.choices)
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, null=True, blank=True, related_name="bank_entries")
    instruction = models.ForeignKey(
        BankInstruction, on_delete=models.PROTECT, null=True, blank=True, related_name="entries"
    )

    class Meta:
        verbose_name = _("entry of a bank statement")
        verbose_name_plural = _("entries of bank statements")
        indexes = [models.Index(fields=["booked_on"])]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "currency", "bank_reference"], name="one_entry_per_account_and_bank_reference"
            ),
            sentence("bank_entry_is_positive", Q(amount_minor__gt=0)),
            sentence("bank_payment_is_money_in", ~Q(reading="payment") | Q(is_credit=True, payment__isnull=False)),
            sentence(
                "sent_money_has_an_instruction", ~Q(reading__in=["sent", "returned"]) | Q(instruction__isnull=False)
            ),
        ]
        triggers = append_only()

    def __str__(self) -> str:
        return self.bank_reference
