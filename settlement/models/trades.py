"""A trade, what binds its parties, and what they dispute."""

from __future__ import annotations

import datetime as dt

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from listings import pricing
from listings.models import Discount, Listing, Offer, Release, Version
from marketplace import clock
from marketplace.guards import append_only, born_in, both_or_neither, never_changes, never_deleted, only_moves, sentence
from marketplace.models import Organisation, Paper, User, new_public_id
from marketplace.money import Money
from settlement.models.clearing import ClearingCycle
from settlement.models.fees import BUYER_FEE, FeeSchedule, fee_back_minor
from settlement.states import (
    DISPUTE_MOVES,
    TRADE_MOVES,
    DisputeState,
    TradeState,
)

# What a call costs by the step `s`, and what the offer `o` costs that has none, less the discount `d`.
LESS = pricing.less_sql("(s->>'unit_price_minor')::bigint", "d")
PRICE = pricing.less_sql("o.price_minor", "d")

_PAID = """(
    SELECT coalesce(sum(b.quantity), 0) FROM settlement_trade b WHERE b.bills_id = {trade}
    AND b.state NOT IN ('proposed', 'agreed', 'registered', 'expired')
)"""


def paid_calls_sql(trade: str) -> str:
    """How many of the calls that are billed afterwards are paid, of the trade with the id `trade`."""
    return _PAID.format(trade=trade)


def overdue_sql(trade: str) -> str:
    """Whether a bill of the trade with the id `trade` was not paid in time, and its calls are not paid since.

    One that the exchange never registered asked nobody for money.
    """
    return f"""EXISTS (
        SELECT FROM settlement_trade e WHERE e.bills_id = {trade} AND e.state = 'expired'
        AND e.registered_at IS NOT NULL AND e.first_call > {paid_calls_sql(trade)}
    )"""  # noqa: S608


class TradeQuerySet(models.QuerySet["Trade"]):
    def visible_to(self, organisation: Organisation | None) -> TradeQuerySet:
        """The trades this organisation is a party to."""
        return self.filter(Q(buyer=organisation) | Q(seller=organisation)) if organisation else self.none()

    def sold_by(self, organisation: Organisation | None) -> TradeQuerySet:
        return self.filter(seller=organisation) if organisation else self.none()

    def bought_by(self, organisation: Organisation | None) -> TradeQuerySet:
        return self.filter(buyer=organisation) if organisation else self.none()

    def due(self, state: str) -> TradeQuerySet:
        """Trades in this state that may be tried now."""
        return self.filter(state=state, next_try_at__lte=clock.now())

    def overdue(self) -> TradeQuerySet:
        """Trades that waited too long for a party: holds may still stretch the deadline, `trades.expire` knows.

        One that stands still for a chargeback of an instalment waits for the bank.
        """
        now = clock.now()
        funding_ended = now - dt.timedelta(days=settings.FUND_WITHIN_DAYS)
        return self.filter(
            Q(state=TradeState.PROPOSED, agree_until__lte=now)
            | Q(state=TradeState.AGREED, agreed_at__lte=funding_ended)
            | Q(state=TradeState.REGISTERED, fund_until__lte=now),
            next_try_at__lte=now,
            is_frozen=False,
        )

    def without_certificate(self) -> TradeQuerySet:
        """Settled trades that wait for their certificate and may be tried now."""
        return self.due(TradeState.SETTLED).filter(certificate=None).order_by("pk")


