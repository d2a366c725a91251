"""What is for sale, under which rights and terms."""

from __future__ import annotations

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import F, Func, Q
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from listings import periods
from listings.profiler.failures import worded
from listings.states import (
    LISTING_MOVES,
    OBJECTION_MOVES,
    PROFILE_MOVES,
    UPLOAD_MOVES,
    VERSION_MOVES,
    ListingState,
    ObjectionState,
    ProfileState,
    UploadState,
    VersionState,
)
from marketplace import clock
from marketplace.claims import Claimable
from marketplace.guards import append_only, born_in, both_or_neither, never_changes, never_deleted, only_moves, sentence
from marketplace.models import Organisation, User, new_public_id
from marketplace.money import Money


class ProductType(models.TextChoices):
    DATASET = "dataset", _("Dataset")
    API = "api", _("Data API")
    REPORT = "report", _("Data report")
    MODEL = "model", _("Model")
    SERVICE = "service", _("Data service")


class Classification(models.TextChoices):
    """GB/T 43697-2024: core, important, general; general in four grades (its informative annex H)."""

    CORE = "core", _("Core data")
    IMPORTANT = "important", _("Important data")
    GENERAL_4 = "general_4", _("General data, grade 4")
    GENERAL_3 = "general_3", _("General data, grade 3")
    GENERAL_2 = "general_2", _("General data, grade 2")
    GENERAL_1 = "general_1", _("General data, grade 1")


class ListingQuerySet(models.QuerySet["Listing"]):
    def sold_by(self, organisation: Organisation | None) -> ListingQuerySet:
        """What this organisation sells, in any state."""
        return self.filter(seller=organisation) if organisation else self.none()

    def on_sale(self) -> ListingQuerySet:
        """What anybody may look at."""
        return self.filter(state=ListingState.LISTED)

    def visible_to(self, organisation: Organisation | None) -> ListingQuerySet:
        """What is on sale, and what the organisation itself sells."""
        return self.filter(
            Q(state=ListingState.LISTED) | Q(seller=organisation) if organisation else Q(state=ListingState.LISTED)
        )


class Listing(models.Model):
    """A data product and its place on the exchange. What it says of itself is its current approved version."""

    public_id = models.CharField(max_length=20, unique=True, default=new_public_id, editable=False)
    seller = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="listings")
    product_type = models.CharField(_("type"), max_length=10, choices=ProductType.choices)
    state = models.CharField(_("state"), max_length=12, choices=ListingState.choices, default=ListingState.UNLISTED)
    current_version = models.ForeignKey("Version", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(default=clock.now)
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    listed_at = models.DateTimeField(null=True, blank=True)
    reason = models.TextField(blank=True)  # why it was suspended or withdrawn, in words the seller sees

    objects = ListingQuerySet.as_manager()

    class Meta:
        verbose_name = _("listing")
        verbose_name_plural = _("listings")
        indexes = [models.Index(fields=["state", "-listed_at", "-id"])]
        constraints = [
            sentence(
                "listed_product_has_a_version",
                Q(state__in=[ListingState.UNLISTED, ListingState.WITHDRAWN]) | Q(current_version__isnull=False),
            )
        ]
        triggers = [
            only_moves(LISTING_MOVES),
            born_in(ListingState.UNLISTED),
            pgtrigger.Trigger(
                name="no_product_is_published_against_an_objection",
                operation=pgtrigger.UpdateOf("state"),
                when=pgtrigger.Before,
                condition=pgtrigger.Q(old__state="registered", new__state="listed"),
                func="""
                    IF EXISTS (
                        SELECT FROM listings_objection o JOIN listings_registration r ON r.id = o.registration_id
                        WHERE r.version_id = NEW.current_version_id AND o.state <> 'dismissed'
                    ) THEN
                        RAISE 'an objection stands against listing %', NEW.id USING ERRCODE = 'check_violation';
                    END IF; RETURN NEW;
                """,
            ),
            never_changes("public_id", "seller", "product_type", "created_at", "created_by"),
            *never_deleted(),
        ]

    def __str__(self) -> str:
        return (
            self.current_version.title
            if self.current_version
            else f"{self.get_product_type_display()} {self.public_id}"
        )

    def get_absolute_url(self) -> str:
        return reverse("product", args=[self.public_id])


class Release(models.Model):
    """Files at one moment. Open while they arrive; sealed for ever once its digest is written."""

    listing = models.ForeignKey(Listing, on_delete=models.PROTECT, related_name="releases")
    label = models.CharField(_("label"), max_length=60)
    notes = models.TextField(_("what changed"), blank=True)
    created_at = models.DateTimeField(default=clock.now)
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    sealed_at = models.DateTimeField(null=True, blank=True)
    digest = models.CharField(max_length=80, blank=True)
    size_bytes = models.BigIntegerField(default=0)

    class Meta:
        verbose_name = _("release")
        verbose_name_plural = _("releases")
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["listing", "label"], name="one_release_per_label"),
            sentence(
                "sealed_release_has_a_digest",
                Q(sealed_at=None, digest="") | (Q(sealed_at__isnull=False) & ~Q(digest="")),
            ),
        ]
        triggers = [
            pgtrigger.Protect(
                name="sealed_release_never_changes",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__sealed_at__isnull=False),
            ),
            pgtrigger.Trigger(
                name="release_is_sealed_when_all_is_checked",
                operation=pgtrigger.Update,
                when=pgtrigger.Before,
                condition=pgtrigger.Q(old__sealed_at__isnull=True, new__sealed_at__isnull=False),
                func="""
                    IF EXISTS (SELECT FROM listings_upload WHERE release_id = NEW.id AND state = 'checking') THEN
                        RAISE 'files of release % are being checked', NEW.id USING ERRCODE = 'check_violation';
                    END IF; RETURN NEW;
                """,
            ),
            *never_deleted(),
        ]

    def __str__(self) -> str:
        return self.label


