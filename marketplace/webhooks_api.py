"""The API of webhooks: endpoints, secrets, tests, the log of deliveries, replays."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from marketplace import participants, roles, webhook_kinds, webhooks
from marketplace.api import acted, read
from marketplace.models import Organisation, WebhookAttempt, WebhookDelivery, WebhookEndpoint


class WebhookIn(serializers.Serializer):
    """Where events go. No kinds: all, and those to come."""

    url = serializers.CharField(max_length=500)
    description = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")
    kinds = serializers.ListField(child=serializers.CharField(max_length=60), required=False, default=list)


class WebhookChange(WebhookIn):
    """All of what can be changed. `is_paused`: nothing is sent until it is resumed."""

    is_paused = serializers.BooleanField(required=False, default=False)


class WebhookOut(serializers.ModelSerializer):
    """An address that is told of events."""

    stopped_why = serializers.CharField(allow_null=True, help_text="`paused`, `gone` (410) or `failing` (for days).")

    class Meta:
        model = WebhookEndpoint
        fields = [
            "id", "url", "description", "kinds", "created_at", "stopped_at", "stopped_why", "failing_since",
            "former_until",
        ]  # fmt: skip


class NewWebhookOut(WebhookOut):
    """A webhook with a new secret: answered this once. A repeated request is answered without it."""

    secret = serializers.CharField(required=False)

    class Meta(WebhookOut.Meta):
        fields = [*WebhookOut.Meta.fields, "secret"]


class WebhookAttemptOut(serializers.ModelSerializer):
    """One try: the status answered, or why there was no answer, and the beginning of what was."""

    class Meta:
        model = WebhookAttempt
        fields = ["at", "status", "duration_ms", "excerpt", "error"]


class WebhookDeliveryOut(serializers.ModelSerializer):
    """A message on its way to an endpoint, with every try."""

    message_id = serializers.CharField(source="message.message_id")
    type = serializers.CharField(source="message.kind")
    written_at = serializers.DateTimeField(source="message.written_at")
    outcome = serializers.CharField(help_text="`waiting`, `delivered` or `failed`.")
    attempts = WebhookAttemptOut(many=True)

    class Meta:
        model = WebhookDelivery
        fields = ["id", "message_id", "type", "written_at", "outcome", "next_try_at", "attempts"]


class WebhookKindOut(serializers.Serializer):
    """A kind of event."""

    type = serializers.CharField()
    label = serializers.CharField()


def _own(request: Request) -> Organisation:
    """The organisation acted for. Raises RoleNeeded for whoever may not see its webhooks."""
    organisation = participants.acting_organisation(request)
    roles.require(request.user, organisation, webhooks.ACT)
    return organisation


def _endpoint(organisation: Organisation, webhook_id: int) -> WebhookEndpoint:
    return get_object_or_404(WebhookEndpoint.objects.visible_to(organisation), pk=webhook_id)


class Webhooks(ListAPIView):
    """The organisation's webhooks."""

    serializer_class = WebhookOut
    queryset = WebhookEndpoint.objects.none()

    def get_queryset(self) -> QuerySet[WebhookEndpoint]:
        return WebhookEndpoint.objects.visible_to(_own(self.request))

    @extend_schema(request=WebhookIn, responses={201: NewWebhookOut})
    def post(self, request: Request) -> Response:
        """Name an address that is told of events."""
        organisation, asked = _own(request), read(WebhookIn, request)

        def create() -> dict[str, Any]:
            endpoint, secret = webhooks.create(organisation, by=request.user, **asked)
            return {**WebhookOut(endpoint).data, "secret": secret}

        return acted(request, organisation, asked, create, status=201, secret_field="secret")  # noqa: S106


class WebhookKinds(APIView):
    """The kinds of events there are."""

    @extend_schema(responses=WebhookKindOut(many=True))
    def get(self, request: Request) -> Response:
        """List the kinds of events."""
        return Response([{"type": kind.code, "label": str(kind.label)} for kind in webhook_kinds.kinds()])


