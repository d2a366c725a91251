"""A buyer's standing order to renew a licence."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from marketplace import clock
from marketplace.claims import Claimable
from marketplace.guards import born_in, never_changes, never_deleted, only_moves, sentence
from marketplace.models import Organisation, User
from settlement.models.trades import Trade
from settlement.states import RENEWAL_MOVES, RenewalState


class RenewalQuerySet(models.QuerySet["Renewal"]):
    def visible_to(self, organisation: Organisation | None) -> RenewalQuerySet:
        """The standing orders of an organisation as buyer."""
        return self.filter(trade__buyer=organisation) if organisation else self.none()


class Renewal(Claimable):
    """The buyer wants this licence bought again before it ends, on the same offer, until it says otherwise."""

    trade = models.OneToOneField(Trade, on_delete=models.PROTECT, related_name="renewal")
    state = models.CharField(max_length=10, choices=RenewalState.choices, default=RenewalState.STANDING)
    set_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    set_at = models.DateTimeField(default=clock.now)
    stopped_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    stopped_at = models.DateTimeField(null=True, blank=True)
    stopped_because = models.CharField(max_length=40, blank=True)  # the code of the refusal, '' where the buyer did it

    objects = RenewalQuerySet.as_manager()

    class Meta:
        verbose_name = _("standing order to renew")
        verbose_name_plural = _("standing orders to renew")
        indexes = [models.Index(fields=["next_try_at"], condition=Q(state="standing"), name="renewals_that_stand")]
        constraints = [
            sentence(
                "stopped_renewal_says_when_and_why",
                Q(state="stopped", stopped_at__isnull=False)
                & (Q(stopped_by__isnull=False, stopped_because="") | Q(stopped_by=None) & ~Q(stopped_because=""))
                | ~Q(state="stopped") & Q(stopped_at=None, stopped_by=None, stopped_because=""),
            )
        ]
        triggers = [
            only_moves(RENEWAL_MOVES),
            born_in(RenewalState.STANDING),
            never_changes("trade"),
            pgtrigger.Trigger(
                name="renewed_is_what_another_trade_renews",
                operation=pgtrigger.UpdateOf("state"),
                when=pgtrigger.After,
                timing=pgtrigger.Deferred,
                condition=pgtrigger.Q(new__state="renewed"),
                func="""
                    IF NOT EXISTS (SELECT FROM settlement_trade WHERE renews_id = NEW.trade_id) THEN
                        RAISE 'trade % is renewed by no other', NEW.trade_id USING ERRCODE = 'check_violation';
                    END IF; RETURN NULL;
                """,
            ),
            *never_deleted(),
        ]

    def __str__(self) -> str:
        return str(self.trade)
