"""What members look for: a demand, its answers, what both sides write, and whom the staff matched it to."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from compliance.states import DEMAND_MOVES, RESPONSE_MOVES, DemandState, ResponseState
from listings.models import Listing, Version
from marketplace import clock
from marketplace.guards import append_only, born_in, both_or_neither, never_changes, never_deleted, only_moves, sentence
from marketplace.models import Organisation, User, new_public_id
from marketplace.money import Money
from marketplace.regions import REGION_NAMES


class DemandQuerySet(models.QuerySet["Demand"]):
    def visible_to(self, organisation: Organisation | None) -> DemandQuerySet:
        """Public ones that are not hidden, one's own, those one answered, and those the staff matched one to."""
        shown = Q(hidden_at=None)
        if organisation is None:
            return self.filter(shown, is_public=True)
        matched = DemandMatch.objects.filter(seller=organisation).values("demand")
        answered = DemandResponse.objects.filter(seller=organisation).values("demand")
        return self.filter(
            shown & (Q(is_public=True) | Q(pk__in=matched)) | Q(organisation=organisation) | Q(pk__in=answered)
        )

    def open(self) -> DemandQuerySet:
        """What takes answers: its time has not passed, whether or not a worker has noted so yet."""
        return self.filter(state=DemandState.OPEN, hidden_at=None, open_until__gt=clock.now())

    def due_to_lapse(self) -> DemandQuerySet:
        """What has lapsed and no worker has noted."""
        return self.filter(state=DemandState.OPEN, open_until__lte=clock.now())