class ReleaseFile(models.Model):
    """One file of a release, in storage, with its SHA-256."""

    release = models.ForeignKey(Release, on_delete=models.PROTECT, related_name="files")
    path = models.CharField(max_length=300)
    size_bytes = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    stored_as = models.CharField(max_length=200, unique=True)
    media_type = models.CharField(max_length=100, default="application/octet-stream")
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        verbose_name = _("file of a release")
        verbose_name_plural = _("files of releases")
        ordering = ["path"]
        constraints = [models.UniqueConstraint(fields=["release", "path"], name="one_file_per_path")]
        triggers = [
            *append_only(),
            pgtrigger.Trigger(
                name="sealed_release_takes_no_file",
                operation=pgtrigger.Insert,
                when=pgtrigger.Before,
                func="""
                    IF EXISTS (SELECT FROM listings_release WHERE id = NEW.release_id AND sealed_at IS NOT NULL) THEN
                        RAISE 'release % is sealed', NEW.release_id USING ERRCODE = 'check_violation';
                    END IF; RETURN NEW;
                """,
            ),
            pgtrigger.Trigger(
                name="what_was_refused_joins_no_release",
                operation=pgtrigger.Insert,
                when=pgtrigger.Before,
                func="""
                    IF EXISTS (
                        SELECT FROM listings_upload
                        WHERE public_id = NEW.stored_as AND state IN ('refused', 'quarantined')
                    ) THEN
                        RAISE 'upload % was refused', NEW.stored_as USING ERRCODE = 'check_violation';
                    END IF; RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return self.path


class Upload(Claimable):
    """A file on its way in: by offset (as in tus 1.0), or in parts straight to the store; whole, it may be checked.

    Gone when it is part of its release; swept away when it is abandoned.
    """

    public_id = models.CharField(max_length=20, unique=True, default=new_public_id, editable=False)
    release = models.ForeignKey(Release, on_delete=models.PROTECT, related_name="uploads")
    path = models.CharField(max_length=300)
    size_bytes = models.BigIntegerField()
    received_bytes = models.BigIntegerField(default=0)
    expected_sha256 = models.CharField(max_length=64, blank=True)
    state = models.CharField(
        max_length=12, choices=UploadState.choices, default=UploadState.ARRIVING, db_default=UploadState.ARRIVING
    )
    part_bytes = models.BigIntegerField(default=0, db_default=0)  # of each part but the last; 0 comes by offset
    begun_as = models.CharField(max_length=1024, blank=True, db_default="")  # the store's word for the parts
    sha256 = models.CharField(max_length=64, blank=True, db_default="")  # of what arrived, once it is known
    checked_bytes = models.BigIntegerField(default=0, db_default=0)  # read by hashing and scanning, each all of it
    refusal_code = models.CharField(max_length=40, blank=True, db_default="")
    refusal = models.TextField(blank=True, db_default="")
    # A web process of the version before knows no claims.
    tries = models.IntegerField(default=0, db_default=0)
    next_try_at = models.DateTimeField(default=clock.now, db_default=Now())
    error = models.TextField(blank=True, db_default="")
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=clock.now)
    lapses_at = models.DateTimeField()

    class Meta:
        verbose_name = _("upload")
        verbose_name_plural = _("uploads")
        constraints = [
            sentence(
                "upload_receives_no_more_than_announced",
                Q(received_bytes__lte=F("size_bytes")) & Q(received_bytes__gte=0),
            ),
            sentence(
                "upload_is_whole_when_it_is_checked",
                Q(state=UploadState.ARRIVING) | Q(received_bytes=F("size_bytes")),
            ),
            sentence(
                "refused_upload_says_why",
                Q(state__in=[UploadState.ARRIVING, UploadState.CHECKING], refusal_code="")
                | (Q(state__in=[UploadState.REFUSED, UploadState.QUARANTINED]) & ~Q(refusal_code="")),
            ),
        ]
        triggers = [
            only_moves(UPLOAD_MOVES),
            born_in(UploadState.ARRIVING),
            never_changes("public_id", "release", "path", "part_bytes", "created_at", "created_by"),
        ]


class Quota(models.Model):
    """How much one organisation may keep here, where staff decided otherwise than the settings; the newest counts."""

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="quotas")
    most_bytes = models.BigIntegerField(_("bytes"))
    most_files = models.IntegerField(_("files"))
    reason = models.TextField(_("reason"))
    created_at = models.DateTimeField(default=clock.now)
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["-pk"]
        constraints = [
            sentence("quota_is_not_negative", Q(most_bytes__gte=0, most_files__gte=0)),
            sentence("quota_has_a_reason", ~Q(reason="")),
        ]
        triggers = append_only()


class Profile(Claimable):
    """What the data of a release really is, as measured by the exchange."""

    release = models.OneToOneField(Release, on_delete=models.PROTECT, related_name="profile")
    state = models.CharField(max_length=10, choices=ProfileState.choices, default=ProfileState.DUE)
    report = models.JSONField(null=True)
    quality = models.DecimalField(max_digits=5, decimal_places=4, null=True)
    error_code = models.CharField(max_length=40, blank=True)
    failure = models.JSONField(null=True)  # {path, says, facts}, put into words when shown
    measured_at = models.DateTimeField(null=True)
    bytes_done = models.BigIntegerField(
        default=0, db_default=0
    )  # of the release's size_bytes, in the present or last try

    class Meta:
        verbose_name = _("profile")
        verbose_name_plural = _("profiles")
        constraints = [sentence("profile_progress_is_not_negative", Q(bytes_done__gte=0))]
        triggers = [only_moves(PROFILE_MOVES), born_in(ProfileState.DUE), *never_deleted()]

    @property
    def why(self) -> str:
        """Why it failed, in the reader's language; what a worker ran into last, if it did not fail."""
        if not self.failure:
            return self.error
        return f"{self.failure['path']}: {worded(gettext(self.failure['says']), self.failure['facts'])}"


MANUAL = [
    "titles",
    "summaries",
    "sector",
    "coverage_from",
    "coverage_until",
    "coverage_area",
    "coverage_population",
    "update_frequency",
    "fields",
    "use_scenarios",
    "forbidden_uses",
    "source_statement",
    "lawful_basis",
    "rights",
    "classification",
    "has_personal_data",
    "has_sensitive_data",
    "persons_count",
    "leaves_mainland",
    "support_contact",
    "release",
]


class Version(models.Model):
    """A product manual (数据产品说明书): what the seller says of the product, immutable once submitted."""

    class Sector(models.TextChoices):
        TRANSPORT = "transport", _("Transport and shipping")
        WEATHER = "weather", _("Weather and environment")
        FINANCE = "finance", _("Finance")
        TRADE = "trade", _("International trade")
        HEALTH = "health", _("Health and medicine")
        INDUSTRY = "industry", _("Industry and manufacturing")
        ENERGY = "energy", _("Energy")
        COMMERCE = "commerce", _("Commerce and consumption")
        CITY = "city", _("City and public services")
        CULTURE = "culture", _("Culture and education")
        OTHER = "other", _("Other")

    class Frequency(models.TextChoices):
        REAL_TIME = "real_time", _("Real time")
        DAILY = "daily", _("Daily")
        WEEKLY = "weekly", _("Weekly")
        MONTHLY = "monthly", _("Monthly")
        QUARTERLY = "quarterly", _("Quarterly")
        YEARLY = "yearly", _("Yearly")
        IRREGULAR = "irregular", _("Irregular")
        HISTORICAL = "historical", _("Historical, not updated")

    class Basis(models.TextChoices):
        SELF_PRODUCED = "self_produced", _("Produced by ourselves")
        COLLECTED = "collected", _("Lawfully collected")
        TRADED = "traded", _("Acquired by trade or licence")
        OPEN = "open", _("Openly licensed")
        AUTHORISED = "authorised", _("Authorised operation of public data")
        CONSENT = "consent", _("Consent of the persons concerned")

    listing = models.ForeignKey(Listing, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=20, choices=VersionState.choices, default=VersionState.DRAFT)
    titles = models.JSONField(default=dict)  # {language: title} in up to three languages
    summaries = models.JSONField(default=dict)
    sector = models.CharField(_("sector"), max_length=20, choices=Sector.choices, blank=True)
    coverage_from = models.DateField(_("covers from"), null=True, blank=True)
    coverage_until = models.DateField(_("covers until"), null=True, blank=True)  # None: it goes on
    coverage_area = models.JSONField(_("area covered"), default=dict)  # as titles
    coverage_population = models.CharField(_("population covered"), max_length=200, blank=True)
    update_frequency = models.CharField(_("update frequency"), max_length=12, choices=Frequency.choices, blank=True)
    fields = models.JSONField(_("field dictionary"), default=list)  # [{name, type, meaning, unit}]
    use_scenarios = models.TextField(_("use scenarios"), blank=True)
    forbidden_uses = models.TextField(_("forbidden uses"), blank=True)
    source_statement = models.TextField(_("source statement"), blank=True)
    lawful_basis = models.CharField(_("lawful basis"), max_length=20, choices=Basis.choices, blank=True)
    rights = models.JSONField(_("rights"), default=dict)  # {holding|use|operation: {held, basis, evidence}}
    classification = models.CharField(_("classification"), max_length=10, choices=Classification.choices, blank=True)
    has_personal_data = models.BooleanField(_("contains personal information"), default=False)
    has_sensitive_data = models.BooleanField(_("contains sensitive personal information"), default=False)
    persons_count = models.BigIntegerField(_("persons concerned"), default=0)
    leaves_mainland = models.BooleanField(_("may be offered outside the mainland"), default=False)
    support_contact = models.CharField(_("support contact"), max_length=200, blank=True)
    release = models.ForeignKey(Release, on_delete=models.PROTECT, null=True, blank=True, related_name="versions")
    created_at = models.DateTimeField(default=clock.now)
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    submitted_at = models.DateTimeField(null=True, blank=True)
    submitted_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    approved_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("version")
        verbose_name_plural = _("versions")
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["listing", "number"], name="versions_are_numbered"),
            models.UniqueConstraint(
                fields=["listing"], condition=Q(state=VersionState.DRAFT), name="one_draft_at_a_time"
            ),
            sentence(
                "core_data_is_never_submitted", Q(state=VersionState.DRAFT) | ~Q(classification=Classification.CORE)
            ),
            sentence("submitted_version_says_by_whom", Q(state=VersionState.DRAFT) | Q(submitted_by__isnull=False)),
            sentence(
                "submitted_period_ends_after_it_begins",
                Q(state=VersionState.DRAFT)
                | Q(coverage_until__isnull=True)
                | Q(coverage_until__gte=F("coverage_from")),
            ),
        ]
        triggers = [
            only_moves(VERSION_MOVES),
            born_in(VersionState.DRAFT),
            never_changes("listing", "number", "created_at", "created_by"),
            pgtrigger.Trigger(
                name="submitted_manual_never_changes",
                operation=pgtrigger.Update,
                when=pgtrigger.Before,
                condition=pgtrigger.AnyChange(*MANUAL, "submitted_by", "submitted_at"),
                func="""
                    IF OLD.state <> 'draft' THEN
                        RAISE 'version % was submitted and never changes', OLD.id USING ERRCODE = 'check_violation';
                    END IF; RETURN NEW;
                """,
            ),
            *never_deleted(),
        ]

    def __str__(self) -> str:
        return f"{self.title} v{self.number}"

    def said(self, texts: dict[str, str]) -> str:
        """The text in the reader's language, else in the first there is."""
        language = get_language() or "en"
        nearest = [language, "zh-hans" if language == "zh-hant" else "zh-hant", "en", "zh-hans"]
        return next((texts[key] for key in nearest if texts.get(key)), "")

    @property
    def title(self) -> str:
        return self.said(self.titles)

    @property
    def summary(self) -> str:
        return self.said(self.summaries)

    @property
    def area(self) -> str:
        return self.said(self.coverage_area)

    @property
    def period(self) -> str:
        return periods.words(self.coverage_from, self.coverage_until)


