"""The API of notifications: what one was told, what was read, and where each kind reaches one."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from marketplace import notifications, participants
from marketplace.api import acted, read
from marketplace.models import AccessToken, Notification
from marketplace.notifications import Group, Ways


class NotificationOut(serializers.ModelSerializer):
    """One was told of something, in the language of the request."""

    organisation = serializers.CharField(source="organisation.public_id", allow_null=True, default=None)
    subject = serializers.SerializerMethodField()
    text = serializers.SerializerMethodField()
    quote = serializers.SerializerMethodField(help_text="Words of a person, as they wrote them.")
    next_step = serializers.SerializerMethodField()
    url = serializers.SerializerMethodField()

    class Meta:
        model = Notification
        fields = [
            "id", "kind", "organisation", "subject", "text", "quote", "next_step", "url", "told_at", "read_at",
        ]  # fmt: skip

    def get_subject(self, told: Notification) -> str:
        return notifications.words_of(told.kind, told.facts).subject

    def get_text(self, told: Notification) -> str:
        return notifications.words_of(told.kind, told.facts).text

    def get_quote(self, told: Notification) -> str:
        return notifications.words_of(told.kind, told.facts).quote

    def get_next_step(self, told: Notification) -> str:
        return notifications.words_of(told.kind, told.facts).next_step

    @extend_schema_field(OpenApiTypes.URI)
    def get_url(self, told: Notification) -> str:
        return str(settings.BASE_URL) + told.path


def _visible(request: Request) -> QuerySet[Notification]:
    """What the person was told; to a token that is bound to one organisation, what is for that one."""
    rows = Notification.objects.visible_to(request.user).select_related("organisation")
    if isinstance(request.auth, AccessToken) and request.auth.organisation_id is not None:
        return rows.filter(organisation=request.auth.organisation_id)
    return rows


class Notifications(ListAPIView):
    """What you were told, newest first."""

    serializer_class = NotificationOut
    queryset = Notification.objects.none()

    def get_queryset(self) -> QuerySet[Notification]:
        rows = _visible(self.request)
        return rows.filter(read_at=None) if self.request.query_params.get("unread") == "true" else rows

    @extend_schema(parameters=[OpenApiParameter("unread", bool, description="Only what was not read yet.")])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List what you were told."""
        return super().get(request, *args, **kwargs)


class ReadOut(serializers.Serializer):
    """How many were unread before."""

    read = serializers.IntegerField()


class NotificationsReading(APIView):
    """All of it was read."""

    @extend_schema(request=None, responses=ReadOut, operation_id="notifications_all_reading_create")
    def post(self, request: Request) -> Response:
        """Mark all as read."""
        return acted(
            request,
            participants.acting_or_none(request),
            {},
            lambda: {"read": notifications.mark_read(request.user, among=_visible(request))},
        )


class NotificationReading(APIView):
    """One of it was read."""

    @extend_schema(request=None, responses=NotificationOut)
    def post(self, request: Request, notification_id: int) -> Response:
        """Mark one as read."""
        told = get_object_or_404(_visible(request), pk=notification_id)

        def mark() -> dict[str, Any]:
            notifications.mark_read(request.user, only=told.pk)
            told.refresh_from_db(fields=["read_at"])
            return dict(NotificationOut(told).data)

        return acted(request, participants.acting_or_none(request), {}, mark)


class NotificationWayIn(serializers.Serializer):
    """Where a kind should reach you."""

    kind = serializers.CharField(max_length=60)
    in_app = serializers.BooleanField()
    by_mail = serializers.BooleanField()


class NotificationWayOut(serializers.Serializer):
    """Where a kind reaches you. What is required cannot be switched off."""

    kind = serializers.CharField()
    group = serializers.ChoiceField(Group.choices)
    label = serializers.CharField()
    in_app = serializers.BooleanField()
    by_mail = serializers.BooleanField()
    is_required = serializers.BooleanField()


class NotificationSettings(APIView):
    """Where each kind reaches you."""

    @extend_schema(responses=NotificationWayOut(many=True))
    def get(self, request: Request) -> Response:
        """List the kinds, and where each reaches you."""
        ways = notifications.ways_of(request.user)
        return Response([_way(kind.code, ways[kind.code]) for kind in notifications.kinds()])

    @extend_schema(request=NotificationWayIn, responses=NotificationWayOut)
    def post(self, request: Request) -> Response:
        """Choose where a kind reaches you."""
        asked = read(NotificationWayIn, request)
        ways = Ways(asked["in_app"], asked["by_mail"])

        def choose() -> dict[str, Any]:
            notifications.choose(request.user, {asked["kind"]: ways})
            return _way(asked["kind"], ways)

        return acted(request, participants.acting_or_none(request), asked, choose)


def _way(code: str, ways: Ways) -> dict[str, Any]:
    kind = notifications.kind_of(code)
    shown = {"kind": code, "group": kind.group.value, "label": str(kind.label), "is_required": kind.is_required}
    return dict(NotificationWayOut({**shown, "in_app": ways.in_app, "by_mail": ways.by_mail}).data)
