"""Papers an organisation shows to prove what it says: licences, extracts, authorisations, electronic licences."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from marketplace import clock
from marketplace.claims import Claimable
from marketplace.guards import append_only, both_or_neither, never_changes, never_deleted, sentence
from marketplace.models import Organisation, User


class Proof(Claimable):
    """A paper as it came, kept with its digest and never served as itself; people see pictures drawn of it."""

    class Kind(models.TextChoices):
        LICENCE = "licence", _("Business licence")
        REGISTER_EXTRACT = "register_extract", _("Extract of the register")
        ADDRESS = "address", _("Proof of address")
        AUTHORISATION = "authorisation", _("Authorisation of the applicant")
        E_LICENCE = "e_licence", _("Electronic licence")

    MALWARE = "malware"  # the failure of a paper in which a scanner found something: nobody is given the file

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="proofs")
    kind = models.CharField(max_length=20, choices=Kind.choices)
    issuer = models.CharField(max_length=200)
    number = models.CharField(max_length=100, blank=True)
    issued_on = models.DateField(null=True, blank=True)
    expires_on = models.DateField(null=True, blank=True)
    media_type = models.CharField(max_length=40)
    size_bytes = models.PositiveIntegerField()
    digest = models.CharField(max_length=80)
    stored_as = models.CharField(max_length=80, unique=True)
    uploaded_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    uploaded_at = models.DateTimeField(default=clock.now)
    drawn_at = models.DateTimeField(null=True, blank=True)
    failure = models.CharField(max_length=40, blank=True)  # why no picture could be drawn, a stable code
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawn_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    expiry_told_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("paper of an organisation")
        verbose_name_plural = _("papers of organisations")
        indexes = [
            models.Index(fields=["next_try_at"], condition=Q(drawn_at=None), name="proof_undrawn"),
            models.Index(fields=["expires_on"], condition=Q(withdrawn_at=None), name="proof_expiring"),
        ]
        constraints = [
            both_or_neither("withdrawn_proof_says_by_whom", "withdrawn_at", "withdrawn_by"),
            sentence(
                "proof_expires_after_it_was_issued",
                Q(issued_on=None) | Q(expires_on=None) | Q(expires_on__gte=models.F("issued_on")),
            ),
            sentence("licence_says_when_it_expires_or_was_issued", ~Q(kind="e_licence") | Q(issued_on__isnull=False)),
        ]
        triggers = [
            never_changes(
                "organisation", "kind", "issuer", "number", "issued_on", "expires_on", "media_type", "size_bytes",
                "digest", "stored_as", "uploaded_by", "uploaded_at",
            ),
            pgtrigger.Protect(
                name="withdrawn_stays_withdrawn",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__withdrawn_at__isnull=False, new__withdrawn_at__isnull=True),
            ),
            *never_deleted(),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.number}".strip()

    @property
    def may_be_saved(self) -> bool:
        """Whether a worker looked at it, and found nothing that must be kept from everybody."""
        return self.drawn_at is not None and self.failure != self.MALWARE


class ProofPicture(models.Model):
    """One page of a paper as a picture of ours."""

    proof = models.ForeignKey(Proof, on_delete=models.PROTECT, related_name="pictures")
    page = models.PositiveSmallIntegerField()
    stored_as = models.CharField(max_length=80, unique=True)
    digest = models.CharField(max_length=80)

    class Meta:
        ordering = ["page"]
        constraints = [models.UniqueConstraint(fields=["proof", "page"], name="one_picture_per_page")]
        triggers = append_only()