class OfferQuerySet(models.QuerySet["Offer"]):
    def open_to_all(self) -> OfferQuerySet:
        return self.still_open().exclude(audience=Offer.Audience.NAMED)

    def still_open(self) -> OfferQuerySet:
        """Offers that were not closed and whose time has not run out, with what they cost now."""
        return self.filter(Q(open_until=None) | Q(open_until__gt=clock.now()), closed_at=None).with_discounts()

    def with_discounts(self) -> OfferQuerySet:
        """The offers with the discount in force of each, for `pricing`; one statement more."""
        in_force = Discount.objects.in_force()
        return self.prefetch_related(models.Prefetch("discounts", in_force, to_attr="discounts_in_force"))

    def for_named(self, organisation: Organisation) -> OfferQuerySet:
        """Open offers that name this organisation."""
        named = OfferBuyer.objects.filter(organisation=organisation).values("offer")
        return self.still_open().filter(audience=Offer.Audience.NAMED, pk__in=named)

    def visible_to(self, organisation: Organisation | None) -> OfferQuerySet:
        """Offers on sale that this organisation may see: open ones, those that name it, and its own."""
        if organisation is None:
            return self.open_to_all()
        named = Q(
            audience=Offer.Audience.NAMED, pk__in=OfferBuyer.objects.filter(organisation=organisation).values("offer")
        )
        own = Q(listing__seller=organisation)
        return self.still_open().filter(~Q(audience=Offer.Audience.NAMED) | named | own)


