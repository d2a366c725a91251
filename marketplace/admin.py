"""Records of members and of the journal. A Salt is shown nowhere: it is what hides an event's facts."""

from django.contrib import admin
from django.utils.translation import pgettext_lazy

from marketplace import models, notifications
from marketplace.event_words import event_words
from marketplace.looking import Looking, by
from marketplace.regions import COUNTRY_NAMES, REGION_NAMES


def notification_words(code: str) -> str:
    kind = notifications.known(code)
    return str(kind.label) if kind else code


def subject_words(code: str) -> str:
    """What a row of this kind is called; its code where an app names no such model."""
    named = {model._meta.model_name: model._meta.verbose_name for model in admin.site._registry}
    return str(named.get(code, code))


@admin.register(models.User)
class Users(Looking):
    list_display = ["email", "name", "is_staff", "staff_roles", "is_active", "date_joined"]
    list_filter = ["is_staff", "is_active"]
    search_fields = ["email", "name"]
    exclude = ["password"]


@admin.register(models.Organisation)
class Organisations(Looking):
    list_display = ["name", "latin_name", "country", "registration_number", "kinds", "created_at"]
    list_filter = ["country", "number_kind"]
    says = {
        "country": by(COUNTRY_NAMES),
        "region": by(REGION_NAMES),
        "kinds": by(dict(models.Organisation.Kind.choices)),
    }
    search_fields = ["name", "latin_name", "registration_number", "public_id"]


@admin.register(models.Membership)
class Memberships(Looking):
    list_display = ["user", "organisation", "role", "created_at", "ended_at"]
    list_filter = ["role"]
    search_fields = ["user__email", "organisation__name"]


@admin.register(models.Invitation)
class Invitations(Looking):
    list_display = ["email", "organisation", "role", "invited_by", "created_at", "lapses_at", "accepted_at"]
    search_fields = ["email", "organisation__name"]
    exclude = ["secret_digest"]


@admin.register(models.AccessToken)
class AccessTokens(Looking):
    list_display = ["name", "prefix", "user", "organisation", "scopes", "last_used_at", "lapses_at", "revoked_at"]
    search_fields = ["name", "prefix", "user__email", "organisation__name"]
    exclude = ["digest"]


@admin.register(models.Announcement)
class Announcements(Looking):
    list_display = ["public_id", "kind", "audience", "starts_at", "ends_at", "written_by", "withdrawn_at"]
    list_filter = ["kind", "audience"]
    search_fields = ["=public_id"]


@admin.register(models.AnnouncementDismissal)
class AnnouncementDismissals(Looking):
    list_display = ["announcement", "user", "dismissed_at"]


@admin.register(models.Event)
class Events(Looking):
    list_display = ["id", "kind", "subject_kind", "subject_id", "by", "at"]
    search_fields = ["=kind", "=subject_id"]
    unread = ("facts",)
    says = {"kind": lambda code: f"{event_words(code)} · {code}", "subject_kind": subject_words}


@admin.register(models.Seal)
class Seals(Looking):
    list_display = ["position", "event_said"]
    search_fields = ["=position"]
    exclude = ["leaf_hash"]
    also = ("event",)

    @admin.display(description=pgettext_lazy("column", "event"))
    def event_said(self, row: models.Seal) -> str:
        return f"{event_words(row.event.kind)} · {row.event}"


@admin.register(models.Unsealed)
class UnsealedEvents(Looking):
    list_display = ["event"]


@admin.register(models.TreeHead)
class TreeHeads(Looking):
    list_display = ["size", "at"]
    exclude = ["root"]


@admin.register(models.Follower)
class Followers(Looking):
    list_display = ["name", "position", "tries", "next_try_at", "error"]


@admin.register(models.KeyedCommand)
class KeyedCommands(Looking):
    list_display = ["key", "user", "organisation", "created_at"]
    search_fields = ["=key", "user__email"]
    exclude = ["answer"]
    unread = ("answer",)


@admin.register(models.Paper)
class Papers(Looking):
    list_display = ["number", "kind", "title", "is_sandbox", "issued_at"]
    list_filter = ["kind", "is_sandbox"]
    search_fields = ["=number"]
    exclude = ["check_code"]
    unread = ("record",)
    says = {"subject_kind": subject_words}


@admin.register(models.Revocation)
class Revocations(Looking):
    list_display = ["paper", "reason", "by", "asked_at", "second_by", "revoked_at"]
    search_fields = ["=paper__number"]


@admin.register(models.Annotation)
class Annotations(Looking):
    list_display = ["paper", "code", "noted_at"]
    search_fields = ["=paper__number"]


@admin.register(models.Letter)
class Letters(Looking):
    list_display = ["to", "subject", "written_at", "sent_at", "tries"]
    exclude = ["body"]
    unread = ("body",)


@admin.register(models.Notification)
class Notifications(Looking):
    list_display = ["kind", "to", "organisation", "told_at", "read_at"]
    search_fields = ["=kind", "to__email"]
    exclude = ["facts"]
    unread = ("facts",)
    says = {"kind": notification_words}


@admin.register(models.NotificationSwitch)
class NotificationSwitches(Looking):
    list_display = ["kind", "user", "in_app", "by_mail"]
    search_fields = ["=kind", "user__email"]
    says = {"kind": notification_words}


@admin.register(models.WebhookEndpoint)
class WebhookEndpoints(Looking):
    list_display = ["url", "organisation", "created_at", "stopped_at", "stopped_why", "failing_since", "removed_at"]
    search_fields = ["organisation__name"]
    exclude = ["sealed_secret", "former_sealed_secret"]
    unread = ("sealed_secret", "former_sealed_secret")


@admin.register(models.WebhookMessage)
class WebhookMessages(Looking):
    list_display = ["message_id", "kind", "organisation", "written_at"]
    search_fields = ["=message_id"]
    unread = ("body",)


@admin.register(models.WebhookDelivery)
class WebhookDeliveries(Looking):
    list_display = ["message", "endpoint", "tries", "next_try_at", "delivered_at", "given_up_at"]
    search_fields = ["=message__message_id"]


@admin.register(models.WebhookAttempt)
class WebhookAttempts(Looking):
    list_display = ["at", "status", "duration_ms", "error"]
    exclude = ["excerpt"]
    unread = ("excerpt",)


@admin.register(models.JointMember)
class JointMembers(Looking):
    list_display = ["joint", "member", "named_at", "consented_by", "consented_at"]
    search_fields = ["joint__name", "member__name"]
