"""Rolling reserves: on what terms a member's proceeds are kept back, and what was kept back of each cycle."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from marketplace import clock, marks
from marketplace.guards import both_or_neither, never_changes, never_deleted, sentence
from marketplace.models import Organisation, User
from marketplace.money import BASIS_POINTS_OF_THE_WHOLE, Money
from settlement.models.clearing import ClearingCycle
from settlement.models.ledger import IN_RESERVE

MOST_DAYS = 730


class ReserveTerms(models.Model):
    """How much of what a member gets is kept back, and for how many days; from one day to another, both included.

    An empty currency is every one that has no terms of its own. To keep back nothing is terms too: they end others.
    """

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="reserve_terms")
    currency = models.CharField(max_length=3, blank=True, default="")
    basis_points = models.PositiveIntegerField()
    days = models.PositiveIntegerField()
    begins_on = models.DateField()
    ends_on = models.DateField(null=True, blank=True)
    reason = models.TextField()
    asked_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(default=clock.now)
    confirmed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    confirmed_at = models.DateTimeField(null=True, blank=True)
    dropped_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    dropped_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("reserve terms")
        verbose_name_plural = _("reserve terms")
        constraints = [
            sentence("reserve_is_at_most_the_whole", Q(basis_points__lte=BASIS_POINTS_OF_THE_WHOLE)),
            sentence("reserve_is_kept_for_some_days", Q(days__gte=1, days__lte=MOST_DAYS)),
            sentence("reserve_terms_end_after_they_begin", Q(ends_on=None) | Q(ends_on__gte=F("begins_on"))),
            sentence("reserve_terms_have_a_reason", ~Q(reason="")),
            both_or_neither("confirmed_reserve_terms_say_by_whom", "confirmed_by", "confirmed_at"),
            both_or_neither("dropped_reserve_terms_say_by_whom", "dropped_by", "dropped_at"),
            sentence("reserve_terms_take_two_people", Q(confirmed_by=None) | ~Q(confirmed_by=F("asked_by"))),
            sentence("reserve_terms_are_confirmed_or_dropped", Q(confirmed_at=None) | Q(dropped_at=None)),
        ]
        triggers = [
            never_changes(
                "organisation", "currency", "basis_points", "days", "begins_on", "reason", "asked_by", "asked_at",
            ),
            pgtrigger.Trigger(
                name="decided_once_and_ended_by_what_follows",
                operation=pgtrigger.Update,
                when=pgtrigger.Before,
                func="""
                    IF OLD.dropped_at IS NOT NULL OR OLD.confirmed_at IS NOT NULL AND (
                        (NEW.confirmed_at, NEW.confirmed_by_id) IS DISTINCT FROM (OLD.confirmed_at, OLD.confirmed_by_id)
                        OR NEW.dropped_at IS NOT NULL
                    ) THEN
                        RAISE 'reserve terms % were decided on', OLD.id USING ERRCODE = 'check_violation';
                    END IF;
                    IF NEW.ends_on IS NULL AND OLD.ends_on IS NOT NULL OR NEW.ends_on > OLD.ends_on THEN
                        RAISE 'reserve terms % do not last longer than agreed', OLD.id
                            USING ERRCODE = 'check_violation';
                    END IF; RETURN NEW;
                """,
            ),
            pgtrigger.Trigger(
                name="one_reserve_of_a_member_and_currency_at_a_time",
                operation=pgtrigger.Insert | pgtrigger.Update,
                when=pgtrigger.Before,
                condition=pgtrigger.Q(new__confirmed_at__isnull=False),
                func="""
                    PERFORM FROM marketplace_organisation WHERE id = NEW.organisation_id FOR NO KEY UPDATE;
                    IF EXISTS (
                        SELECT FROM settlement_reserveterms o
                        WHERE o.organisation_id = NEW.organisation_id AND o.currency = NEW.currency
                        AND o.confirmed_at IS NOT NULL AND o.id <> NEW.id
                        AND daterange(o.begins_on, o.ends_on, '[]') && daterange(NEW.begins_on, NEW.ends_on, '[]')
                    ) THEN
                        RAISE 'reserve terms % overlap others of that member', NEW.id
                            USING ERRCODE = 'check_violation';
                    END IF; RETURN NEW;
                """,
            ),
            *never_deleted(),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{marks.percent(self.percent)} · {self.currency or '*'} · {self.begins_on}"

    @property
    def percent(self) -> str:
        return f"{self.basis_points / 100:g}"


class Reserve(models.Model):
    """What one cycle kept back of a member's proceeds in one currency, in minor units, until its day of release.

    What the payer's bank takes back later is drawn from it; what is left is released once, whole, by a later cycle.
    """

    cycle = models.ForeignKey(ClearingCycle, on_delete=models.PROTECT, related_name="reserves", db_index=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="reserves", db_index=False)
    currency = models.CharField(max_length=3)
    terms = models.ForeignKey(ReserveTerms, on_delete=models.PROTECT, related_name="reserves", db_index=False)
    amount_minor = models.BigIntegerField()
    release_on = models.DateField()
    drawn_minor = models.BigIntegerField(default=0)
    released_minor = models.BigIntegerField(default=0)
    released_in = models.ForeignKey(
        ClearingCycle, on_delete=models.PROTECT, null=True, blank=True, related_name="released_reserves"
    )
    released_on = models.DateField(null=True, blank=True)

    class Meta:
        verbose_name = _("amount in reserve")
        verbose_name_plural = _("amounts in reserve")
        constraints = [
            models.UniqueConstraint(
                fields=["cycle", "organisation", "currency"], name="one_reserve_per_member_and_cycle"
            ),
            sentence("reserve_is_positive", Q(amount_minor__gt=0)),
            sentence("reserve_is_drawn_at_most_whole", Q(drawn_minor__gte=0, drawn_minor__lte=F("amount_minor"))),
            both_or_neither("released_reserve_says_in_which_cycle", "released_in", "released_on"),
            sentence(
                "reserve_is_released_whole",
                Q(released_in=None, released_minor=0) | Q(released_minor=F("amount_minor") - F("drawn_minor")),
            ),
            sentence("something_of_a_reserve_is_released", Q(released_in=None) | Q(released_minor__gt=0)),
            sentence(
                "reserve_is_released_on_its_day_or_later", Q(released_on=None) | Q(released_on__gte=F("release_on"))
            ),
            sentence("reserve_is_released_by_a_later_cycle", Q(released_in=None) | ~Q(released_in=F("cycle"))),
        ]
        indexes = [
            models.Index(fields=["organisation", "currency", "release_on"]),
            models.Index(fields=["release_on"], condition=Q(released_in=None), name="reserves_to_be_released"),
        ]
        triggers = [
            never_changes("cycle", "organisation", "currency", "terms", "amount_minor", "release_on"),
            pgtrigger.Trigger(
                name="kept_by_terms_of_that_member",
                operation=pgtrigger.Insert,
                when=pgtrigger.Before,
                func="""
                    IF NEW.drawn_minor <> 0 OR NEW.released_in_id IS NOT NULL OR NOT EXISTS (
                        SELECT FROM settlement_reserveterms t WHERE t.id = NEW.terms_id
                        AND t.organisation_id = NEW.organisation_id AND t.currency IN ('', NEW.currency)
                        AND t.confirmed_at IS NOT NULL AND t.begins_on <= NEW.release_on - t.days::integer
                        AND coalesce(t.ends_on, 'infinity') >= NEW.release_on - t.days::integer
                    ) THEN
                        RAISE 'no terms in force keep back anything of member %', NEW.organisation_id
                            USING ERRCODE = 'check_violation';
                    END IF;
                    IF NOT EXISTS (
                        SELECT FROM settlement_clearingcycle WHERE id = NEW.cycle_id AND currency = NEW.currency
                    ) THEN
                        RAISE 'cycle % is not of %', NEW.cycle_id, NEW.currency USING ERRCODE = 'check_violation';
                    END IF; RETURN NEW;
                """,
            ),
            pgtrigger.Trigger(
                name="drawn_before_it_is_released_and_released_once",
                operation=pgtrigger.Update,
                when=pgtrigger.Before,
                func="""
                    IF OLD.released_in_id IS NOT NULL OR NEW.drawn_minor < OLD.drawn_minor THEN
                        RAISE 'reserve % was released or drawn', OLD.id USING ERRCODE = 'check_violation';
                    END IF;
                    IF NEW.released_in_id IS NOT NULL AND NOT EXISTS (
                        SELECT FROM settlement_clearingcycle WHERE id = NEW.released_in_id AND currency = NEW.currency
                    ) THEN
                        RAISE 'cycle % is not of %', NEW.released_in_id, NEW.currency
                            USING ERRCODE = 'check_violation';
                    END IF; RETURN NEW;
                """,
            ),
            pgtrigger.Trigger(
                name="reserve_is_in_the_books",
                operation=pgtrigger.Insert | pgtrigger.Update,
                when=pgtrigger.After,
                timing=pgtrigger.Deferred,
                declare=[("held", "BIGINT")],
                func=f"""
                    SELECT balance_minor INTO held FROM settlement_account
                        WHERE name = 'reserve:' || NEW.organisation_id || ':' || NEW.currency;
                    IF coalesce(held, 0) <> ({IN_RESERVE}) THEN
                        RAISE 'the books do not hold what reserve % says', NEW.id USING ERRCODE = 'check_violation';
                    END IF; RETURN NULL;
                """,  # noqa: S608  no value of anybody's
            ),
            *never_deleted(),
        ]

    def __str__(self) -> str:
        return f"{self.cycle.number} · {self.currency} · {self.release_on}"

    @property
    def left_minor(self) -> int:
        """What it still holds."""
        return self.amount_minor - self.drawn_minor - self.released_minor

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)

    @property
    def drawn(self) -> Money:
        return Money(self.drawn_minor, self.currency)

    @property
    def released(self) -> Money:
        return Money(self.released_minor, self.currency)

    @property
    def left(self) -> Money:
        return Money(self.left_minor, self.currency)