class Offer(models.Model):
    """A price plan: price, terms, channel, who may buy, and how many licences are left. Closed, never changed.

    Its price is the list price; what is paid is that less the discount in force (see `listings.pricing`).
    """

    class Audience(models.TextChoices):
        EVERYONE = "everyone", _("Every verified member")
        NAMED = "named", _("Named buyers")
        ON_REQUEST = "on_request", _("On request")

    public_id = models.CharField(max_length=20, unique=True, default=new_public_id, editable=False)
    listing = models.ForeignKey(Listing, on_delete=models.PROTECT, related_name="offers")
    name = models.CharField(_("name"), max_length=120)
    price_minor = models.BigIntegerField(_("price"))  # per call: of the least block
    currency = models.CharField(_("currency"), max_length=3)
    # Per call: [{from_quantity, unit_price_minor}], the numbers rising and the prices falling; [] is one price.
    steps = models.JSONField(_("prices per call"), default=list, db_default=[])
    most_quantity = models.PositiveIntegerField(_("most calls"), null=True, blank=True)  # postpaid: of unpaid ones
    is_postpaid = models.BooleanField(_("billed monthly"), default=False, db_default=False)  # each call at its step
    # In what parts the price is paid: [{basis_points, due_days}], days after registration; [] is at once.
    instalments = models.JSONField(_("instalments"), default=list, db_default=[])
    terms = models.JSONField(_("licence terms"))
    channel = models.CharField(_("delivery channel"), max_length=20, default="files")
    inspection_days = models.PositiveSmallIntegerField(_("inspection days"), default=7)
    jurisdiction = models.CharField(_("governing law and forum"), max_length=20, default="seat")
    contract_version = models.CharField(
        _("licence contract"), max_length=10, blank=True, default=""
    )  # "" before there was one
    audience = models.CharField(_("who may buy"), max_length=12, choices=Audience.choices, default=Audience.EVERYONE)
    buyers = models.ManyToManyField(Organisation, through="OfferBuyer", related_name="+")
    licences_total = models.PositiveIntegerField(_("licences for sale"), null=True, blank=True)
    licences_left = models.IntegerField(null=True, blank=True)
    created_at = models.DateTimeField(default=clock.now)
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    open_until = models.DateTimeField(_("open until"), null=True, blank=True)  # None: until it is closed
    converts_to = models.ForeignKey(  # of a free trial: the paid offer it goes on with, if the buyer so orders
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="trials"
    )
    note = models.TextField(_("note to the buyers"), blank=True, default="")  # of an offer that names them
    closed_at = models.DateTimeField(null=True, blank=True)

    objects = OfferQuerySet.as_manager()

    class Meta:
        verbose_name = _("offer")
        verbose_name_plural = _("offers")
        ordering = ["price_minor", "pk"]
        constraints = [
            sentence("price_is_not_negative", Q(price_minor__gte=0)),
            sentence("currency_is_three_capitals", Q(currency__regex=r"^[A-Z]{3}$")),
            sentence("offer_is_open_for_some_time", Q(open_until=None) | Q(open_until__gt=F("created_at"))),
            sentence(
                "postpaid_calls_have_one_price",
                Q(is_postpaid=False)
                | Q(steps__0__from_quantity__isnull=False, steps__0__from_quantity=1, steps__1__isnull=True)
                & Q(converts_to=None),
            ),
            sentence("only_named_buyers_read_a_note", Q(note="") | Q(audience="named")),
            sentence(
                "no_more_licences_than_offered",
                Q(licences_total=None, licences_left=None)
                | Q(
                    licences_total__isnull=False,
                    licences_left__isnull=False,
                    licences_left__gte=0,
                    licences_left__lte=F("licences_total"),
                ),
            ),
        ]
        triggers = [
            never_changes(
                "public_id", "listing", "name", "price_minor", "currency", "steps", "most_quantity", "is_postpaid",
                "instalments", "terms", "channel", "inspection_days", "jurisdiction", "contract_version", "audience",
                "licences_total", "created_at", "created_by", "open_until", "note", "converts_to",
            ),
            pgtrigger.Trigger(
                name="instalments_are_the_whole_price_in_order",
                operation=pgtrigger.Insert,
                when=pgtrigger.Before,
                condition=~pgtrigger.Q(new__instalments=[]),
                func="""
                    IF (
                        SELECT NEW.price_minor > 0 AND NEW.steps = '[]' AND NEW.converts_to_id IS NULL
                            AND count(*) BETWEEN 2 AND 12 AND sum(share) = 10000 AND min(share) > 0 AND min(days) >= 0
                            AND bool_and(days > before IS NOT FALSE)
                        FROM (
                            SELECT (part->>'basis_points')::bigint AS share, (part->>'due_days')::bigint AS days,
                                lag((part->>'due_days')::bigint) OVER (ORDER BY place) AS before
                            FROM jsonb_array_elements(NEW.instalments) WITH ORDINALITY AS parts (part, place)
                        ) plan
                    ) IS NOT TRUE THEN
                        RAISE 'the instalments of offer % are not its whole price in order', NEW.public_id
                            USING ERRCODE = 'check_violation';
                    END IF; RETURN NEW;
                """,
            ),
            pgtrigger.Trigger(
                name="trial_goes_on_with_a_paid_offer",
                operation=pgtrigger.Insert,
                when=pgtrigger.Before,
                func="""
                    IF NEW.converts_to_id IS NOT NULL THEN  -- nobody closes it meanwhile
                        PERFORM FROM listings_offer o WHERE o.id = NEW.converts_to_id FOR SHARE;
                    END IF;
                    IF (CASE WHEN NEW.converts_to_id IS NULL THEN NOT NEW.terms ? 'term_days' ELSE
                        NEW.price_minor = 0 AND NEW.steps = '[]' AND (NEW.terms->>'term_days')::int > 0
                        AND NEW.terms->>'term_months' IS NULL AND EXISTS (
                            SELECT FROM listings_offer o WHERE o.id = NEW.converts_to_id
                            AND o.listing_id = NEW.listing_id AND o.channel = NEW.channel
                            AND o.audience = NEW.audience AND o.currency = NEW.currency
                            AND o.price_minor > 0 AND o.steps = '[]' AND o.instalments = '[]' AND o.closed_at IS NULL
                            AND (o.open_until IS NULL OR o.open_until >= NEW.open_until)
                        ) END) IS NOT TRUE THEN
                        RAISE 'offer % is no free trial of a paid offer that is open', NEW.public_id
                            USING ERRCODE = 'check_violation';
                    END IF; RETURN NEW;
                """,
            ),
            pgtrigger.Trigger(
                name="closed_offer_takes_its_trials_along",
                operation=pgtrigger.UpdateOf("closed_at"),
                when=pgtrigger.After,
                timing=pgtrigger.Deferred,
                condition=pgtrigger.Q(new__closed_at__isnull=False),
                func="""
                    IF EXISTS (SELECT FROM listings_offer WHERE converts_to_id = NEW.id AND closed_at IS NULL) THEN
                        RAISE 'a trial goes on with offer %, which is closed', NEW.public_id
                            USING ERRCODE = 'check_violation';
                    END IF; RETURN NULL;
                """,
            ),
            pgtrigger.Trigger(
                name="steps_are_in_order",
                operation=pgtrigger.Insert,
                when=pgtrigger.Before,
                declare=[("step", "jsonb"), ("before", "jsonb")],
                func="""
                    FOR step IN SELECT value FROM jsonb_array_elements(NEW.steps) LOOP
                        IF ((step->>'from_quantity')::bigint > coalesce((before->>'from_quantity')::bigint, 0)
                            AND (step->>'unit_price_minor')::bigint > 0
                            AND (before IS NULL
                                OR (step->>'unit_price_minor')::bigint < (before->>'unit_price_minor')::bigint)
                        ) IS NOT TRUE THEN
                            RAISE 'the steps of offer % are out of order', NEW.public_id
                                USING ERRCODE = 'check_violation';
                        END IF;
                        before := step;
                    END LOOP;
                    IF (CASE WHEN before IS NULL THEN NEW.most_quantity IS NULL ELSE
                        NEW.most_quantity >= (before->>'from_quantity')::bigint
                        AND NEW.price_minor = (NEW.steps->0->>'from_quantity')::bigint
                            * (NEW.steps->0->>'unit_price_minor')::bigint
                        END) IS NOT TRUE THEN
                        RAISE 'the price of offer % is not that of its least block', NEW.public_id
                            USING ERRCODE = 'check_violation';
                    END IF; RETURN NEW;
                """,
            ),
            *never_deleted(),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.name

    @property
    def price(self) -> Money:
        """Its list price; per call, that of its least block."""
        return Money(self.price_minor, self.currency)

    @property
    def least_quantity(self) -> int:
        """The fewest calls one may take; 0 where the offer is not priced per call."""
        return int(self.steps[0]["from_quantity"]) if self.steps else 0

    @property
    def least_unit_price(self) -> Money | None:
        """The list price of a call in the largest blocks; None where the offer is not priced per call."""
        return Money(self.steps[-1]["unit_price_minor"], self.currency) if self.steps else None

    @property
    def sells_blocks(self) -> bool:
        """Whether calls are bought and paid before they are used."""
        return bool(self.steps) and not self.is_postpaid

    @property
    def is_trial(self) -> bool:
        """Whether it is a free trial of another offer."""
        return self.converts_to_id is not None

    @property
    def has_lapsed(self) -> bool:
        """Whether its time has run out, closed yet or not."""
        return self.open_until is not None and self.open_until <= clock.now()


class OfferBuyer(models.Model):
    """An organisation that a named offer names."""

    offer = models.ForeignKey(Offer, on_delete=models.PROTECT)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT)

    class Meta:
        verbose_name = _("named buyer")
        verbose_name_plural = _("named buyers")
        constraints = [models.UniqueConstraint(fields=["offer", "organisation"], name="named_once_per_offer")]
        triggers = [
            pgtrigger.Trigger(
                name="trial_names_whom_the_paid_offer_names",
                operation=pgtrigger.Insert,
                when=pgtrigger.Before,
                func="""
                    IF EXISTS (
                        SELECT FROM listings_offer o WHERE o.id = NEW.offer_id AND o.converts_to_id IS NOT NULL
                        AND NOT EXISTS (
                            SELECT FROM listings_offerbuyer b
                            WHERE b.offer_id = o.converts_to_id AND b.organisation_id = NEW.organisation_id
                        )
                    ) THEN
                        RAISE 'trial % names a buyer its paid offer does not', NEW.offer_id
                            USING ERRCODE = 'check_violation';
                    END IF; RETURN NEW;
                """,
            )
        ]


