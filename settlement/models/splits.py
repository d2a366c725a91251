"""How a product's revenue is shared: laid down by its seller, agreed by everybody named, frozen into each trade."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from listings.models import Listing
from marketplace import clock, marks
from marketplace.guards import append_only, born_in, both_or_neither, never_changes, never_deleted, only_moves, sentence
from marketplace.models import Organisation, User
from settlement.models.trades import Trade
from settlement.states import SPLIT_MOVES, SplitState

# Where the money of these products goes on to by the splits in force. A row that was reached is not walked again, so
# this ends even in a circle.
_REACHED = """
    WITH RECURSIVE reached AS (
        {first}
        UNION
        SELECT s.upstream_id FROM reached r
        JOIN settlement_revenuesplit p ON p.listing_id = r.upstream_id AND p.state = 'in_force'
        JOIN settlement_revenueshare s ON s.split_id = p.id
        WHERE s.upstream_id IS NOT NULL AND s.basis_points > 0
    ) SELECT upstream_id FROM reached
"""
_OF_THE_SPLIT = """
    SELECT upstream_id FROM settlement_revenueshare
    WHERE split_id = NEW.id AND upstream_id IS NOT NULL AND basis_points > 0
"""


class RevenueShareQuerySet(models.QuerySet["RevenueShare"]):
    def visible_to(self, organisation: Organisation | None) -> RevenueShareQuerySet:
        """What this organisation gets of others' products; nobody named sees what another one gets."""
        return self.filter(payee=organisation) if organisation else self.none()


class RevenueSplit(models.Model):
    """How what a product's trades bring, less the exchange's fee, is shared. What no share takes is the seller's.

    It is in force once everybody named has agreed, and for trades that are proposed then. It says the same for ever; a
    newer one takes its place, which names again whoever has a share in it, if only with nothing: nobody's share ends
    behind their back.
    """

    listing = models.ForeignKey(Listing, on_delete=models.PROTECT, related_name="splits", db_index=False)
    state = models.CharField(max_length=10, choices=SplitState.choices, default=SplitState.PROPOSED)
    replaces = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField(default=clock.now)
    in_force_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("revenue split")
        verbose_name_plural = _("revenue splits")
        ordering = ["-pk"]
        indexes = [models.Index(fields=["listing", "-id"], name="revenue_splits_of_a_product")]
        constraints = [
            models.UniqueConstraint(
                fields=["listing"], condition=Q(state="in_force"), name="one_split_of_a_product_in_force"
            ),
            models.UniqueConstraint(
                fields=["listing"], condition=Q(state="proposed"), name="one_split_of_a_product_waits"
            ),
            sentence(
                "split_in_force_says_since_when",
                Q(state__in=["in_force", "replaced"], in_force_at__isnull=False)
                | Q(state__in=["proposed", "declined", "withdrawn"], in_force_at=None),
            ),
            sentence(
                "split_that_ended_says_when",
                Q(state__in=["proposed", "in_force"], ended_at=None)
                | Q(state__in=["replaced", "declined", "withdrawn"], ended_at__isnull=False),
            ),
        ]
        triggers = [
            only_moves(SPLIT_MOVES),
            born_in(SplitState.PROPOSED),
            never_changes("listing", "replaces", "by", "proposed_at"),
            pgtrigger.Trigger(
                name="replaces_the_split_in_force",
                operation=pgtrigger.Insert,
                when=pgtrigger.Before,
                func="""
                    IF NEW.replaces_id IS DISTINCT FROM (
                        SELECT id FROM settlement_revenuesplit
                        WHERE listing_id = NEW.listing_id AND state = 'in_force'
                    ) THEN
                        RAISE 'a split replaces the one in force' USING ERRCODE = 'check_violation';
                    END IF; RETURN NEW;
                """,
            ),
            pgtrigger.Trigger(
                name="in_force_once_agreed_and_in_no_circle",
                operation=pgtrigger.UpdateOf("state"),
                when=pgtrigger.Before,
                condition=pgtrigger.Q(new__state="in_force"),
                func=f"""
                    PERFORM pg_advisory_xact_lock(hashtextextended('revenue splits', 0));
                    IF (SELECT bool_and(agreed_at IS NOT NULL) FROM settlement_revenueshare WHERE split_id = NEW.id)
                    IS NOT TRUE THEN
                        RAISE 'split % lacks an agreement', NEW.id USING ERRCODE = 'check_violation';
                    END IF;
                    IF EXISTS (
                        SELECT FROM settlement_revenueshare o
                        WHERE o.split_id = NEW.replaces_id AND o.basis_points > 0 AND NOT EXISTS (
                            SELECT FROM settlement_revenueshare n
                            WHERE n.split_id = NEW.id AND n.payee_id = o.payee_id
                        )
                    ) THEN
                        RAISE 'split % leaves out whom the one in force names', NEW.id
                            USING ERRCODE = 'check_violation';
                    END IF;
                    IF NEW.listing_id IN ({_REACHED.format(first=_OF_THE_SPLIT)}) THEN
                        RAISE 'split % closes a circle', NEW.id USING ERRCODE = 'check_violation';
                    END IF; RETURN NEW;
                """,  # noqa: S608  no value of anybody's
            ),
            *never_deleted(),
        ]

    def __str__(self) -> str:
        return f"{self.pk}"


