"""A buyer's access and the receipts of its use."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from marketplace import clock
from marketplace.claims import Claimable
from marketplace.guards import append_only, born_in, never_changes, never_deleted, only_moves, sentence
from marketplace.models import Organisation, User
from settlement.models.trades import Trade, overdue_sql, paid_calls_sql
from settlement.states import (
    GRANT_MOVES,
    GrantState,
)


class GrantQuerySet(models.QuerySet["Grant"]):
    def visible_to(self, organisation: Organisation | None) -> GrantQuerySet:
        """The grants an organisation holds as buyer; a bill's usage statement is none."""
        return self.filter(trade__buyer=organisation, trade__bills=None) if organisation else self.none()


class Grant(Claimable):
    """A buyer's access to a release through a channel."""

    trade = models.OneToOneField(Trade, on_delete=models.PROTECT, related_name="grant")
    channel = models.CharField(max_length=20)
    state = models.CharField(max_length=10, choices=GrantState.choices, default=GrantState.DUE)
    access = models.JSONField(default=dict)  # what the channel gave; no secrets
    opened_at = models.DateTimeField(null=True, blank=True)
    ends_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    ending_told_at = models.DateTimeField(null=True, blank=True)  # when the buyer was told that it ends soon
    is_close_due = models.BooleanField(default=False)

    objects = GrantQuerySet.as_manager()

    class Meta:
        verbose_name = _("access")
        verbose_name_plural = _("accesses")
        indexes = [
            models.Index(fields=["state", "next_try_at"]),
            models.Index(
                fields=["ends_at"], condition=Q(ending_told_at=None, ends_at__isnull=False), name="grants_untold_of_end"
            ),
        ]
        triggers = [
            only_moves(GRANT_MOVES),
            born_in(GrantState.DUE),
            never_changes("trade", "channel"),
            pgtrigger.Trigger(
                name="ended_access_comes_back_from_a_refunded_upgrade",
                operation=pgtrigger.UpdateOf("is_close_due"),
                when=pgtrigger.After,
                timing=pgtrigger.Deferred,
                condition=pgtrigger.Q(old__is_close_due=True, new__is_close_due=False),
                func="""
                    IF NOT EXISTS (
                        SELECT FROM settlement_trade u WHERE u.upgrades_id = NEW.trade_id AND u.state = 'refunded'
                    ) THEN
                        RAISE 'access of trade % has ended', NEW.trade_id USING ERRCODE = 'check_violation';
                    END IF; RETURN NULL;
                """,
            ),
            pgtrigger.Trigger(
                name="access_rests_while_a_bill_is_overdue",
                operation=pgtrigger.UpdateOf("state"),
                when=pgtrigger.After,
                timing=pgtrigger.Deferred,
                condition=pgtrigger.Q(old__state="suspended", new__state="open"),
                func=f"""
                    IF {overdue_sql("NEW.trade_id")} THEN
                        RAISE 'a bill of trade % is overdue', NEW.trade_id USING ERRCODE = 'check_violation';
                    END IF; RETURN NULL;
                """,
            ),
            *never_deleted(),
        ]


class Call(models.Model):
    """One call of the block a trade bought, or one that is billed afterwards; the next number, and never more than
    were bought, or may be unpaid."""

    grant = models.ForeignKey(Grant, on_delete=models.PROTECT, related_name="calls", db_index=False)
    number = models.PositiveIntegerField()
    key = models.CharField(max_length=64)  # what makes several uses one call, as the channel says
    at = models.DateTimeField(default=clock.now)

    class Meta:
        verbose_name = _("call")
        verbose_name_plural = _("calls")
        constraints = [
            models.UniqueConstraint(fields=["grant", "number"], name="calls_are_numbered"),
            models.UniqueConstraint(fields=["grant", "key"], name="counted_once_per_key"),
            sentence("call_has_a_number_and_a_key", Q(number__gt=0) & ~Q(key="")),
        ]
        triggers = [
            *append_only(),
            pgtrigger.Trigger(
                name="no_more_calls_than_bought",
                operation=pgtrigger.Insert,
                when=pgtrigger.Before,
                func=f"""
                    IF (NEW.number <= (
                        SELECT CASE WHEN t.quantity IS NOT NULL THEN t.quantity
                            WHEN t.unit_price_minor IS NOT NULL AND g.state = 'open' THEN 
                                o.most_quantity + {paid_calls_sql("t.id")} END
                        FROM settlement_grant g JOIN settlement_trade t ON t.id = g.trade_id
                        JOIN listings_offer o ON o.id = t.offer_id WHERE g.id = NEW.grant_id AND t.bills_id IS NULL
                    ) AND NEW.number = 1 + coalesce(
                        (SELECT max(c.number) FROM settlement_call c WHERE c.grant_id = NEW.grant_id), 0
                    )) IS NOT TRUE THEN
                        RAISE 'call % of access % was not bought, or is not the next', NEW.number, NEW.grant_id
                            USING ERRCODE = 'check_violation';
                    END IF; RETURN NEW;
                """,  # noqa: S608
            ),
        ]

    def __str__(self) -> str:
        return f"{self.grant_id}-{self.number}"


class Receipt(models.Model):
    """One use of a grant: what was asked, what was sent at most."""

    grant = models.ForeignKey(Grant, on_delete=models.PROTECT, related_name="receipts")
    path = models.CharField(max_length=300)
    sha256 = models.CharField(max_length=64)
    first_byte = models.BigIntegerField()
    size_bytes = models.BigIntegerField()
    by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(default=clock.now)

    class Meta:
        verbose_name = _("receipt of a use")
        verbose_name_plural = _("receipts of uses")
        ordering = ["-pk"]
        triggers = append_only()
