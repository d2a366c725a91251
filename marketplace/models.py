"""Who acts, what happened, and the papers that prove it."""

from __future__ import annotations

import secrets

import pgtrigger
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from marketplace import clock
from marketplace.announcement_models import Announcement as Announcement
from marketplace.announcement_models import AnnouncementDismissal as AnnouncementDismissal
from marketplace.claims import Claimable
from marketplace.guards import append_only, both_or_neither, never_changes, never_deleted, never_truncated, sentence
from marketplace.joint_models import JointMember as JointMember
from marketplace.notification_models import Notification as Notification
from marketplace.notification_models import NotificationSwitch as NotificationSwitch
from marketplace.roles import SEES_EVERY_DESK, Role, StaffRole
from marketplace.webhook_models import WebhookAttempt as WebhookAttempt
from marketplace.webhook_models import WebhookDelivery as WebhookDelivery
from marketplace.webhook_models import WebhookEndpoint as WebhookEndpoint
from marketplace.webhook_models import WebhookMessage as WebhookMessage


def new_public_id() -> str:
    """A name for URLs that says nothing and cannot be guessed (80 random bits)."""
    return secrets.token_urlsafe(10).replace("-", "a").replace("_", "b").lower()


class UserManager(BaseUserManager["User"]):
    """Finds people by e-mail, whatever its capitals."""

    def create_user(self, email: str, password: str | None = None, **fields: object) -> User:
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email__iexact=username)


class User(AbstractBaseUser):
    """A person. What they may do comes from their memberships, or from their staff roles."""

    email = models.EmailField(_("e-mail"), unique=True)
    name = models.CharField(_("name"), max_length=120, blank=True)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    staff_roles = ArrayField(models.CharField(max_length=20, choices=StaffRole.choices), default=list, blank=True)
    date_joined = models.DateTimeField(default=clock.now)
    # What letters are written in; "" for somebody who never chose.
    language = models.CharField(_("language"), max_length=10, blank=True, default="")

    objects = UserManager()
    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")
        constraints = [
            models.UniqueConstraint(Lower("email"), name="email_is_unique_whatever_its_capitals"),
            sentence("only_staff_have_staff_roles", Q(is_staff=True) | Q(staff_roles=[])),
        ]

    def __str__(self) -> str:
        return self.name or self.email

    def role_in(self, organisation: Organisation) -> Role | None:
        """This person's role in the organisation, or None."""
        row = self.memberships.filter(organisation=organisation, ended_at=None).values_list("role", flat=True).first()
        return Role(row) if row else None

    def has_perm(self, permission: str, obj: object = None) -> bool:
        """Django's admin asks: the staff may look; deciding goes through commands, never through a form."""
        app, _dot, codename = permission.partition(".")
        return self.is_active and self.is_staff and codename.startswith("view_") and self.has_module_perms(app)

    def has_module_perms(self, app: str) -> bool:
        """Whether this member of the staff sees anything of the app in the admin."""
        return (
            self.is_active
            and self.is_staff
            and not (SEES_EVERY_DESK | {StaffRole.SUPPORT}).isdisjoint(self.staff_roles)
        )


class OrganisationQuerySet(models.QuerySet["Organisation"]):
    def of(self, user: User) -> OrganisationQuerySet:
        """The organisations this person belongs to."""
        return self.filter(memberships__user=user, memberships__ended_at=None)