class Registration(models.Model):
    """An entry of the product register: one number a version."""

    version = models.OneToOneField(Version, on_delete=models.PROTECT, related_name="registration")
    number = models.CharField(max_length=40, unique=True)
    holder = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="registrations")
    rights = models.JSONField()
    source_statement = models.TextField()
    release_digest = models.CharField(max_length=80)
    registered_at = models.DateTimeField(default=clock.now)
    objections_until = models.DateTimeField(null=True, blank=True)  # None: no window, or it was on sale already

    class Meta:
        verbose_name = _("registration")
        verbose_name_plural = _("registrations")
        triggers = append_only()

    def __str__(self) -> str:
        return self.number


# --- what other exchanges list -------------------------------------------------------------------------------------


class CatalogueReading(models.Model):
    """One reading of other exchanges' catalogues: when, from which files, and what came of it."""

    read_at = models.DateTimeField(_("read"), default=clock.now)
    digest = models.CharField(_("digest"), max_length=80)  # over the names and digests of the files
    counts = models.JSONField(_("counts"), default=dict)

    class Meta:
        verbose_name = _("reading of a catalogue")
        verbose_name_plural = _("readings of catalogues")
        triggers = [never_changes("read_at", "digest"), *never_deleted()]

    def __str__(self) -> str:
        return f"{self.pk}"


