"""Accounts and transfers."""

from __future__ import annotations

import pgtrigger
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from marketplace import clock
from marketplace.guards import append_only, never_changes, never_deleted, sentence
from marketplace.models import Organisation
from settlement.models.trades import Trade

# What the rows of NEW's member and currency say is in reserve; written before the transfers that move it.
IN_RESERVE = """
    SELECT coalesce(sum(amount_minor - drawn_minor - released_minor), 0) FROM settlement_reserve
    WHERE organisation_id = NEW.organisation_id AND currency = NEW.currency
"""


class Account(models.Model):
    """A place where money is. Its balance is what was credited less what was debited.

    Only accounts with a floor carry a running total; it is written by the ledger's trigger alone.
    """

    class Kind(models.TextChoices):
        OUTSIDE = "outside", _("Outside")
        ESCROW = "escrow", _("Escrow")
        FEE = "fee", _("Fee income")
        PAYABLE = "payable", _("Payable to member")
        REFUND = "refund", _("Payable refund")
        SUSPENSE = "suspense", _("Suspense")
        RECEIVABLE = "receivable", _("Receivable from member")
        RESERVE = "reserve", _("Reserve of member")

    name = models.CharField(max_length=200, unique=True)
    kind = models.CharField(max_length=12, choices=Kind.choices)
    currency = models.CharField(max_length=3)
    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, null=True, blank=True, related_name="accounts"
    )
    trade = models.ForeignKey(Trade, on_delete=models.PROTECT, null=True, blank=True, related_name="accounts")
    has_floor = models.BooleanField()
    balance_minor = models.BigIntegerField(null=True, blank=True)

    class Meta:
        verbose_name = _("account")
        verbose_name_plural = _("accounts")
        indexes = [models.Index(fields=["kind", "currency"])]
        constraints = [
            sentence(
                "account_with_a_floor_is_not_overdrawn",
                Q(has_floor=True, balance_minor__gte=0) | Q(has_floor=False, balance_minor=None),
            ),
            models.UniqueConstraint(fields=["trade"], condition=Q(kind="escrow"), name="one_escrow_account_per_trade"),
        ]
        triggers = [
            never_changes("name", "kind", "currency", "organisation", "trade", "has_floor"),
            pgtrigger.Trigger(
                name="balance_is_written_by_the_ledger",
                operation=pgtrigger.UpdateOf("balance_minor"),
                when=pgtrigger.Before,
                condition=pgtrigger.Condition("pg_trigger_depth() < 1"),
                func="""
                    RAISE 'the balance of account % is written by transfers alone', OLD.name
                        USING ERRCODE = 'check_violation';
                """,
            ),
            pgtrigger.Trigger(
                name="reserve_is_moved_as_its_rows_say",
                operation=pgtrigger.UpdateOf("balance_minor"),
                when=pgtrigger.Before,
                condition=pgtrigger.Q(new__kind="reserve"),
                func=f"""
                    IF NEW.balance_minor <> ({IN_RESERVE}) THEN
                        RAISE 'account % would not hold what its reserves say', OLD.name
                        USING ERRCODE = 'check_violation';
                    END IF; RETURN NEW;
                """,
            ),
            pgtrigger.Trigger(
                name="account_opens_empty",
                operation=pgtrigger.Insert,
                when=pgtrigger.Before,
                condition=pgtrigger.Q(new__balance_minor__gt=0),
                func="RAISE 'account % opens empty', NEW.name USING ERRCODE = 'check_violation';",
            ),
            *never_deleted(),
        ]

    def __str__(self) -> str:
        return self.name


class Transfer(models.Model):
    """Money moved, both sides in one row: an unbalanced movement cannot be written.

    No account is ever deleted, so the trigger's one look at the accounts of all new rows holds for ever what foreign
    keys would look up row by row.
    """

    key = models.CharField(max_length=120, unique=True)
    debit = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="debits", db_constraint=False, db_index=False
    )
    credit = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="credits", db_constraint=False, db_index=False
    )
    amount_minor = models.BigIntegerField()
    at = models.DateTimeField(default=clock.now)

    class Meta:
        verbose_name = _("transfer")
        verbose_name_plural = _("transfers")
        constraints = [
            sentence("transfer_is_positive", Q(amount_minor__gt=0)),
            sentence("transfer_has_two_sides", ~Q(debit=F("credit"))),
        ]
        indexes = [
            BrinIndex(fields=["at"], name="transfers_of_a_day"),
            models.Index(fields=["debit", "id"], name="transfers_out_of_an_account"),
            models.Index(fields=["credit", "id"], name="transfers_into_an_account"),
        ]
        triggers = [
            *append_only(),
            pgtrigger.Trigger(
                name="transfers_move_balances",
                level=pgtrigger.Statement,
                operation=pgtrigger.Insert,
                when=pgtrigger.After,
                referencing=pgtrigger.Referencing(new="moved"),
                func="""
                    IF EXISTS (
                        SELECT FROM moved m
                        LEFT JOIN settlement_account d ON d.id = m.debit_id
                        LEFT JOIN settlement_account c ON c.id = m.credit_id
                        WHERE (d.currency = c.currency) IS NOT TRUE
                    ) THEN
                        RAISE 'a transfer stays in one currency, between two accounts'
                            USING ERRCODE = 'check_violation';
                    END IF;
                    PERFORM FROM settlement_account
                        WHERE has_floor AND id IN (SELECT debit_id FROM moved UNION SELECT credit_id FROM moved)
                        ORDER BY id FOR NO KEY UPDATE;
                    UPDATE settlement_account a SET balance_minor = a.balance_minor + s.delta
                    FROM (
                        SELECT account_id, sum(delta) AS delta FROM (
                            SELECT debit_id AS account_id, -amount_minor AS delta FROM moved
                            UNION ALL SELECT credit_id, amount_minor FROM moved
                        ) sides GROUP BY account_id
                    ) s WHERE a.id = s.account_id AND a.has_floor;
                    RETURN NULL;
                """,
            ),
        ]

    def __str__(self) -> str:
        return self.key