class Organisation(models.Model):
    """A member of the exchange, or one that wants to be.

    Anybody may enter a registration number; whose it is the exchange finds out when it vets (compliance.Verification).
    """

    class Kind(models.TextChoices):
        SUPPLIER = "supplier", _("Supplier")
        BUYER = "buyer", _("Buyer")
        BROKER = "broker", _("Broker")
        ASSESSOR = "assessor", _("Assessor")
        DELIVERY_PROVIDER = "delivery_provider", _("Delivery provider")
        JOINT = "joint", _("Joint merchant")  # for life: see compliance.joint_merchants
        OTHER = "other", _("Other")

    class NumberKind(models.TextChoices):
        USCC = "uscc", _("Unified social credit code (mainland)")
        HK_BR = "hk_br", _("Business registration number (Hong Kong)")
        LEI = "lei", _("Legal entity identifier")
        OTHER = "other", _("Other register")

    public_id = models.CharField(max_length=20, unique=True, default=new_public_id, editable=False)
    kinds = ArrayField(models.CharField(max_length=20, choices=Kind.choices), verbose_name=_("kinds"))
    name = models.CharField(_("name in its own script"), max_length=200)
    latin_name = models.CharField(_("name in Latin script"), max_length=200)
    country = models.CharField(_("country or territory (ISO 3166)"), max_length=2)
    region = models.CharField(_("region"), max_length=40)
    number_kind = models.CharField(_("kind of registration number"), max_length=10, choices=NumberKind.choices)
    registration_number = models.CharField(_("registration number"), max_length=40)
    created_at = models.DateTimeField(default=clock.now)
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")

    objects = OrganisationQuerySet.as_manager()

    class Meta:
        verbose_name = _("organisation")
        verbose_name_plural = _("organisations")
        indexes = [models.Index(fields=["number_kind", "registration_number"])]
        constraints = [
            sentence("organisation_has_a_kind", Q(kinds__len__gte=1)),
            sentence("country_is_two_capitals", Q(country__regex=r"^[A-Z]{2}$")),
        ]
        triggers = [
            never_changes("public_id", "created_at", "created_by"),
            pgtrigger.Trigger(
                name="joint_for_life_or_never",
                operation=pgtrigger.UpdateOf("kinds"),
                when=pgtrigger.Before,
                func="""
                    IF ('joint' = ANY(OLD.kinds)) <> ('joint' = ANY(NEW.kinds)) THEN
                        RAISE 'an organisation is a joint merchant for life or never' USING ERRCODE = 'check_violation';
                    END IF; RETURN NEW;
                """,
            ),
            *never_deleted(),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def shown_name(self) -> str:
        """The name whoever reads the page can read: in its own script where that is Latin or the page is Chinese."""
        return self.name if (get_language() or "").startswith("zh") else self.latin_name

    @property
    def other_name(self) -> str:
        """The name in the script that `shown_name` is not in; empty where there is but one."""
        other = self.latin_name if self.shown_name == self.name else self.name
        return "" if other == self.shown_name else other

    @property
    def is_in_mainland(self) -> bool:
        """Whether its seat is in the Chinese mainland; Hong Kong and Macao count as export."""
        return self.country == "CN"


class Membership(models.Model):
    """A person's role in an organisation. Ended, never deleted."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="memberships")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="memberships")
    role = models.CharField(max_length=20, choices=Role.choices)
    created_at = models.DateTimeField(default=clock.now)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        constraints = [
            models.UniqueConstraint(
                fields=["user", "organisation"], condition=Q(ended_at=None), name="one_open_membership_per_person"
            )
        ]
        triggers = [never_changes("user", "organisation", "created_at"), *never_deleted()]

    def __str__(self) -> str:
        return f"{self.user} · {self.organisation} · {self.get_role_display()}"


class Invitation(models.Model):
    """A letter that lets a person join an organisation. Only the digest of its secret is kept."""

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="invitations")
    email = models.EmailField()
    role = models.CharField(max_length=20, choices=Role.choices)
    secret_digest = models.CharField(max_length=80, unique=True)
    invited_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=clock.now)
    lapses_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    accepted_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        constraints = [both_or_neither("accepted_invitation_says_by_whom", "accepted_at", "accepted_by")]
        triggers = [never_changes("organisation", "email", "role", "secret_digest", "invited_by")]

    def __str__(self) -> str:
        return f"{self.email} → {self.organisation}"


class AccessTokenQuerySet(models.QuerySet["AccessToken"]):
    def visible_to(self, user: User, organisation: Organisation | None) -> AccessTokenQuerySet:
        """The person's own keys; and, for an owner of the organisation acted for, all that are bound to it."""
        own = Q(user=user)
        if organisation is not None and user.role_in(organisation) == Role.OWNER:
            own |= Q(organisation=organisation)
        return self.filter(own).select_related("user", "organisation").order_by("-pk")


class AccessToken(models.Model):
    """A script's key: a person's own (any of their organisations) or bound to one organisation. Kept as a digest."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="tokens")
    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, null=True, blank=True, related_name="tokens"
    )
    name = models.CharField(max_length=80)
    scopes = ArrayField(models.CharField(max_length=20))
    digest = models.CharField(max_length=80, unique=True)
    prefix = models.CharField(max_length=12)
    created_at = models.DateTimeField(default=clock.now)
    lapses_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = AccessTokenQuerySet.as_manager()

    class Meta:
        verbose_name = _("access token")
        verbose_name_plural = _("access tokens")
        triggers = [never_changes("user", "organisation", "scopes", "digest", "prefix")]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"


class Event(models.Model):
    """Something that happened. Recorded in the transaction that did it; never changed, only forgotten."""

    kind = models.CharField(max_length=60)
    subject_kind = models.CharField(max_length=30)
    subject_id = models.BigIntegerField()
    by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    facts = models.JSONField(null=True)
    at = models.DateTimeField(default=clock.now)

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        ordering = ["pk"]
        indexes = [models.Index(fields=["subject_kind", "subject_id", "id"]), models.Index(fields=["kind", "id"])]
        triggers = [
            never_changes("id", "kind", "subject_kind", "subject_id", "by", "at"),
            pgtrigger.Trigger(
                name="event_joins_the_queue",
                level=pgtrigger.Statement,
                operation=pgtrigger.Insert,
                when=pgtrigger.After,
                referencing=pgtrigger.Referencing(new="told"),
                func="INSERT INTO marketplace_unsealed (event_id) SELECT id FROM told; RETURN NULL;",
            ),
            pgtrigger.Trigger(
                name="facts_are_only_forgotten",
                operation=pgtrigger.Update,
                when=pgtrigger.Before,
                condition=pgtrigger.Q(new__facts__isnull=False),
                func="RAISE 'event % can be forgotten, not changed', OLD.id USING ERRCODE = 'check_violation';",
            ),
            *never_deleted(),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject_kind} {self.subject_id}"


class Salt(models.Model):
    """32 random bytes that hide an event's facts behind its commitment. Gone once the event is forgotten."""

    event = models.OneToOneField(Event, on_delete=models.PROTECT, primary_key=True)
    value = models.BinaryField(max_length=32)

    class Meta:
        verbose_name = _("salt")
        verbose_name_plural = _("salts")
        triggers = [
            never_changes("event", "value"),
            pgtrigger.Trigger(
                name="salt_goes_with_its_facts",
                operation=pgtrigger.Delete,
                when=pgtrigger.After,
                level=pgtrigger.Row,
                timing=pgtrigger.Deferred,
                func="""
                    IF EXISTS (SELECT FROM marketplace_event WHERE id = OLD.event_id AND facts IS NOT NULL) THEN
                        RAISE 'the salt of event % goes only with its facts', OLD.event_id
                        USING ERRCODE = 'check_violation';
                    END IF; RETURN NULL;
                """,
            ),
            never_truncated(),
        ]


class Seal(models.Model):
    """An event's place in the Merkle tree."""

    position = models.BigIntegerField(primary_key=True)
    event = models.OneToOneField(Event, on_delete=models.PROTECT, related_name="seal")
    leaf_hash = models.BinaryField(max_length=32)

    class Meta:
        verbose_name = _("seal of an event")
        verbose_name_plural = _("seals of events")
        triggers = append_only()


class Unsealed(models.Model):
    """The queue of events that have no place in the tree yet, so that sealing never searches the journal."""

    event = models.OneToOneField(Event, on_delete=models.PROTECT, primary_key=True, related_name="+")

    class Meta:
        verbose_name = _("event without a seal")
        verbose_name_plural = _("events without a seal")
        triggers = [
            never_changes("event"),
            pgtrigger.Trigger(
                name="event_leaves_the_queue_sealed",
                operation=pgtrigger.Delete,
                when=pgtrigger.After,
                level=pgtrigger.Row,
                timing=pgtrigger.Deferred,
                func="""
                    IF NOT EXISTS (SELECT FROM marketplace_seal WHERE event_id = OLD.event_id) THEN
                        RAISE 'event % leaves the queue only with its seal', OLD.event_id
                        USING ERRCODE = 'check_violation';
                    END IF; RETURN NULL;
                """,
            ),
            never_truncated(),
        ]


class TreeHead(models.Model):
    """The tree after one run of sealing: its size, root and frontier (RFC 6962 §2.1)."""

    size = models.BigIntegerField(primary_key=True)
    root = models.BinaryField(max_length=32)
    frontier = models.JSONField()
    at = models.DateTimeField(default=clock.now)

    class Meta:
        verbose_name = _("head of the journal")
        verbose_name_plural = _("heads of the journal")
        triggers = append_only()


class Follower(models.Model):
    """How far a reader of the journal has come."""

    name = models.CharField(max_length=60, primary_key=True)
    position = models.BigIntegerField(default=-1)
    tries = models.IntegerField(default=0)
    next_try_at = models.DateTimeField(default=clock.now)
    error = models.TextField(blank=True)

    class Meta:
        verbose_name = _("follower of the journal")
        verbose_name_plural = _("followers of the journal")


class KeyedCommand(models.Model):
    """A command that was run once for a key, and what it answered."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, null=True, related_name="+")
    key = models.CharField(max_length=200)
    request_digest = models.CharField(max_length=80)
    answer = models.JSONField(null=True)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        verbose_name = _("keyed request")
        verbose_name_plural = _("keyed requests")
        constraints = [
            models.UniqueConstraint(
                fields=["user", "organisation", "key"], nulls_distinct=False, name="one_command_per_key"
            )
        ]


class Letter(Claimable):
    """A letter by e-mail that a command wrote; a worker sends it. Sent at least once, and never changed."""

    to = models.EmailField()
    subject = models.CharField(max_length=200)
    body = models.TextField()
    language = models.CharField(max_length=10, default="en")
    # where its reader, or the reader's mail program, ends letters of this sort with one click (RFC 8058)
    unsubscribe_url = models.CharField(max_length=300, blank=True, default="")
    written_at = models.DateTimeField(default=clock.now)
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("letter")
        verbose_name_plural = _("letters")
        indexes = [models.Index(fields=["next_try_at"], condition=Q(sent_at=None), name="letter_unsent")]
        triggers = [
            never_changes("to", "subject", "body", "language", "unsubscribe_url", "written_at"),
            *never_deleted(),
        ]

    def __str__(self) -> str:
        return f"{self.subject} → {self.to}"


class PaperQuerySet(models.QuerySet["Paper"]):
    def visible_to(self, organisation: Organisation | None) -> PaperQuerySet:
        """The papers that name this organisation as a reader."""
        return self.filter(readers=organisation) if organisation else self.none()


class Paper(models.Model):
    """A certificate, contract or statement: its canonical record, kept with its digest; the PDF is rendered from it.

    By number alone a stranger sees validity, kind, product and date; with the check code, the record.
    """

    class Kind(models.TextChoices):
        REGISTRATION_CERTIFICATE = "registration_certificate", _("Registration certificate")
        LISTING_CERTIFICATE = "listing_certificate", _("Listing certificate")
        TRADE_CONTRACT = "trade_contract", _("Trade contract")
        DELIVERY_RECORD = "delivery_record", _("Delivery record")
        ACCEPTANCE = "acceptance", _("Acceptance")
        SETTLEMENT_STATEMENT = "settlement_statement", _("Settlement statement")
        TRADE_CERTIFICATE = "trade_certificate", _("Trade certificate")
        INVOICE = "invoice", _("Invoice record")
        CREDIT_NOTE = "credit_note", _("Credit note")
        QUOTE = "quote", pgettext_lazy("a paper", "Quote")

    number = models.CharField(max_length=40, unique=True)
    kind = models.CharField(max_length=30, choices=Kind.choices)
    subject_kind = models.CharField(max_length=30)
    subject_id = models.BigIntegerField()
    title = models.CharField(max_length=300)
    record = models.JSONField()
    digest = models.CharField(max_length=80)
    check_code = models.CharField(max_length=20)
    is_sandbox = models.BooleanField(default=False)
    readers = models.ManyToManyField(Organisation, related_name="papers")
    issued_at = models.DateTimeField(default=clock.now)

    objects = PaperQuerySet.as_manager()

    class Meta:
        verbose_name = _("paper")
        verbose_name_plural = _("papers")
        constraints = [
            models.UniqueConstraint(fields=["kind", "subject_kind", "subject_id"], name="one_paper_of_a_kind")
        ]
        triggers = append_only()

    def __str__(self) -> str:
        return self.number


class Annotation(models.Model):
    """What became of what a paper is about, for whoever checks the paper later; the paper itself stays as it is."""

    class Code(models.TextChoices):
        SUSPENDED = "suspended", _("The product was suspended")
        RESUMED = "resumed", _("The product is on sale again")
        WITHDRAWN = "withdrawn", _("The product was withdrawn")
        SUPERSEDED = "superseded", _("A later version of the product is registered")
        OBJECTED = "objection_upheld", _("An objection to this registration was upheld; the product is not listed")

    paper = models.ForeignKey(Paper, on_delete=models.PROTECT, related_name="annotations")
    code = models.CharField(max_length=20, choices=Code.choices)
    noted_at = models.DateTimeField(default=clock.now)

    class Meta:
        verbose_name = _("note on a paper")
        verbose_name_plural = _("notes on papers")
        ordering = ["pk"]
        triggers = append_only()

    def __str__(self) -> str:
        return f"{self.paper} · {self.code}"


class Revocation(models.Model):
    """A paper's revocation: asked by one of the staff, confirmed by another."""

    paper = models.OneToOneField(Paper, on_delete=models.PROTECT, related_name="revocation")
    reason = models.TextField()
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(default=clock.now)
    second_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("revocation")
        verbose_name_plural = _("revocations")
        constraints = [
            both_or_neither("revoked_by_a_second_person", "revoked_at", "second_by"),
            sentence("revoked_by_two_different_people", ~Q(second_by=F("by"))),
        ]
        triggers = [never_changes("paper", "reason", "by", "asked_at"), *never_deleted()]
