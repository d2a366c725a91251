"""What an organisation tells of itself to be vetted, section by section, and how verified facts change afterwards."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from marketplace import clock
from marketplace.guards import append_only, both_or_neither, never_changes, never_deleted, sentence
from marketplace.models import Organisation, User


class Section(models.TextChoices):
    """The parts of an application. What the organisation is called and where it sits is kept with the organisation."""

    IDENTITY = "identity", _("The organisation")
    REPRESENTATIVE = "representative", _("Legal representative")
    ACTIVITY = "activity", _("What it does")
    OWNERS = "owners", _("Beneficial owners")
    CONTACTS = "contacts", _("Contacts for security and privacy")
    BANK = "bank", _("Bank account, for the record")


TWO_PERSON_SECTIONS = [Section.IDENTITY, Section.REPRESENTATIVE, Section.OWNERS]


class DossierSection(models.Model):
    """One section of what an organisation tells of itself; `facts` as compliance.dossier_facts keeps them.

    While the exchange vets what was said, and for as long as it stands on it, facts change by its decision alone.
    """

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="dossier")
    section = models.CharField(max_length=20, choices=Section.choices)
    facts = models.JSONField()
    saved_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    saved_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organisation", "section"], name="one_dossier_section_of_a_kind"),
            sentence("identity_is_kept_with_the_organisation", ~Q(section=Section.IDENTITY)),
        ]
        triggers = [
            never_changes("organisation", "section"),
            pgtrigger.Trigger(
                name="vetted_facts_change_by_decision",
                operation=pgtrigger.Insert | pgtrigger.Update,
                when=pgtrigger.Before,
                func="""
                    IF TG_OP = 'UPDATE' THEN
                        IF NEW.facts = OLD.facts THEN RETURN NEW; END IF;
                    END IF;
                    IF EXISTS (
                        SELECT FROM compliance_verification v
                        WHERE v.organisation_id = NEW.organisation_id
                        AND v.state IN ('applied', 'verified', 'suspended', 'expelled')
                    ) AND NOT COALESCE((
                        SELECT c.outcome = 'confirmed' AND c.after = NEW.facts FROM compliance_factchange c
                        WHERE c.organisation_id = NEW.organisation_id AND c.section = NEW.section AND c.outcome <> ''
                        ORDER BY c.decided_at DESC, c.id DESC LIMIT 1
                    ), FALSE) THEN
                        RAISE 'the % of organisation % changes by a decision only', NEW.section, NEW.organisation_id
                        USING ERRCODE = 'check_violation';
                    END IF; RETURN NEW;
                """,
            ),
            *never_deleted(),
        ]


class FactChange(models.Model):
    """A change of what the exchange vetted: old and new side by side, until the staff confirm or refuse it.

    Who the organisation is, who represents it and who owns it take two people. Until then the old facts stand.
    """

    class Outcome(models.TextChoices):
        CONFIRMED = "confirmed", _("Confirmed")
        REFUSED = "refused", _("Refused")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="fact_changes")
    section = models.CharField(max_length=20, choices=Section.choices)
    before = models.JSONField()
    after = models.JSONField()
    asked_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(default=clock.now)
    by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    first_at = models.DateTimeField(null=True, blank=True)
    second_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=10, choices=Outcome.choices, blank=True)
    reason = models.TextField(blank=True)

    class Meta:
        verbose_name = _("change of facts")
        verbose_name_plural = _("changes of facts")
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "section"], condition=Q(outcome=""), name="one_open_change_per_section"
            ),
            both_or_neither("first_word_on_a_change_says_when", "by", "first_at"),
            sentence(
                "decided_change_says_how",
                Q(decided_at=None, outcome="") | (Q(decided_at__isnull=False) & ~Q(outcome="")),
            ),
            sentence("confirmed_change_names_who_confirmed", ~Q(outcome="confirmed") | Q(by__isnull=False)),
            sentence(
                "changes_of_identity_take_two",
                ~Q(outcome="confirmed")
                | ~Q(section__in=TWO_PERSON_SECTIONS)
                | (Q(second_by__isnull=False) & ~Q(second_by=F("by"))),
            ),
            sentence("refused_change_says_why", ~Q(outcome="refused") | ~Q(reason="")),
        ]
        triggers = [
            never_changes("organisation", "section", "before", "after", "asked_by", "asked_at"),
            pgtrigger.Trigger(
                name="no_member_confirms_their_own_facts",
                operation=pgtrigger.Insert | pgtrigger.Update,
                when=pgtrigger.Before,
                func="""
                    IF EXISTS (
                        SELECT FROM marketplace_membership m
                        WHERE m.organisation_id = NEW.organisation_id AND m.user_id IN (NEW.by_id, NEW.second_by_id)
                    ) THEN
                        RAISE 'a member of the organisation cannot decide on its facts'
                        USING ERRCODE = 'check_violation';
                    END IF; RETURN NEW;
                """,
            ),
            pgtrigger.Protect(
                name="decided_never_changes",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__decided_at__isnull=False),
            ),
            *never_deleted(),
        ]

    @property
    def takes_two(self) -> bool:
        """Whether two people have to confirm it."""
        return self.section in TWO_PERSON_SECTIONS


class Declaration(models.Model):
    """What somebody declared for the organisation about sanctions and related parties, and to which text."""

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="declarations")
    text_version = models.CharField(max_length=20)
    text_digest = models.CharField(max_length=80)
    is_restricted = models.BooleanField()  # it, an owner or who directs it is on a list of restricted parties
    related_parties = models.TextField(blank=True)  # members of the exchange, and its staff, it is related to
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    declared_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["-pk"]
        triggers = append_only()
