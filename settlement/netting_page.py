"""How a member is paid, on its money page and by the API: trade by trade, or one net sum for a cycle."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_POST
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from marketplace import posted, roles
from marketplace.api import acted
from marketplace.models import Organisation, User
from marketplace.participants import acting_organisation
from marketplace.signed_in import person
from settlement import netting
from settlement.models import Netting


def card(organisation: Organisation, by: User) -> dict[str, Any]:
    """What the money page shows: the netting asked for or in force, the last one that ended, and the acts."""
    newest = Netting.objects.filter(organisation=organisation).order_by("-pk").first()
    current = newest if newest is not None and newest.stopped_at is None else None
    acts = []
    if roles.may(by, organisation, "choose_netting"):
        if current is None and organisation.is_in_mainland:
            acts = [{"label": _("Ask to be paid net"), "url": reverse("netting")}]
        elif current is not None:
            label = _("Be paid trade by trade again") if current.granted_at else pgettext("netting", "Withdraw it")
            acts = [{"label": label, "url": reverse("netting_stopping", args=[current.pk])}]
    return {
        "netting": current,
        "netting_ended": newest if current is None else None,
        "netting_acts": [act | {"key": posted.new_key()} for act in acts],
        "is_domestic": organisation.is_in_mainland,
    }


@login_required
@require_POST
def ask(request: HttpRequest) -> HttpResponse:
    """Ask that the domestic trades of a cycle be paid as one sum."""
    organisation = acting_organisation(request)
    roles.require(person(request), organisation, "choose_netting")
    posted.posted_once(request, organisation, lambda: netting.ask(organisation, by=person(request)).pk)
    messages.success(request, _("The exchange decides on it. Until then each trade is paid alone."))
    return redirect(f"{reverse('money')}#netting")


@login_required
@require_POST
def stopping(request: HttpRequest, netting_id: int) -> HttpResponse:
    """Be paid trade by trade again."""
    organisation = acting_organisation(request)
    found = get_object_or_404(Netting.objects.filter(organisation=organisation), pk=netting_id)
    roles.require(person(request), organisation, "choose_netting")
    posted.posted_once(request, organisation, lambda: netting.stop(found, by=person(request)).pk)
    messages.success(request, _("Every cycle that closes from now is paid trade by trade."))
    return redirect(f"{reverse('money')}#netting")


class NettingOut(serializers.ModelSerializer[Netting]):
    """Asked for, granted and stopped; it counts for cycles that close between the last two."""

    class Meta:
        model = Netting
        fields = ["id", "asked_at", "opinion", "granted_at", "reason", "stopped_at"]


class Nettings(APIView):
    """Netting: your domestic trades of a cycle paid as one sum."""

    scope = "manage"

    @extend_schema(responses=NettingOut(many=True))
    def get(self, request: Request) -> Response:
        """What your organisation asked for, the newest first."""
        organisation = acting_organisation(request)
        by: Any = request.user
        roles.require(by, organisation, "see_money")
        return Response(
            NettingOut(Netting.objects.filter(organisation=organisation).order_by("-pk")[:50], many=True).data
        )

    @extend_schema(request=None, responses={201: NettingOut})
    def post(self, request: Request) -> Response:
        """Ask for it; the exchange grants it on a legal opinion. Refuses members abroad with `not_domestic`."""
        organisation = acting_organisation(request)
        by: Any = request.user
        roles.require(by, organisation, "choose_netting")
        return acted(request, organisation, {}, lambda: NettingOut(netting.ask(organisation, by=by)).data, status=201)


class NettingStopping(APIView):
    """The end of a netting."""

    scope = "manage"

    @extend_schema(request=None, responses=NettingOut)
    def post(self, request: Request, netting_id: int) -> Response:
        """Be paid trade by trade again, from the next cycle that closes."""
        organisation = acting_organisation(request)
        found = get_object_or_404(Netting.objects.filter(organisation=organisation), pk=netting_id)
        by: Any = request.user
        roles.require(by, organisation, "choose_netting")
        return acted(request, organisation, {}, lambda: NettingOut(netting.stop(found, by=by)).data)
