"""The API of tokens: make, list, revoke."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from marketplace import participants, tokens
from marketplace.api import acted, read
from marketplace.errors import RoleNeeded
from marketplace.models import AccessToken


class TokenIn(serializers.Serializer):
    """A key to make. `is_for_organisation` binds it to the organisation acted for; else it is yours everywhere."""

    name = serializers.CharField(max_length=80)
    scopes = serializers.ListField(child=serializers.ChoiceField(list(tokens.SCOPES.items())), min_length=1)
    lapses_at = serializers.DateTimeField(required=False, allow_null=True, default=None)
    is_for_organisation = serializers.BooleanField(required=False, default=False)


class TokenOut(serializers.ModelSerializer):
    """A key, by the first characters of its secret."""

    organisation = serializers.CharField(source="organisation.public_id", allow_null=True, default=None)
    made_by = serializers.EmailField(source="user.email")

    class Meta:
        model = AccessToken
        fields = [
            "id", "name", "prefix", "scopes", "organisation", "made_by", "created_at", "lapses_at", "last_used_at",
            "revoked_at",
        ]  # fmt: skip


class NewTokenOut(TokenOut):
    """A new key, with its secret: answered this once and kept nowhere. A repeated request is answered without it."""

    secret = serializers.CharField(required=False)

    class Meta(TokenOut.Meta):
        fields = [*TokenOut.Meta.fields, "secret"]


class Tokens(ListAPIView):
    """Your keys; and, for an owner, those of the organisation acted for."""

    serializer_class = TokenOut
    queryset = AccessToken.objects.none()

    def get_queryset(self) -> QuerySet[AccessToken]:
        return _visible(self.request)

    @extend_schema(request=TokenIn, responses={201: NewTokenOut})
    def post(self, request: Request) -> Response:
        """Make a key. A key cannot make one that may more than itself."""
        asked = read(TokenIn, request)
        bound = asked.pop("is_for_organisation")
        organisation = participants.acting_organisation(request) if bound else None
        _require_no_more(request, asked["scopes"], bound=bound, lapses_at=asked["lapses_at"])

        def create() -> dict[str, Any]:
            token, secret = tokens.create_token(user=request.user, organisation=organisation, by=request.user, **asked)
            return {**TokenOut(token).data, "secret": secret}

        told = {**asked, "is_for_organisation": bound}
        return acted(request, organisation, told, create, status=201, secret_field="secret")  # noqa: S106


def _visible(request: Request) -> QuerySet[AccessToken]:
    """The keys the person may see; with a key that is bound to an organisation, those bound to it too."""
    visible = AccessToken.objects.visible_to(request.user, participants.acting_or_none(request))
    if isinstance(request.auth, AccessToken) and request.auth.organisation_id is not None:
        return visible.filter(organisation=request.auth.organisation_id)
    return visible


def _require_no_more(request: Request, scopes: list[str], *, bound: bool, lapses_at: dt.datetime | None) -> None:
    """A key made by a key has no more scopes, is bound where its maker is bound, and lapses no later."""
    maker = request.auth
    if not isinstance(maker, AccessToken):
        return
    outlives = maker.lapses_at is not None and (lapses_at is None or lapses_at > maker.lapses_at)
    if set(scopes) - set(maker.scopes) or (maker.organisation_id and not bound) or outlives:
        raise RoleNeeded(
            _("A token cannot make one that may do more, or lasts longer, than itself."), code="scope_needed"
        )


class TokenRevocation(APIView):
    """The end of a key."""

    @extend_schema(request=None, responses=TokenOut)
    def post(self, request: Request, token_id: int) -> Response:
        """Revoke a key: your own, or as an owner one that is bound to the organisation."""
        organisation = participants.acting_or_none(request)
        token = get_object_or_404(_visible(request), pk=token_id)
        return acted(request, organisation, {}, lambda: TokenOut(tokens.revoke(token, by=request.user)).data)