class RevenueShare(models.Model):
    """What one organisation gets of a product's revenue, in basis points of what is left after the exchange's fee.

    A licensor upstream is named by its product: its seller gets the share, and that product's own split divides it.
    """

    class Kind(models.TextChoices):
        RIGHT_HOLDER = "right_holder", _("Right-holder")
        PUBLIC_AUTHORITY = "public_authority", _("Public authority")
        BROKER = "broker", _("Broker")
        UPSTREAM = "upstream", _("Upstream licensor")

    split = models.ForeignKey(RevenueSplit, on_delete=models.PROTECT, related_name="shares", db_index=False)
    kind = models.CharField(max_length=20, choices=Kind.choices)
    payee = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="revenue_shares")
    upstream = models.ForeignKey(Listing, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    basis_points = models.PositiveSmallIntegerField()
    agreed_at = models.DateTimeField(null=True, blank=True)
    agreed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    objects = RevenueShareQuerySet.as_manager()

    class Meta:
        verbose_name = _("revenue share")
        verbose_name_plural = _("revenue shares")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["split", "payee", "kind", "upstream"],
                name="one_share_of_a_kind_for_each",
                nulls_distinct=False,
            ),
            sentence("share_is_at_most_the_whole", Q(basis_points__lte=10_000)),
            sentence(
                "upstream_share_names_its_product",
                Q(kind="upstream", upstream__isnull=False)
                | Q(kind__in=["right_holder", "public_authority", "broker"], upstream=None),
            ),
            both_or_neither("agreed_share_says_by_whom", "agreed_at", "agreed_by"),
        ]
        triggers = [
            never_changes("split", "kind", "payee", "upstream", "basis_points"),
            pgtrigger.Trigger(
                name="share_is_of_anothers_product_and_fits",
                operation=pgtrigger.Insert,
                when=pgtrigger.Before,
                declare=[("split", "record")],
                func=f"""
                    SELECT p.state, p.listing_id, l.seller_id INTO split
                        FROM settlement_revenuesplit p JOIN listings_listing l ON l.id = p.listing_id
                        WHERE p.id = NEW.split_id FOR NO KEY UPDATE OF p;
                    IF split.state <> 'proposed' OR NEW.agreed_at IS NOT NULL OR EXISTS (
                        SELECT FROM settlement_revenueshare WHERE split_id = NEW.split_id AND agreed_at IS NOT NULL
                    ) THEN
                        RAISE 'split % is laid down', NEW.split_id USING ERRCODE = 'check_violation';
                    END IF;
                    IF NEW.payee_id = split.seller_id OR NEW.payee_id <> (
                        SELECT seller_id FROM listings_listing WHERE id = NEW.upstream_id
                    ) THEN
                        RAISE 'a share is another organisation’s, and upstream that product’s seller’s'
                            USING ERRCODE = 'check_violation';
                    END IF;
                    IF NEW.basis_points + (
                        SELECT coalesce(sum(basis_points), 0) FROM settlement_revenueshare
                        WHERE split_id = NEW.split_id
                    ) > 10000 THEN
                        RAISE 'the shares of split % are more than the whole', NEW.split_id
                            USING ERRCODE = 'check_violation';
                    END IF;
                    IF NEW.basis_points > 0 AND split.listing_id IN (
                        {_REACHED.format(first="SELECT NEW.upstream_id AS upstream_id")}
                    ) THEN
                        RAISE 'split % closes a circle', NEW.split_id USING ERRCODE = 'check_violation';
                    END IF; RETURN NEW;
                """,  # noqa: S608  no value of anybody's
            ),
            pgtrigger.Trigger(
                name="agreed_once_while_it_waits",
                operation=pgtrigger.Update,
                when=pgtrigger.Before,
                func="""
                    IF OLD.agreed_at IS NOT NULL OR (
                        SELECT state FROM settlement_revenuesplit WHERE id = NEW.split_id
                    ) <> 'proposed' THEN
                        RAISE 'share % was decided on', NEW.id USING ERRCODE = 'check_violation';
                    END IF; RETURN NEW;
                """,
            ),
            *never_deleted(),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} · {marks.percent(self.percent)}"

    @property
    def percent(self) -> str:
        return f"{self.basis_points / 100:g}"


