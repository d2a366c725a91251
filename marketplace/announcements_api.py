"""Announcements by API: read what is announced to oneself; the staff write and withdraw."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.permissions import AllowAny, BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from marketplace import announcements, roles
from marketplace.announcements import LANGUAGES, LONGEST_TEXT, LONGEST_TITLE, LONGEST_WHY
from marketplace.api import acted, read
from marketplace.models import Announcement
from marketplace.scopes import SignedInWithScope


class AnnouncementOut(serializers.ModelSerializer[Announcement]):
    class Meta:
        model = Announcement
        fields = ["public_id", "kind", "severity", "audience", "titles", "texts", "starts_at", "ends_at"]


class TitlesIn(serializers.Serializer[Any]):
    """A title for each language it is written in: `en`, `zh-hans`, `zh-hant`."""

    def get_fields(self) -> dict[str, Any]:
        return {code: serializers.CharField(max_length=LONGEST_TITLE, required=False) for code in LANGUAGES}


class TextsIn(serializers.Serializer[Any]):
    """A text for each language that has a title."""

    def get_fields(self) -> dict[str, Any]:
        return {code: serializers.CharField(max_length=LONGEST_TEXT, required=False) for code in LANGUAGES}


class AnnouncementIn(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(Announcement.Kind.choices)
    severity = serializers.ChoiceField(Announcement.Severity.choices)
    audience = serializers.ChoiceField(Announcement.Audience.choices)
    titles = TitlesIn()
    texts = TextsIn(required=False, default=dict)
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    why = serializers.CharField(max_length=LONGEST_WHY, help_text="For the history of the staff alone.")


class AnnouncementWithdrawalIn(serializers.Serializer[Any]):
    why = serializers.CharField(max_length=LONGEST_WHY, help_text="For the history of the staff alone.")


class Announcements(ListAPIView[Announcement]):
    """What is and was announced to you, the newest first; open to anyone. POST: the staff announce something."""

    serializer_class = AnnouncementOut
    queryset = Announcement.objects.none()
    scope = "staff"

    def get_permissions(self) -> list[BasePermission]:
        return [AllowAny()] if self.request.method == "GET" else [SignedInWithScope()]

    def get_queryset(self) -> QuerySet[Announcement]:
        return announcements.readable(self.request)

    @extend_schema(request=AnnouncementIn, responses={201: AnnouncementOut})
    def post(self, request: Request) -> Response:
        roles.require_staff(request.user, "announce")
        said = read(AnnouncementIn, request)

        def command() -> dict[str, Any]:
            return AnnouncementOut(announcements.write(by=request.user, **said)).data

        return acted(request, None, said, command, status=201)


class AnnouncementWithdrawal(APIView):
    """POST: the staff withdraw one. Answers 409 `wrong_state` if it is withdrawn already."""

    scope = "staff"

    @extend_schema(request=AnnouncementWithdrawalIn, responses=AnnouncementOut)
    def post(self, request: Request, public_id: str) -> Response:
        roles.require_staff(request.user, "announce")
        said = read(AnnouncementWithdrawalIn, request)
        found = get_object_or_404(Announcement, public_id=public_id)

        def command() -> dict[str, Any]:
            return AnnouncementOut(announcements.withdraw(found, by=request.user, **said)).data

        return acted(request, None, said, command)