class Demand(models.Model):
    """What an organisation needs. Its words never change; it ends once: met, closed or lapsed."""

    public_id = models.CharField(max_length=20, unique=True, default=new_public_id, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="demands")
    title = models.CharField(max_length=120)
    description = models.TextField()
    sector = models.CharField(max_length=20, choices=Version.Sector.choices)
    region = models.CharField(max_length=20, blank=True)  # that the data is about; '' is any
    columns = models.TextField(blank=True)  # wished for
    coverage = models.CharField(max_length=200, blank=True)
    frequency = models.CharField(max_length=20, choices=Version.Frequency.choices, blank=True)  # '' is any
    budget_from_minor = models.BigIntegerField(null=True, blank=True)
    budget_until_minor = models.BigIntegerField(null=True, blank=True)
    currency = models.CharField(max_length=3, blank=True)
    needed_by = models.DateField(null=True, blank=True)
    is_public = models.BooleanField(default=True)
    is_named = models.BooleanField(default=False)  # whether sellers read who posted it
    state = models.CharField(max_length=10, choices=DemandState.choices, default=DemandState.OPEN)
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    posted_at = models.DateTimeField(default=clock.now)
    open_until = models.DateTimeField()
    met_by = models.ForeignKey(Listing, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    ended_at = models.DateTimeField(null=True, blank=True)
    hidden_at = models.DateTimeField(null=True, blank=True)
    hidden_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    hidden_reason = models.TextField(blank=True)  # in words the poster reads

    objects = DemandQuerySet.as_manager()

    class Meta:
        verbose_name = _("demand")
        verbose_name_plural = _("demands")
        indexes = [
            models.Index(fields=["state", "-posted_at", "-id"]),
            models.Index(fields=["open_until"], condition=Q(state="open"), name="demands_that_will_lapse"),
        ]
        constraints = [
            sentence("demand_says_something", ~Q(title="") & ~Q(description="")),
            sentence(
                "budget_of_a_demand_is_a_range_in_a_currency",
                Q(budget_from_minor=None, budget_until_minor=None, currency="")
                | ~Q(currency="")
                & (Q(budget_from_minor__isnull=False) | Q(budget_until_minor__isnull=False))
                & (Q(budget_from_minor=None) | Q(budget_from_minor__gte=0))
                & (Q(budget_until_minor=None) | Q(budget_until_minor__gt=0))
                & (
                    Q(budget_from_minor=None)
                    | Q(budget_until_minor=None)
                    | Q(budget_until_minor__gte=F("budget_from_minor"))
                ),
            ),
            sentence(
                "ended_demand_says_when",
                Q(state=DemandState.OPEN, ended_at=None) | ~Q(state=DemandState.OPEN) & Q(ended_at__isnull=False),
            ),
            sentence(
                "met_demand_names_the_product",
                Q(state=DemandState.MET, met_by__isnull=False) | ~Q(state=DemandState.MET) & Q(met_by=None),
            ),
            both_or_neither("hidden_demand_says_by_whom", "hidden_at", "hidden_by"),
            sentence(
                "hidden_demand_says_why",
                Q(hidden_at=None, hidden_reason="") | Q(hidden_at__isnull=False) & ~Q(hidden_reason=""),
            ),
        ]
        triggers = [
            only_moves(DEMAND_MOVES),
            born_in(DemandState.OPEN),
            never_changes(
                "public_id", "organisation", "title", "description", "sector", "region", "columns", "coverage",
                "frequency", "budget_from_minor", "budget_until_minor", "currency", "needed_by", "is_public",
                "is_named", "by", "posted_at", "open_until",
            ),
            pgtrigger.Protect(
                name="ended_demand_keeps_its_end",
                operation=pgtrigger.UpdateOf("ended_at", "met_by_id"),
                condition=~pgtrigger.Q(old__state="open"),
            ),
            pgtrigger.Protect(
                name="hidden_demand_stays_hidden",
                operation=pgtrigger.UpdateOf("hidden_at", "hidden_by_id", "hidden_reason"),
                condition=pgtrigger.Q(old__hidden_at__isnull=False),
            ),
            pgtrigger.Trigger(
                name="met_by_what_another_sells",
                operation=pgtrigger.UpdateOf("state"),
                when=pgtrigger.Before,
                condition=pgtrigger.Q(new__state="met"),
                func="""
                    IF NOT EXISTS (
                        SELECT FROM listings_listing l
                        WHERE l.id = NEW.met_by_id AND l.state = 'listed' AND l.seller_id <> NEW.organisation_id
                    ) THEN
                        RAISE 'demand % is not met by listing %', NEW.id, NEW.met_by_id
                            USING ERRCODE = 'check_violation';
                    END IF; RETURN NEW;
                """,
            ),
            *never_deleted(),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("demand", args=[self.public_id])

    @property
    def region_name(self) -> str:
        return str(REGION_NAMES.get(self.region, self.region))

    @property
    def is_open(self) -> bool:
        """Whether it takes answers now."""
        return self.state == DemandState.OPEN and self.hidden_at is None and self.open_until > clock.now()

    @property
    def budget(self) -> tuple[Money | None, Money | None] | None:
        """The least and the most it would pay, either of which may be open; None where it does not say."""
        if not self.currency:
            return None
        ends = [None if minor is None else Money(minor, self.currency) for minor in self._budget_minor]
        return ends[0], ends[1]

    @property
    def _budget_minor(self) -> tuple[int | None, int | None]:
        return self.budget_from_minor, self.budget_until_minor


class DemandMatch(models.Model):
    """The staff showed a demand to a seller, perhaps for one of its products; each seller once."""

    demand = models.ForeignKey(Demand, on_delete=models.PROTECT, related_name="matches")
    seller = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    listing = models.ForeignKey(Listing, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    note = models.TextField(blank=True)  # for the seller
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    matched_at = models.DateTimeField(default=clock.now)

    class Meta:
        verbose_name = _("match of a demand")
        verbose_name_plural = _("matches of demands")
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["demand", "seller"], name="one_match_per_demand_and_seller")]
        triggers = [
            pgtrigger.Trigger(
                name="matched_to_another_and_what_it_sells",
                operation=pgtrigger.Insert,
                when=pgtrigger.Before,
                func="""
                    IF NOT EXISTS (
                        SELECT FROM compliance_demand d WHERE d.id = NEW.demand_id AND d.state = 'open'
                            AND d.hidden_at IS NULL AND d.organisation_id <> NEW.seller_id
                    ) OR NEW.listing_id IS NOT NULL AND NOT EXISTS (
                        SELECT FROM listings_listing l
                        WHERE l.id = NEW.listing_id AND l.state = 'listed' AND l.seller_id = NEW.seller_id
                    ) THEN
                        RAISE 'demand % is not matched so', NEW.demand_id USING ERRCODE = 'check_violation';
                    END IF; RETURN NEW;
                """,
            ),
            *append_only(),
        ]

    def __str__(self) -> str:
        return f"{self.demand} → {self.seller}"


class DemandResponseQuerySet(models.QuerySet["DemandResponse"]):
    def visible_to(self, organisation: Organisation | None) -> DemandResponseQuerySet:
        """What an organisation answered, and what was answered to its demands."""
        own = Q(seller=organisation) | Q(demand__organisation=organisation)
        return self.filter(own) if organisation else self.none()


class DemandResponse(models.Model):
    """A seller's answer to a demand: one of its products, or what it proposes to make. Its words never change."""

    demand = models.ForeignKey(Demand, on_delete=models.PROTECT, related_name="responses")
    seller = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    listing = models.ForeignKey(Listing, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    text = models.TextField()
    price_minor = models.BigIntegerField(null=True, blank=True)  # an idea, not an offer
    currency = models.CharField(max_length=3, blank=True)
    ready_on = models.DateField(null=True, blank=True)
    state = models.CharField(max_length=10, choices=ResponseState.choices, default=ResponseState.OPEN)
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    answered_at = models.DateTimeField(default=clock.now)
    ended_at = models.DateTimeField(null=True, blank=True)
    reason = models.TextField(blank=True)  # why it was declined, in words the seller reads

    objects = DemandResponseQuerySet.as_manager()

    class Meta:
        verbose_name = _("answer to a demand")
        verbose_name_plural = _("answers to demands")
        ordering = ["pk"]
        indexes = [models.Index(fields=["by", "answered_at"])]
        constraints = [
            sentence("answer_to_a_demand_says_something", ~Q(text="")),
            sentence(
                "price_idea_has_a_currency",
                Q(price_minor=None, currency="") | Q(price_minor__gte=0) & ~Q(currency=""),
            ),
            sentence(
                "ended_answer_says_when",
                Q(state=ResponseState.OPEN, ended_at=None, reason="")
                | ~Q(state=ResponseState.OPEN) & Q(ended_at__isnull=False),
            ),
        ]
        triggers = [
            only_moves(RESPONSE_MOVES),
            born_in(ResponseState.OPEN),
            never_changes(
                "demand", "seller", "listing", "text", "price_minor", "currency", "ready_on", "by", "answered_at"
            ),
            pgtrigger.Protect(
                name="ended_answer_never_changes",
                operation=pgtrigger.Update,
                condition=~pgtrigger.Q(old__state="open"),
            ),
            pgtrigger.Trigger(
                name="answered_by_a_seller_who_sees_an_open_demand",
                operation=pgtrigger.Insert,
                when=pgtrigger.Before,
                func="""
                    IF NOT EXISTS (
                        SELECT FROM compliance_demand d WHERE d.id = NEW.demand_id AND d.state = 'open'
                            AND d.hidden_at IS NULL AND d.organisation_id <> NEW.seller_id
                            AND (d.is_public OR EXISTS (
                                SELECT FROM compliance_demandmatch m
                                WHERE m.demand_id = d.id AND m.seller_id = NEW.seller_id
                            ))
                    ) OR NEW.listing_id IS NOT NULL AND NOT EXISTS (
                        SELECT FROM listings_listing l
                        WHERE l.id = NEW.listing_id AND l.state = 'listed' AND l.seller_id = NEW.seller_id
                    ) THEN
                        RAISE 'demand % takes no such answer', NEW.demand_id USING ERRCODE = 'check_violation';
                    END IF; RETURN NEW;
                """,
            ),
            *never_deleted(),
        ]

    def __str__(self) -> str:
        return f"{self.demand} · {self.pk}"

    @property
    def price(self) -> Money | None:
        return None if self.price_minor is None else Money(self.price_minor, self.currency)


class DemandMessage(models.Model):
    """What one side of an answer says to the other."""

    response = models.ForeignKey(DemandResponse, on_delete=models.PROTECT, related_name="messages")
    is_of_poster = models.BooleanField()
    text = models.TextField()
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    written_at = models.DateTimeField(default=clock.now)

    class Meta:
        verbose_name = _("message about a demand")
        verbose_name_plural = _("messages about demands")
        ordering = ["pk"]
        constraints = [sentence("message_says_something", ~Q(text=""))]
        triggers = [
            pgtrigger.Trigger(
                name="no_message_about_an_ended_answer",
                operation=pgtrigger.Insert,
                when=pgtrigger.Before,
                func="""
                    IF NOT EXISTS (
                        SELECT FROM compliance_demandresponse r WHERE r.id = NEW.response_id AND r.state = 'open'
                    ) THEN
                        RAISE 'answer % has ended', NEW.response_id USING ERRCODE = 'check_violation';
                    END IF; RETURN NEW;
                """,
            ),
            *append_only(),
        ]

    def __str__(self) -> str:
        return f"{self.response} · {self.pk}"