class TradeShare(models.Model):
    """A share that counts for a trade, frozen when it is proposed.

    By `position` all that feeds a product stands before what that product's own split takes of it, so that clearing
    goes through them once.
    """

    trade = models.ForeignKey(Trade, on_delete=models.PROTECT, related_name="shares", db_index=False)
    share = models.ForeignKey(RevenueShare, on_delete=models.PROTECT, related_name="trades")
    position = models.PositiveSmallIntegerField()

    class Meta:
        verbose_name = _("share of a trade")
        verbose_name_plural = _("shares of trades")
        ordering = ["trade", "position"]
        constraints = [
            models.UniqueConstraint(fields=["trade", "position"], name="one_share_of_a_trade_in_a_place"),
            models.UniqueConstraint(fields=["trade", "share"], name="a_share_counts_once_in_a_trade"),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="share_is_in_force_and_after_what_feeds_it",
                operation=pgtrigger.Insert,
                when=pgtrigger.Before,
                declare=[("trade", "record"), ("share", "record")],
                func="""
                    SELECT state, listing_id, buyer_id INTO trade FROM settlement_trade WHERE id = NEW.trade_id;
                    SELECT s.kind, s.payee_id, s.upstream_id, s.basis_points, p.listing_id, p.state INTO share
                        FROM settlement_revenueshare s JOIN settlement_revenuesplit p ON p.id = s.split_id
                        WHERE s.id = NEW.share_id;
                    IF trade.state <> 'proposed' OR share.state <> 'in_force' OR share.basis_points = 0
                    OR share.kind = 'broker' AND share.payee_id = trade.buyer_id THEN
                        RAISE 'share % does not count for trade %', NEW.share_id, NEW.trade_id
                            USING ERRCODE = 'check_violation';
                    END IF;
                    IF share.listing_id <> trade.listing_id AND NOT EXISTS (
                        SELECT FROM settlement_tradeshare b JOIN settlement_revenueshare u ON u.id = b.share_id
                        WHERE b.trade_id = NEW.trade_id AND b.position < NEW.position
                        AND u.upstream_id = share.listing_id
                    ) OR EXISTS (
                        SELECT FROM settlement_tradeshare b JOIN settlement_revenueshare u ON u.id = b.share_id
                        JOIN settlement_revenuesplit p ON p.id = u.split_id
                        WHERE b.trade_id = NEW.trade_id AND b.position < NEW.position
                        AND p.listing_id = share.upstream_id
                    ) THEN
                        RAISE 'share % of trade % is out of its place', NEW.share_id, NEW.trade_id
                            USING ERRCODE = 'check_violation';
                    END IF; RETURN NEW;
                """,
            ),
            *append_only(),
        ]

    def __str__(self) -> str:
        return f"{self.trade_id}-{self.position}"