class Trade(models.Model):
    """One purchase of an offer. Version, release, price and terms are frozen into it when it is proposed.

    Each move writes the row anew in every index, so it has those that something asks and no others.
    """

    public_id = models.CharField(max_length=20, unique=True, default=new_public_id, editable=False)
    register_number = models.CharField(_("trade register number"), max_length=40, unique=True, null=True, blank=True)
    state = models.CharField(_("state"), max_length=12, choices=TradeState.choices, default=TradeState.PROPOSED)
    offer = models.ForeignKey(Offer, on_delete=models.PROTECT, related_name="trades", db_index=False)
    listing = models.ForeignKey(Listing, on_delete=models.PROTECT, related_name="trades")
    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="+", db_index=False)
    release = models.ForeignKey(Release, on_delete=models.PROTECT, related_name="+", db_index=False)
    seller = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="sales")
    buyer = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="purchases")
    discount = models.ForeignKey(  # in force when it was proposed
        Discount, on_delete=models.PROTECT, null=True, blank=True, related_name="trades", db_index=False
    )
    price_minor = models.BigIntegerField(_("price"))
    buyer_fee_minor = models.BigIntegerField(_("fee of the buyer"), default=0)  # paid beside the price
    currency = models.CharField(max_length=3)
    quantity = models.PositiveIntegerField(_("calls"), null=True, blank=True)  # of an offer priced per call
    unit_price_minor = models.BigIntegerField(_("price of a call"), null=True, blank=True)
    terms = models.JSONField()
    contract_version = models.CharField(_("licence contract"), max_length=10, blank=True, default="")
    jurisdiction = models.CharField(_("governing law and forum"), max_length=20, default="seat")
    text_digest = models.CharField(max_length=80, blank=True, default="")  # of the licence contract as it was proposed
    fee_schedule = models.ForeignKey(FeeSchedule, on_delete=models.PROTECT, related_name="+", db_index=False)
    renews = models.ForeignKey(  # the trade whose licence this one extends
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="renewals", db_index=False
    )
    upgrades = models.ForeignKey(  # the trade whose licence this one replaces
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="upgraded_by", db_index=False
    )
    credit_minor = models.BigIntegerField(_("credit for the replaced licence"), default=0)  # taken off the price
    is_trial = models.BooleanField(_("free trial"), default=False)  # as its offer is
    bills = models.ForeignKey(  # the trade under which the calls were made that this one bills
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="bills_of", db_index=False
    )
    first_call = models.PositiveIntegerField(_("first call"), null=True, blank=True)  # its number; `quantity` follow
    billed_until = models.DateTimeField(_("billed until"), null=True, blank=True)
    crossborder = models.JSONField()  # the decision as compliance.crossborder gave it
    inspection_days = models.PositiveSmallIntegerField()
    purpose = models.TextField(_("use"), blank=True)
    purchase_order = models.CharField(_("purchase order number"), max_length=60, blank=True)
    proposed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    proposed_at = models.DateTimeField(default=clock.now)
    agree_until = models.DateTimeField()
    agreed_at = models.DateTimeField(null=True, blank=True)
    registered_at = models.DateTimeField(null=True, blank=True)
    fund_until = models.DateTimeField(null=True, blank=True)
    funded_at = models.DateTimeField(null=True, blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True)
    inspect_until = models.DateTimeField(null=True, blank=True)
    accepted_at = models.DateTimeField(null=True, blank=True)
    is_deemed_accepted = models.BooleanField(default=False)
    cycle = models.ForeignKey(
        ClearingCycle, on_delete=models.PROTECT, null=True, blank=True, related_name="trades", db_index=False
    )
    cleared_at = models.DateTimeField(null=True, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    end_reason = models.CharField(max_length=300, blank=True)
    holds_licence = models.BooleanField(default=False)
    is_frozen = models.BooleanField(default=False)  # a chargeback is open
    certificate = models.ForeignKey(
        Paper, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    next_try_at = models.DateTimeField(default=clock.now)
    tries = models.IntegerField(default=0)
    error = models.TextField(blank=True)

    objects = TradeQuerySet.as_manager()

    class Meta:
        verbose_name = _("trade")
        verbose_name_plural = _("trades")
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["state", "next_try_at", "id"]),
            models.Index(fields=["cycle", "seller"]),
            models.Index(
                fields=["buyer", "listing"],
                condition=Q(quantity=None, unit_price_minor__isnull=False),
                name="metered_trades",
            ),
            models.Index(fields=["renews"], condition=Q(renews__isnull=False), name="renewals_of_a_trade"),
            models.Index(fields=["upgrades"], condition=Q(upgrades__isnull=False), name="upgrades_of_a_trade"),
            models.Index(fields=["bills"], condition=Q(bills__isnull=False), name="bills_of_a_trade"),
        ]
        constraints = [
            sentence("trade_has_two_parties", ~Q(buyer=F("seller"))),
            sentence("trade_price_is_not_negative", Q(price_minor__gte=0)),
            sentence(
                "buyer_fee_is_between_nothing_and_the_price",
                Q(buyer_fee_minor__gte=0, buyer_fee_minor__lte=F("price_minor")),
            ),
            sentence(
                "block_costs_its_calls",
                Q(quantity=None, unit_price_minor=None)
                | Q(quantity=None, unit_price_minor__gt=0, price_minor=0, renews=None, upgrades=None, bills=None)
                | Q(quantity__gt=0, unit_price_minor__gt=0, price_minor=F("quantity") * F("unit_price_minor")),
            ),
            sentence(
                "bill_says_which_calls",
                Q(bills=None, first_call=None, billed_until=None)
                | Q(bills__isnull=False, first_call__gt=0, billed_until__isnull=False, quantity__isnull=False)
                & Q(renews=None, upgrades=None, is_trial=False, holds_licence=False)
                & ~Q(state__in=["declined", "cancelled"]),
            ),
            sentence(
                "only_an_upgrade_has_a_credit",
                Q(upgrades=None, credit_minor=0)
                | Q(upgrades__isnull=False, renews=None, quantity=None, is_trial=False, credit_minor__gte=0)
                & Q(price_minor__gt=0),
            ),
            both_or_neither("registered_trade_has_a_number", "register_number", "registered_at"),
            models.UniqueConstraint(
                fields=["certificate"], condition=Q(certificate__isnull=False), name="certificate_is_of_one_trade"
            ),
            sentence("only_settled_trades_have_a_certificate", Q(certificate=None) | Q(state=TradeState.SETTLED)),
            sentence(
                "cleared_trade_names_its_cycle",
                ~Q(state__in=[TradeState.CLEARED, TradeState.SETTLED]) | Q(cycle__isnull=False),
            ),
            models.UniqueConstraint(
                fields=["renews"],
                condition=Q(renews__isnull=False) & ~Q(state__in=["declined", "cancelled", "expired", "refunded"]),
                name="licence_is_renewed_by_one_trade",
            ),
            models.UniqueConstraint(
                fields=["upgrades"],
                condition=Q(upgrades__isnull=False) & ~Q(state__in=["declined", "cancelled", "expired", "refunded"]),
                name="licence_is_upgraded_by_one_trade",
            ),
            models.UniqueConstraint(
                fields=["bills", "billed_until"],
                condition=Q(bills__isnull=False) & ~Q(state="expired"),
                name="calls_of_a_month_are_billed_once",
            ),
            models.UniqueConstraint(
                fields=["bills"],
                condition=Q(bills__isnull=False, state__in=["proposed", "agreed", "registered"]),
                name="one_bill_waits_for_its_money",
            ),
            models.UniqueConstraint(
                fields=["buyer", "listing"],
                condition=Q(is_trial=True) & ~Q(state__in=["declined", "cancelled", "expired", "refunded"]),
                name="one_trial_per_buyer_and_product",
            ),
        ]
        triggers = [
            only_moves(TRADE_MOVES),
            born_in(TradeState.PROPOSED),
            never_changes(
                "public_id", "offer", "listing", "version", "release", "seller", "buyer", "discount", "price_minor",
                "currency", "quantity", "unit_price_minor", "terms", "contract_version", "jurisdiction", "text_digest",
                "fee_schedule", "buyer_fee_minor",
                "renews", "upgrades", "credit_minor", "is_trial", "bills", "first_call",
                "billed_until", "crossborder", "inspection_days", "purpose", "purchase_order",
                "proposed_by", "proposed_at",
            ),
            pgtrigger.Trigger(
                name="fee_schedule_is_agreed_and_in_its_currency",
                operation=pgtrigger.Insert,
                when=pgtrigger.Before,
                func="""
                    IF NOT EXISTS (
                        SELECT FROM settlement_feeschedule f WHERE f.id = NEW.fee_schedule_id
                        AND f.currency IN ('', NEW.currency) AND (f.asked_by_id IS NULL OR f.confirmed_at IS NOT NULL)
                        AND f.valid_from <= NEW.proposed_at
                        AND (f.valid_until IS NULL OR f.valid_until > NEW.proposed_at)
                    ) THEN
                        RAISE 'no such fee schedule is in force for a trade in %', NEW.currency
                        USING ERRCODE = 'check_violation';
                    END IF; RETURN NEW;
                """,
            ),
            pgtrigger.Trigger(
                name="buyer_fee_is_what_its_schedule_gives",
                operation=pgtrigger.Insert,
                when=pgtrigger.Before,
                func=f"""
                    IF NEW.buyer_fee_minor IS DISTINCT FROM (
                        SELECT ({BUYER_FEE}) FROM settlement_feeschedule f WHERE f.id = coalesce(
                            (SELECT t.fee_schedule_id FROM settlement_trade t WHERE t.id = NEW.bills_id),
                            NEW.fee_schedule_id
                        )
                    ) THEN
                        RAISE 'a buyer fee of % is not what the schedule gives for %', NEW.buyer_fee_minor,
                            NEW.price_minor USING ERRCODE = 'check_violation';
                    END IF; RETURN NEW;
                """,  # noqa: S608
            ),
            pgtrigger.Trigger(
                name="renews_a_licence_of_its_own",
                operation=pgtrigger.Insert,
                when=pgtrigger.Before,
                condition=pgtrigger.Q(new__renews__isnull=False),
                func="""
                    IF NOT EXISTS (
                        SELECT FROM settlement_trade t JOIN settlement_grant g ON g.trade_id = t.id
                        JOIN listings_offer o ON o.id = t.offer_id
                        WHERE t.id = NEW.renews_id AND t.buyer_id = NEW.buyer_id
                        AND coalesce(o.converts_to_id, o.id) = NEW.offer_id
                        AND g.state IN ('open', 'suspended') AND g.ends_at IS NOT NULL
                        AND NOT EXISTS (
                            SELECT FROM settlement_trade u WHERE u.upgrades_id = t.id
                            AND u.state NOT IN ('declined', 'cancelled', 'expired', 'refunded')
                        )
                    ) THEN
                        RAISE 'trade % holds no licence that this one could extend', NEW.renews_id
                            USING ERRCODE = 'check_violation';
                    END IF; RETURN NEW;
                """,
            ),
            pgtrigger.Trigger(
                name="upgrades_a_licence_of_its_own",
                operation=pgtrigger.Insert,
                when=pgtrigger.Before,
                condition=pgtrigger.Q(new__upgrades__isnull=False),
                func="""
                    PERFORM FROM settlement_trade t WHERE t.id = NEW.upgrades_id FOR NO KEY UPDATE;
                    IF NOT EXISTS (
                        SELECT FROM settlement_trade t JOIN settlement_grant g ON g.trade_id = t.id
                        WHERE t.id = NEW.upgrades_id AND t.buyer_id = NEW.buyer_id AND t.seller_id = NEW.seller_id
                        AND t.listing_id = NEW.listing_id AND t.currency = NEW.currency AND t.quantity IS NULL
                        AND t.price_minor > 0 AND t.state IN ('accepted', 'cleared', 'settled') AND NOT t.is_frozen
                        AND g.state = 'open' AND NOT g.is_close_due AND g.ends_at > NEW.proposed_at
                        AND NEW.price_minor + NEW.credit_minor > t.price_minor + t.credit_minor
                        AND NEW.credit_minor <= t.price_minor + t.credit_minor - coalesce(
                            (SELECT d.refund_minor FROM settlement_dispute d WHERE d.trade_id = t.id), 0
                        )
                        AND NOT EXISTS (
                            SELECT FROM settlement_chargeback c WHERE c.trade_id = t.id AND c.state <> 'won'
                        )
                        AND NOT EXISTS (
                            SELECT FROM settlement_trade r WHERE r.renews_id = t.id
                            AND r.state NOT IN ('declined', 'cancelled', 'expired', 'refunded')
                        )
                    ) THEN
                        RAISE 'trade % holds no licence that this one could replace for %', NEW.upgrades_id,
                            NEW.credit_minor USING ERRCODE = 'check_violation';
                    END IF; RETURN NEW;
                """,
            ),
            pgtrigger.Trigger(
                name="replaced_access_ends_as_its_upgrade_opens",
                operation=pgtrigger.UpdateOf("state"),
                when=pgtrigger.After,
                timing=pgtrigger.Deferred,
                condition=pgtrigger.Q(new__state="delivered", new__upgrades__isnull=False),
                func="""
                    IF EXISTS (
                        SELECT FROM settlement_grant g JOIN settlement_trade u ON u.upgrades_id = g.trade_id
                        WHERE u.id = NEW.id AND u.state = 'delivered' AND g.state <> 'closed' AND NOT g.is_close_due
                    ) THEN
                        RAISE 'trade % is delivered beside what it replaces', NEW.id USING ERRCODE = 'check_violation';
                    END IF; RETURN NULL;
                """,
            ),
            pgtrigger.Trigger(
                name="proposed_while_the_offer_is_open",
                operation=pgtrigger.Insert,
                when=pgtrigger.Before,
                func="""
                    IF EXISTS (
                        SELECT FROM listings_offer o
                        WHERE o.id = NEW.offer_id AND NEW.bills_id IS NULL AND (o.open_until <= NEW.proposed_at OR (
                            o.audience = 'named' AND NOT EXISTS (
                                SELECT FROM listings_offerbuyer b
                                WHERE b.offer_id = o.id AND b.organisation_id = NEW.buyer_id
                            )
                        ))
                    ) THEN
                        RAISE 'offer % is not open to organisation %', NEW.offer_id, NEW.buyer_id
                            USING ERRCODE = 'check_violation';
                    END IF; RETURN NEW;
                """,
            ),
            pgtrigger.Trigger(
                name="trial_is_of_a_trial_offer",
                operation=pgtrigger.Insert,
                when=pgtrigger.Before,
                func="""
                    IF NEW.is_trial <> (SELECT converts_to_id IS NOT NULL FROM listings_offer WHERE id = NEW.offer_id)
                    THEN
                        RAISE 'offer % is taken for a trial, or is one', NEW.offer_id USING ERRCODE = 'check_violation';
                    END IF; RETURN NEW;
                """,
            ),
            pgtrigger.Trigger(
                name="quantity_and_price_are_the_offers",
                operation=pgtrigger.Insert,
                when=pgtrigger.Before,
                func=f"""
                    IF NOT EXISTS (
                        SELECT FROM listings_offer o LEFT JOIN listings_discount d ON d.id = NEW.discount_id
                        WHERE o.id = NEW.offer_id AND o.listing_id = NEW.listing_id AND o.currency = NEW.currency
                        AND CASE
                            WHEN NEW.bills_id IS NOT NULL THEN o.is_postpaid
                            WHEN o.is_postpaid THEN NEW.quantity IS NULL
                                AND NEW.unit_price_minor = (SELECT {LESS} FROM (SELECT o.steps->0) one (s))
                            WHEN o.steps = '[]' THEN NEW.quantity IS NULL AND NEW.unit_price_minor IS NULL
                                AND NEW.price_minor + NEW.credit_minor = {PRICE}
                            ELSE NEW.quantity <= o.most_quantity AND NEW.unit_price_minor = (
                                SELECT min({LESS}) FROM jsonb_array_elements(o.steps) s
                                WHERE (s->>'from_quantity')::bigint <= NEW.quantity
                            )
                        END
                    ) THEN
                        RAISE 'offer % does not cost % % (% calls at % each)', NEW.offer_id, NEW.currency,
                            NEW.price_minor + NEW.credit_minor, NEW.quantity, NEW.unit_price_minor
                            USING ERRCODE = 'check_violation';
                    END IF; RETURN NEW;
                """,  # noqa: S608
            ),
            pgtrigger.Trigger(
                name="discount_is_the_offers_and_in_force",
                operation=pgtrigger.Insert,
                when=pgtrigger.Before,
                condition=pgtrigger.Q(new__discount__isnull=False),
                func="""
                    IF NOT EXISTS (
                        SELECT FROM listings_discount d WHERE d.id = NEW.discount_id AND d.offer_id = NEW.offer_id
                        AND (NEW.bills_id IS NOT NULL OR d.valid_from <= NEW.proposed_at
                            AND least(d.valid_until, d.ended_at) > NEW.proposed_at)
                    ) THEN
                        RAISE 'discount % is not in force for offer %', NEW.discount_id, NEW.offer_id
                            USING ERRCODE = 'check_violation';
                    END IF; RETURN NEW;
                """,
            ),
            pgtrigger.Trigger(
                name="trade_has_the_instalments_of_its_offer",
                operation=pgtrigger.Insert,
                when=pgtrigger.After,
                timing=pgtrigger.Deferred,
                func="""
                    IF NOT EXISTS (
                        SELECT FROM listings_offer o WHERE o.id = NEW.offer_id AND jsonb_array_length(o.instalments) = (
                            SELECT count(*) FROM settlement_instalment i WHERE i.trade_id = NEW.id
                        ) AND (o.instalments = '[]' OR NEW.renews_id IS NULL AND NEW.upgrades_id IS NULL)
                    ) THEN
                        RAISE 'trade % has not the instalments of its offer', NEW.id USING ERRCODE = 'check_violation';
                    END IF; RETURN NULL;
                """,
            ),
            pgtrigger.Trigger(
                name="bill_follows_the_last_in_its_calls",
                operation=pgtrigger.Insert,
                when=pgtrigger.Before,
                condition=pgtrigger.Q(new__bills__isnull=False),
                func="""
                    PERFORM FROM settlement_trade t WHERE t.id = NEW.bills_id FOR NO KEY UPDATE;
                    IF NOT EXISTS (
                        SELECT FROM settlement_trade t JOIN settlement_grant g ON g.trade_id = t.id
                        WHERE t.id = NEW.bills_id AND t.quantity IS NULL AND t.unit_price_minor = NEW.unit_price_minor
                        AND t.buyer_id = NEW.buyer_id AND t.seller_id = NEW.seller_id AND t.offer_id = NEW.offer_id
                        AND t.release_id = NEW.release_id AND t.currency = NEW.currency AND t.state <> 'refunded'
                        AND t.discount_id IS NOT DISTINCT FROM NEW.discount_id AND t.text_digest = NEW.text_digest
                        AND NEW.first_call = 1 + (
                            SELECT coalesce(sum(b.quantity), 0) FROM settlement_trade b
                            WHERE b.bills_id = t.id AND b.state <> 'expired'
                        )
                        AND NEW.first_call + NEW.quantity - 1 <= (
                            SELECT max(c.number) FROM settlement_call c WHERE c.grant_id = g.id
                        )
                    ) THEN
                        RAISE 'trade % has no such calls to bill: % from %', NEW.bills_id, NEW.quantity, NEW.first_call
                            USING ERRCODE = 'check_violation';
                    END IF; RETURN NEW;
                """,
            ),
            pgtrigger.Trigger(
                name="overdue_bill_suspends_access",
                operation=pgtrigger.UpdateOf("state"),
                when=pgtrigger.After,
                timing=pgtrigger.Deferred,
                condition=pgtrigger.Q(new__state="expired", new__bills__isnull=False),
                func=f"""
                    IF EXISTS (
                        SELECT FROM settlement_grant g WHERE g.trade_id = NEW.bills_id AND g.state = 'open'
                        AND NOT g.is_close_due AND {overdue_sql("NEW.bills_id")}
                    ) THEN
                        RAISE 'bill % is overdue while access is open', NEW.id USING ERRCODE = 'check_violation';
                    END IF; RETURN NULL;
                """,  # noqa: S608
            ),
            pgtrigger.Trigger(
                name="one_metered_licence_of_a_product",
                operation=pgtrigger.Insert,
                when=pgtrigger.Before,
                condition=pgtrigger.Q(new__quantity__isnull=True, new__unit_price_minor__isnull=False),
                func=f"""
                    PERFORM FROM marketplace_organisation o WHERE o.id = NEW.buyer_id FOR NO KEY UPDATE;
                    IF EXISTS (
                        SELECT FROM settlement_trade t LEFT JOIN settlement_grant g ON g.trade_id = t.id
                        WHERE t.buyer_id = NEW.buyer_id AND t.listing_id = NEW.listing_id
                        AND t.quantity IS NULL AND t.unit_price_minor IS NOT NULL
                        AND t.state NOT IN ('declined', 'cancelled', 'expired', 'refunded')
                        AND (g.state IS DISTINCT FROM 'closed' AND g.is_close_due IS DISTINCT FROM true
                            OR {overdue_sql("t.id")})
                    ) THEN
                        RAISE 'organisation % has calls of this product billed already', NEW.buyer_id
                            USING ERRCODE = 'check_violation';
                    END IF; RETURN NEW;
                """,  # noqa: S608
            ),
            pgtrigger.Trigger(
                name="agreed_trade_has_an_agreement",
                operation=pgtrigger.UpdateOf("state"),
                when=pgtrigger.After,
                timing=pgtrigger.Deferred,
                condition=pgtrigger.Q(new__state="agreed"),
                func="""
                    IF NOT EXISTS (SELECT FROM settlement_agreement WHERE trade_id = NEW.id) THEN
                        RAISE 'trade % is agreed without an agreement', NEW.id USING ERRCODE = 'check_violation';
                    END IF; RETURN NULL;
                """,
            ),
            pgtrigger.Trigger(
                name="enters_the_open_cycle_of_its_currency",
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("cycle_id"),
                when=pgtrigger.After,
                condition=pgtrigger.Q(new__cycle__isnull=False),
                func="""
                    IF NOT EXISTS (
                        SELECT FROM settlement_clearingcycle
                        WHERE id = NEW.cycle_id AND currency = NEW.currency AND state = 'open'
                    ) THEN
                        RAISE 'cycle % is not open to a trade in %', NEW.cycle_id, NEW.currency
                            USING ERRCODE = 'check_violation';
                    END IF; RETURN NULL;
                """,
            ),
            pgtrigger.Trigger(
                name="paid_trade_holds_its_price",
                operation=pgtrigger.UpdateOf("state"),
                when=pgtrigger.After,
                timing=pgtrigger.Deferred,
                condition=pgtrigger.Q(new__state="funded", new__price_minor__gt=0),
                func="""
                    IF NOT EXISTS (
                        SELECT FROM settlement_transfer t JOIN settlement_account a ON a.id = t.credit_id
                        WHERE a.trade_id = NEW.id AND a.kind = 'escrow'
                        GROUP BY a.id HAVING sum(t.amount_minor) >= NEW.price_minor + NEW.buyer_fee_minor
                    ) OR EXISTS (
                        SELECT FROM settlement_instalment WHERE trade_id = NEW.id AND paid_at IS NULL
                    ) THEN
                        RAISE 'trade % is funded without its price in escrow', NEW.id USING ERRCODE = 'check_violation';
                    END IF; RETURN NULL;
                """,
            ),
            *never_deleted(),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.register_number or self.public_id

    def get_absolute_url(self) -> str:
        return reverse("trade", args=[self.public_id])

    @property
    def price(self) -> Money:
        return Money(self.price_minor, self.currency)

    @property
    def buyer_fee(self) -> Money:
        """What its buyer pays the exchange beside the price."""
        return Money(self.buyer_fee_minor, self.currency)

    @property
    def total_minor(self) -> int:
        """What its buyer pays in all: the price and its fee."""
        return self.price_minor + self.buyer_fee_minor

    @property
    def total(self) -> Money:
        return Money(self.total_minor, self.currency)

    def fee_back_minor(self, refund_minor: int) -> int:
        """What of the buyer's fee goes back with so much of the price."""
        return fee_back_minor(self.buyer_fee_minor, refund_minor, self.price_minor, self.currency)

    @property
    def list_price(self) -> Money:
        """What it would have cost without its discount; a call where they are billed afterwards."""
        if self.bills_id is not None or self.is_metered:
            return Money(self.offer.steps[0]["unit_price_minor"] * (self.quantity or 1), self.currency)
        return pricing.priced(self.offer, self.quantity).price

    @property
    def is_metered(self) -> bool:
        """Whether its calls are counted and billed afterwards, by trades of their own."""
        return self.quantity is None and self.unit_price_minor is not None

    @property
    def credit(self) -> Money:
        """What the licence it replaces was worth still, taken off its price."""
        return Money(self.credit_minor, self.currency)

    @property
    def full_price(self) -> Money:
        """Its price before that credit."""
        return Money(self.price_minor + self.credit_minor, self.currency)

    @property
    def unit_price(self) -> Money | None:
        """What each of its calls costs; None where it was not priced per call."""
        return None if self.unit_price_minor is None else Money(self.unit_price_minor, self.currency)


class Agreement(models.Model):
    """What both parties are bound by, and who bound them."""

    trade = models.OneToOneField(Trade, on_delete=models.PROTECT, related_name="agreement")
    terms = models.JSONField()
    digest = models.CharField(max_length=80)
    buyer_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    seller_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    agreed_at = models.DateTimeField(default=clock.now)
    text_digest = models.CharField(max_length=80, blank=True, default="")  # of the licence contract both agreed to
    buyer_agreed_at = models.DateTimeField(null=True, blank=True)
    seller_agreed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("agreement")
        verbose_name_plural = _("agreements")
        constraints = [
            sentence(
                "agreed_text_says_when_each_agreed",
                Q(text_digest="") | Q(buyer_agreed_at__isnull=False, seller_agreed_at__isnull=False),
            )
        ]
        triggers = [
            *append_only(),
            pgtrigger.Trigger(
                name="agreed_text_is_that_of_the_trade",
                operation=pgtrigger.Insert,
                when=pgtrigger.Before,
                func="""
                    IF NEW.text_digest <> (SELECT text_digest FROM settlement_trade WHERE id = NEW.trade_id) THEN
                        RAISE 'trade % has another text', NEW.trade_id USING ERRCODE = 'check_violation';
                    END IF; RETURN NEW;
                """,
            ),
        ]


class Dispute(models.Model):
    """The buyer's objection to what was delivered, and the exchange's answer."""

    trade = models.OneToOneField(Trade, on_delete=models.PROTECT, related_name="dispute")
    state = models.CharField(max_length=10, choices=DisputeState.choices, default=DisputeState.OPEN)
    reason = models.TextField()
    opened_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    opened_at = models.DateTimeField(default=clock.now)
    answer = models.TextField(blank=True)
    resolution = models.TextField(blank=True)
    refund_minor = models.BigIntegerField(null=True, blank=True)
    resolved_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    resolved_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("dispute")
        verbose_name_plural = _("disputes")
        constraints = [both_or_neither("resolved_dispute_says_by_whom", "resolved_at", "resolved_by")]
        triggers = [
            only_moves(DISPUTE_MOVES),
            born_in(DisputeState.OPEN),
            never_changes("trade", "reason", "opened_by", "opened_at"),
            *never_deleted(),
        ]