class OneWebhook(APIView):
    """One webhook."""

    @extend_schema(responses=WebhookOut)
    def get(self, request: Request, webhook_id: int) -> Response:
        """Look at one webhook."""
        return Response(WebhookOut(_endpoint(_own(request), webhook_id)).data)

    @extend_schema(request=WebhookChange, responses=WebhookOut, operation_id="webhooks_change_create")
    def post(self, request: Request, webhook_id: int) -> Response:
        """Change it, pause it, or resume it."""
        organisation, asked = _own(request), read(WebhookChange, request)
        endpoint = _endpoint(organisation, webhook_id)
        return acted(
            request,
            organisation,
            asked,
            lambda: WebhookOut(webhooks.change(endpoint, by=request.user, **asked)).data,
        )


class WebhookRotation(APIView):
    """A new secret."""

    @extend_schema(request=None, responses=NewWebhookOut)
    def post(self, request: Request, webhook_id: int) -> Response:
        """Replace the secret; until `former_until` the former one signs too."""
        organisation = _own(request)
        endpoint = _endpoint(organisation, webhook_id)

        def rotate() -> dict[str, Any]:
            changed, secret = webhooks.rotate_secret(endpoint, by=request.user)
            return {**WebhookOut(changed).data, "secret": secret}

        return acted(request, organisation, {}, rotate, secret_field="secret")  # noqa: S106


class WebhookTest(APIView):
    """A test event."""

    @extend_schema(request=None, responses={201: WebhookDeliveryOut})
    def post(self, request: Request, webhook_id: int) -> Response:
        """Send an event that means nothing."""
        organisation = _own(request)
        endpoint = _endpoint(organisation, webhook_id)
        return acted(
            request,
            organisation,
            {},
            lambda: WebhookDeliveryOut(webhooks.send_test(endpoint, by=request.user)).data,
            status=201,
        )


class WebhookRemoval(APIView):
    """The end of a webhook."""

    @extend_schema(request=None, responses=WebhookOut)
    def post(self, request: Request, webhook_id: int) -> Response:
        """Remove it; what waits is given up."""
        organisation = _own(request)
        endpoint = _endpoint(organisation, webhook_id)

        def remove() -> dict[str, Any]:
            webhooks.remove(endpoint, by=request.user)
            return dict(WebhookOut(endpoint).data)

        return acted(request, organisation, {}, remove)


class WebhookDeliveries(ListAPIView):
    """The log of a webhook."""

    serializer_class = WebhookDeliveryOut
    queryset = WebhookDelivery.objects.none()

    def get_queryset(self) -> QuerySet[WebhookDelivery]:
        endpoint = _endpoint(_own(self.request), self.kwargs["webhook_id"])
        rows = WebhookDelivery.objects.filter(endpoint__organisation=endpoint.organisation_id, endpoint=endpoint)
        return rows.select_related("message").prefetch_related("attempts")


class WebhookReplay(APIView):
    """One message again."""

    @extend_schema(request=None, responses=WebhookDeliveryOut)
    def post(self, request: Request, webhook_id: int, delivery_id: int) -> Response:
        """Send one message again, under its own id."""
        organisation = _own(request)
        rows = WebhookDelivery.objects.filter(
            endpoint__organisation=organisation, endpoint=_endpoint(organisation, webhook_id)
        )
        delivery = get_object_or_404(rows, pk=delivery_id)
        return acted(
            request,
            organisation,
            {},
            lambda: WebhookDeliveryOut(webhooks.replay(delivery, by=request.user)).data,
        )


class ReplayIn(serializers.Serializer):
    """Since when."""

    since = serializers.DateTimeField()


class ReplayOut(serializers.Serializer):
    """How many are sent again."""

    replayed = serializers.IntegerField()


class WebhookReplays(APIView):
    """What failed, again."""

    @extend_schema(request=ReplayIn, responses=ReplayOut)
    def post(self, request: Request, webhook_id: int) -> Response:
        """Send again what was given up since a moment, the oldest thousand of it."""
        organisation, asked = _own(request), read(ReplayIn, request)
        endpoint = _endpoint(organisation, webhook_id)
        return acted(
            request,
            organisation,
            asked,
            lambda: {"replayed": webhooks.replay_failed(endpoint, since=asked["since"], by=request.user)},
        )
