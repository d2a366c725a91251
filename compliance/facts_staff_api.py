"""The API of changes of verified facts, for the staff."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from compliance import fact_changes
from compliance.dossier_api import FactChangeRefusalIn, StaffFactChangeOut
from compliance.models import FactChange
from compliance.staff_api import require_desk
from marketplace import roles
from marketplace.api import acted, read


class FactChanges(ListAPIView):
    """Changes of verified facts that wait, for the vetting desk."""

    serializer_class = StaffFactChangeOut
    queryset = FactChange.objects.none()

    def get_queryset(self) -> QuerySet[FactChange]:
        require_desk(self.request.user, "organisations")
        rows = FactChange.objects.filter(outcome="")
        return rows.select_related("organisation", "asked_by", "by", "second_by")


class FactChangeConfirmation(APIView):
    """The word of the staff for a change."""

    scope = "staff"

    @extend_schema(request=None, responses=StaffFactChangeOut)
    def post(self, request: Request, change_id: int) -> Response:
        """Confirm it; where it concerns identity, the second person's word makes it so."""
        roles.require_staff(request.user, "vet")
        change = get_object_or_404(FactChange, pk=change_id)
        confirm = partial(fact_changes.confirm, change, by=request.user)
        return acted(request, None, {}, lambda: StaffFactChangeOut(confirm()).data)


class FactChangeRefusal(APIView):
    """The word of the staff against a change."""

    scope = "staff"

    @extend_schema(request=FactChangeRefusalIn, responses=StaffFactChangeOut)
    def post(self, request: Request, change_id: int) -> Response:
        """Refuse it, with a reason the organisation reads."""
        roles.require_staff(request.user, "vet")
        change = get_object_or_404(FactChange, pk=change_id)
        asked = read(FactChangeRefusalIn, request)
        refuse: Any = partial(fact_changes.refuse, change, by=request.user, **asked)
        return acted(request, None, asked, lambda: StaffFactChangeOut(refuse()).data)
