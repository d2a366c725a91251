"""What a seller tells the licensees of a product: typed, in one language, never changed."""

from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from listings.models import Listing, Release
from marketplace import clock
from marketplace.guards import append_only, sentence
from marketplace.models import Organisation, User


class LicenseeNoticeQuerySet(models.QuerySet["LicenseeNotice"]):
    def visible_to(self, organisation: Organisation | None) -> LicenseeNoticeQuerySet:
        """Public kinds; of the others what one's own organisation gave, or was given as a licensee."""
        public = Q(kind__in=LicenseeNotice.PUBLIC)
        if organisation is None:
            return self.filter(public)
        held = Q(listing__trades__buyer=organisation, listing__trades__grant__opened_at__lte=F("given_at")) & (
            Q(listing__trades__grant__closed_at=None) | Q(listing__trades__grant__closed_at__gt=F("given_at"))
        )
        given = LicenseeNotice.objects.filter(held).values("pk")
        return self.filter(public | Q(listing__seller=organisation) | Q(pk__in=given))


class LicenseeNotice(models.Model):
    """One notice. A delay concerns licensees alone; the other kinds stand on the product's page for everybody."""

    class Kind(models.TextChoices):
        NEW_RELEASE = "new_release", _("New release")
        DELAY = "delay", _("Delay")
        SCHEMA_CHANGE = "schema_change", _("Change of the schema")
        END_OF_LIFE = "end_of_life", _("End of life")

    PUBLIC = (Kind.NEW_RELEASE, Kind.SCHEMA_CHANGE, Kind.END_OF_LIFE)
    OF_A_RELEASE = (Kind.NEW_RELEASE, Kind.SCHEMA_CHANGE)

    listing = models.ForeignKey(Listing, on_delete=models.PROTECT, related_name="licensee_notices")
    kind = models.CharField(max_length=15, choices=Kind.choices)
    text = models.TextField()
    language = models.CharField(max_length=10, choices=settings.LANGUAGES)
    effective_on = models.DateField()
    release = models.ForeignKey(Release, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    changes = models.JSONField(default=dict)  # of the schema, as measured: columns by what happened to them
    licensees = models.PositiveIntegerField()  # how many organisations held a licence
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    given_at = models.DateTimeField(default=clock.now)

    objects = LicenseeNoticeQuerySet.as_manager()

    class Meta:
        verbose_name = _("notice to licensees")
        verbose_name_plural = _("notices to licensees")
        ordering = ["-pk"]
        indexes = [models.Index(fields=["listing", "-id"], name="licensee_notices_of_a_product")]
        constraints = [
            sentence("licensee_notice_says_something", ~Q(text="")),
            sentence(
                "licensee_notice_names_a_release_where_it_is_about_one",
                Q(kind="new_release", release__isnull=False)
                | Q(kind="schema_change")
                | Q(kind__in=["delay", "end_of_life"], release=None),
            ),
            models.UniqueConstraint(fields=["release", "kind"], name="licensees_are_told_of_a_release_once"),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="notice_is_about_a_sealed_release_of_its_product",
                operation=pgtrigger.Insert,
                when=pgtrigger.Before,
                condition=pgtrigger.Q(new__release__isnull=False),
                func="""
                    IF NOT EXISTS (
                        SELECT FROM listings_release r
                        WHERE r.id = NEW.release_id AND r.listing_id = NEW.listing_id AND r.sealed_at IS NOT NULL
                    ) THEN
                        RAISE 'release % is none of product %', NEW.release_id, NEW.listing_id
                            USING ERRCODE = 'check_violation';
                    END IF; RETURN NEW;
                """,
            ),
            *append_only(),
        ]

    def __str__(self) -> str:
        return f"{self.listing} · {self.get_kind_display()} · {self.effective_on}"