class CatalogueEntryQuerySet(models.QuerySet["CatalogueEntry"]):
    def shown(self) -> CatalogueEntryQuerySet:
        """What anybody may look at."""
        return self.filter(withdrawn_at=None)


class CatalogueEntry(models.Model):
    """What another exchange lists, as its catalogue says. No offer, trade or delivery can name it: none refers here."""

    public_id = models.CharField(max_length=20, unique=True, default=new_public_id, editable=False)
    source = models.CharField(_("source"), max_length=200)  # the host of its addresses, else the exchange's name
    exchange = models.CharField(_("exchange"), max_length=200)
    identifier = models.CharField(_("identifier there"), max_length=200)
    address = models.CharField(_("address there"), max_length=2000, blank=True)
    title = models.CharField(_("title"), max_length=500)
    summary = models.TextField(_("summary"), blank=True)
    details = models.TextField(_("details"), blank=True)
    merchant = models.CharField(_("merchant, as given"), max_length=300, blank=True)
    category = models.CharField(_("category, as given"), max_length=300, blank=True)
    kind = models.CharField(_("type, as given"), max_length=100, blank=True)
    product_type = models.CharField(_("type"), max_length=10, choices=ProductType.choices, blank=True)
    sector = models.CharField(_("sector"), max_length=20, choices=Version.Sector.choices, blank=True)
    price = models.CharField(_("price, as given"), max_length=200, blank=True)
    coverage = models.CharField(_("area covered"), max_length=1000, blank=True)
    update_frequency = models.CharField(_("update frequency"), max_length=100, blank=True)
    keywords = models.CharField(_("keywords"), max_length=500, blank=True)
    digest = models.CharField(max_length=64, editable=False)  # SHA-256 of what was read, to see what changed
    first_reading = models.ForeignKey(CatalogueReading, on_delete=models.PROTECT, related_name="+")
    last_reading = models.ForeignKey(CatalogueReading, on_delete=models.PROTECT, related_name="entries")
    gone_at = models.DateTimeField(_("no longer seen since"), null=True, blank=True)
    withdrawn_at = models.DateTimeField(_("withdrawn"), null=True, blank=True)
    withdrawn_by = models.ForeignKey(
        User, verbose_name=_("withdrawn by"), on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    withdrawal_reason = models.TextField(_("why it was withdrawn"), blank=True)

    objects = CatalogueEntryQuerySet.as_manager()

    class Meta:
        verbose_name = _("catalogue entry")
        verbose_name_plural = _("catalogue entries")
        indexes = [
            models.Index(fields=["sector", "-id"], name="catalogue_entry_by_sector"),
            models.Index(fields=["product_type", "-id"], name="catalogue_entry_by_type"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["source", "identifier"], name="one_entry_per_source_and_identifier"),
            sentence("entry_has_a_title", ~Q(title="")),
            sentence("entry_address_is_of_the_web", Q(address="") | Q(address__regex=r"^https?://")),
            sentence(
                "withdrawn_entry_says_by_whom_and_why",
                Q(withdrawn_at=None, withdrawn_by=None, withdrawal_reason="")
                | (Q(withdrawn_at__isnull=False, withdrawn_by__isnull=False) & ~Q(withdrawal_reason="")),
            ),
        ]
        triggers = [
            never_changes("public_id", "source", "identifier", "first_reading"),
            pgtrigger.Trigger(
                name="withdrawn_entry_stays_withdrawn",
                operation=pgtrigger.Update,
                when=pgtrigger.Before,
                condition=pgtrigger.AnyChange("withdrawn_at", "withdrawn_by", "withdrawal_reason"),
                func="""
                    IF OLD.withdrawn_at IS NOT NULL THEN
                        RAISE 'catalogue entry % is withdrawn', OLD.id USING ERRCODE = 'check_violation';
                    END IF; RETURN NEW;
                """,
            ),
            *never_deleted(),
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("catalogue_entry", args=[self.public_id])


def _sum_of(*columns: str) -> models.GeneratedField:
    """A number that PostgreSQL keeps: the same for rows in which these columns are."""
    number = models.BigIntegerField()
    row = Func(*columns, template="hash_record_extended(ROW(%(expressions)s), 0)", output_field=number)
    return models.GeneratedField(expression=row, output_field=models.BigIntegerField(), db_persist=True)


class ShelfItem(models.Model):
    """What the catalogue finds a product or an entry by: its words, and what it is narrowed by. Nothing here is a fact
    of its own; listings.shelf makes it from them."""

    listing = models.OneToOneField(Listing, on_delete=models.CASCADE, null=True, related_name="+")
    entry = models.OneToOneField(CatalogueEntry, on_delete=models.CASCADE, null=True, related_name="+")
    is_entry = models.BooleanField()
    is_shown = models.BooleanField()
    since = models.DateTimeField()  # listed or first read
    product_type = models.CharField(max_length=10)
    sector = models.CharField(max_length=20)
    region = models.CharField(max_length=40)
    classification = models.CharField(max_length=10)
    frequency = models.CharField(max_length=12)
    merchant = models.CharField(max_length=300)  # the seller's public_id; of an entry the name as given
    grade = models.CharField(max_length=1)  # A to D by what was measured
    quality = models.DecimalField(max_digits=5, decimal_places=4, null=True)
    channels = ArrayField(models.CharField(max_length=20), default=list)  # of the offers open to all, as are:
    prices = ArrayField(models.CharField(max_length=10), default=list)  # "free", "paid" and bands such as "CNY-2"
    price_minor = models.BigIntegerField(null=True)  # the least, less a discount in force, and its currency
    currency = models.CharField(max_length=3)
    priced_until = models.DateTimeField(null=True)  # the next moment at which a discount begins or ends
    search = SearchVectorField(null=True)
    title_search = SearchVectorField(null=True)
    # What many items have in common, each as one number: counted by these, a search costs a third.
    kind = _sum_of("is_entry", "product_type", "sector", "classification", "frequency")
    deal = _sum_of("region", "grade", "channels", "prices")

    class Meta:
        indexes = [
            GinIndex(fields=["search"], name="shelf_search"),
            GinIndex(fields=["title_search"], name="shelf_title_search"),
            models.Index(fields=["is_entry", "-since", "-id"], condition=Q(is_shown=True), name="shelf_newest"),
            models.Index(fields=["priced_until"], condition=Q(priced_until__isnull=False), name="shelf_to_reprice"),
        ]
        constraints = [
            sentence(
                "shelf_item_is_a_product_or_an_entry",
                Q(is_entry=False, listing__isnull=False, entry=None)
                | Q(is_entry=True, listing=None, entry__isnull=False),
            )
        ]


class CatalogueWord(models.Model):
    """A Latin word that somebody wrote into the catalogue, to know a misspelt one by."""

    word = models.CharField(max_length=40, primary_key=True)
    stem = models.CharField(max_length=40, db_index=True)

    class Meta:
        indexes = [GinIndex(OpClass(F("word"), name="gin_trgm_ops"), name="catalogue_word_trigrams")]


class ObjectionQuerySet(models.QuerySet["Objection"]):
    def visible_to(self, by: User, organisation: Organisation | None) -> ObjectionQuerySet:
        """A person's own, and those against what the organisation they act for has registered."""
        own = Q(by=by)
        return self.filter(own | Q(registration__holder=organisation) if organisation else own)


class Objection(models.Model):
    """What somebody has against a registration while it is made public; until it is decided nothing is listed."""

    registration = models.ForeignKey(Registration, on_delete=models.PROTECT, related_name="objections")
    state = models.CharField(max_length=10, choices=ObjectionState.choices, default=ObjectionState.OPEN)
    reason = models.TextField()
    evidence = models.TextField(blank=True)
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    filed_at = models.DateTimeField(default=clock.now)
    decision = models.TextField(blank=True)  # in words both sides read
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)

    objects = ObjectionQuerySet.as_manager()

    class Meta:
        verbose_name = _("objection")
        verbose_name_plural = _("objections")
        indexes = [models.Index(fields=["state", "filed_at"]), models.Index(fields=["by", "filed_at"])]
        constraints = [
            models.UniqueConstraint(
                fields=["registration", "by"],
                condition=Q(state=ObjectionState.OPEN),
                name="one_open_objection_per_person",
            ),
            both_or_neither("decided_objection_says_by_whom", "decided_at", "decided_by"),
            sentence(
                "open_objection_is_not_decided",
                Q(state=ObjectionState.OPEN, decided_at=None)
                | (~Q(state=ObjectionState.OPEN) & Q(decided_at__isnull=False)),
            ),
        ]
        triggers = [
            only_moves(OBJECTION_MOVES),
            born_in(ObjectionState.OPEN),
            never_changes("registration", "reason", "evidence", "by", "filed_at"),
            pgtrigger.Trigger(
                name="only_what_waits_to_be_listed_takes_objections",
                operation=pgtrigger.Insert,
                when=pgtrigger.Before,
                func="""
                    IF NOT EXISTS (
                        SELECT FROM listings_registration r
                        JOIN listings_listing l ON l.current_version_id = r.version_id
                        WHERE r.id = NEW.registration_id AND r.objections_until IS NOT NULL AND l.state = 'registered'
                    ) THEN
                        RAISE 'registration % takes no objections', NEW.registration_id
                            USING ERRCODE = 'check_violation';
                    END IF; RETURN NEW;
                """,
            ),
            *never_deleted(),
        ]

    def __str__(self) -> str:
        return f"{self.registration} · {self.pk}"


# Counts, questions, reports and samples have modules of their own; Django finds them through this one.
from listings.daily_count_rows import CountedBatch as CountedBatch  # noqa: E402
from listings.daily_count_rows import DailyCount as DailyCount  # noqa: E402
from listings.discount_models import Discount as Discount  # noqa: E402
from listings.question_rows import Answer as Answer  # noqa: E402
from listings.question_rows import Question as Question  # noqa: E402
from listings.report_rows import ListingReport as ListingReport  # noqa: E402
from listings.report_rows import ReportCategory as ReportCategory  # noqa: E402
from listings.sample_rows import PublishedSample as PublishedSample  # noqa: E402
from listings.saved_search_models import FoundProduct as FoundProduct  # noqa: E402
from listings.saved_search_models import SavedSearch as SavedSearch  # noqa: E402
