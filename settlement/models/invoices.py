"""Invoices and credit notes of cleared trades, numbered without gaps, and the electronic invoices they refer to."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from marketplace import clock
from marketplace.guards import append_only, sentence
from marketplace.models import Organisation, User
from marketplace.money import Money
from settlement.models.trades import Trade
from settlement.tax_rules import Line, Tax


class InvoiceQuerySet(models.QuerySet["Invoice"]):
    def visible_to(self, organisation: Organisation | None) -> InvoiceQuerySet:
        """Those this organisation issued or received."""
        return self.filter(Q(issuer=organisation) | Q(recipient=organisation)) if organisation else self.none()


class Invoice(models.Model):
    """What one party supplied to another with a cleared trade, or what is taken back of that: a credit note.

    The licence is the seller's to the buyer, a fee the exchange's (no issuer) to who bears it. Amounts are in minor
    units of `currency`. The database gives the number: one more than the issuer's last of the year.
    """

    class Kind(models.TextChoices):
        LICENCE = "licence", _("Licence")
        FEE = "fee", _("Service fee")
        BUYER_FEE = "buyer_fee", _("Service fee of the buyer")

    key = models.CharField(max_length=60, unique=True)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    issuer = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, null=True, blank=True, related_name="invoices_issued"
    )
    recipient = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="invoices_received")
    trade = models.ForeignKey(Trade, on_delete=models.PROTECT, related_name="invoices")
    corrects = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="credit_notes")
    year = models.PositiveSmallIntegerField()
    number = models.PositiveIntegerField(default=0)
    currency = models.CharField(max_length=3)
    gross_minor = models.BigIntegerField()
    net_minor = models.BigIntegerField()
    lines = models.JSONField()
    is_tax_known = models.BooleanField()
    issued_at = models.DateTimeField(default=clock.now)

    objects = InvoiceQuerySet.as_manager()

    class Meta:
        verbose_name = _("invoice")
        verbose_name_plural = _("invoices")
        ordering = ["-pk"]
        indexes = [models.Index(fields=["recipient", "id"]), models.Index(fields=["issuer", "id"])]
        constraints = [
            models.UniqueConstraint(
                fields=["issuer", "year", "number"], nulls_distinct=False, name="one_invoice_of_a_number"
            ),
            models.UniqueConstraint(
                fields=["trade", "kind"], condition=Q(corrects=None), name="one_invoice_of_a_kind_per_trade"
            ),
            sentence(
                "invoice_is_of_a_sum", Q(gross_minor__gt=0, net_minor__gte=0) & Q(net_minor__lte=F("gross_minor"))
            ),
            sentence(
                "licence_is_the_sellers_and_fee_the_exchanges",
                Q(kind="licence", issuer__isnull=False) | Q(kind__in=["fee", "buyer_fee"], issuer=None),
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="invoice_is_of_its_trade_and_numbered_on",
                operation=pgtrigger.Insert,
                when=pgtrigger.Before,
                declare=[("trade", "record"), ("corrected", "record"), ("credited", "record")],
                func="""
                    SELECT seller_id, buyer_id, currency, cleared_at INTO trade
                        FROM settlement_trade WHERE id = NEW.trade_id;
                    IF trade.cleared_at IS NULL OR trade.currency <> NEW.currency
                    OR (NEW.kind = 'licence' AND (NEW.issuer_id, NEW.recipient_id) <> (trade.seller_id, trade.buyer_id))
                    OR (NEW.kind = 'fee' AND NEW.recipient_id <> trade.seller_id)
                    OR (NEW.kind = 'buyer_fee' AND NEW.recipient_id <> trade.buyer_id) THEN
                        RAISE 'this is no invoice of trade %', NEW.trade_id USING ERRCODE = 'check_violation';
                    END IF;
                    IF NEW.corrects_id IS NOT NULL THEN
                        SELECT trade_id, kind, corrects_id, gross_minor, net_minor INTO corrected
                            FROM settlement_invoice WHERE id = NEW.corrects_id FOR NO KEY UPDATE;
                        SELECT coalesce(sum(gross_minor), 0) AS gross, coalesce(sum(net_minor), 0) AS net INTO credited
                            FROM settlement_invoice WHERE corrects_id = NEW.corrects_id;
                        IF (corrected.trade_id, corrected.kind) <> (NEW.trade_id, NEW.kind)
                        OR corrected.corrects_id IS NOT NULL
                        OR credited.gross + NEW.gross_minor > corrected.gross_minor
                        OR credited.net + NEW.net_minor > corrected.net_minor THEN
                            RAISE 'a credit note is of an invoice and never more than it'
                            USING ERRCODE = 'check_violation';
                        END IF;
                    END IF;
                    PERFORM pg_advisory_xact_lock(
                        hashtextextended('invoice ' || coalesce(NEW.issuer_id, 0) || ' ' || NEW.year, 0)
                    );
                    IF NEW.issuer_id IS NULL THEN
                        SELECT coalesce(max(number), 0) + 1 INTO NEW.number
                            FROM settlement_invoice WHERE issuer_id IS NULL AND year = NEW.year;
                    ELSE
                        SELECT coalesce(max(number), 0) + 1 INTO NEW.number
                            FROM settlement_invoice WHERE issuer_id = NEW.issuer_id AND year = NEW.year;
                    END IF;
                    RETURN NEW;
                """,
            ),
            *append_only(),
        ]

    def __str__(self) -> str:
        return f"{self.year}-{self.number:06}"

    @property
    def tax(self) -> Tax:
        """The sums as `tax_rules` gives them."""
        return Tax(self.gross_minor, tuple(Line(**line) for line in self.lines), is_known=self.is_tax_known)

    @property
    def gross(self) -> Money:
        return Money(self.gross_minor, self.currency)

    @property
    def vat(self) -> Money:
        return Money(self.gross_minor - self.net_minor, self.currency)


class ElectronicInvoice(models.Model):
    """The number of the electronic invoice (数电票) its issuer made with the tax authority; the newest counts."""

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="electronic")
    number = models.CharField(max_length=20, unique=True)
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(default=clock.now)

    class Meta:
        verbose_name = _("electronic invoice")
        verbose_name_plural = _("electronic invoices")
        constraints = [sentence("electronic_invoice_has_twenty_digits", Q(number__regex=r"^[0-9]{20}$"))]
        triggers = append_only()

    def __str__(self) -> str:
        return self.number
