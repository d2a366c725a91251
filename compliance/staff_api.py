"""The API of compliance for the staff: vetting and holds. Reviews are in review_staff_api."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from compliance import holds, verification
from compliance.models import TWO_PERSON_ACTS, Decision, Hold, Verification
from compliance.presented import (
    DecisionIn,
    HoldIn,
    HoldOut,
    LiftingIn,
    StaffDecisionOut,
    VerificationOut,
)
from compliance.states import VerificationState
from listings.models import Listing
from marketplace import roles
from marketplace.api import acted, read
from marketplace.errors import RoleNeeded
from marketplace.models import Organisation, User

DECIDE_ALONE = {
    "request_more": verification.request_more,
    "refuse": verification.refuse,
    "suspend": verification.suspend,
    "reinstate": verification.reinstate,
}


def require_desk(by: User, desk: str) -> None:
    """Raises RoleNeeded unless this person sees the desk."""
    if not roles.sees_desk(by, desk):
        raise RoleNeeded(_("Only the staff of the desk “%(desk)s” see this."), desk=desk)


# --- vetting --------------------------------------------------------------------------------------------


class Verifications(ListAPIView):
    """Organisations that applied, for the vetting desk."""

    serializer_class = VerificationOut
    queryset = Verification.objects.none()

    def get_queryset(self) -> QuerySet[Verification]:
        require_desk(self.request.user, "organisations")
        rows = Verification.objects.select_related("organisation")
        state = self.request.query_params.get("state")
        return rows.filter(state=state) if state else rows

    @extend_schema(parameters=[OpenApiParameter("state", enum=VerificationState.values)])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)


class OneVerification(APIView):
    """One organisation, as the vetting desk sees it."""

    @extend_schema(responses=VerificationOut)
    def get(self, request: Request, public_id: str) -> Response:
        require_desk(request.user, "organisations")
        return Response(VerificationOut(_verification(public_id)).data)


def _verification(public_id: str) -> Verification:
    return get_object_or_404(Verification.objects.select_related("organisation"), organisation__public_id=public_id)


class Decisions(ListAPIView):
    """What was decided of an organisation."""

    serializer_class = StaffDecisionOut
    queryset = Decision.objects.none()
    scope = "staff"

    def get_queryset(self) -> QuerySet[Decision]:
        require_desk(self.request.user, "organisations")
        return _verification(self.kwargs["public_id"]).decisions.select_related("by", "second_by")

    @extend_schema(request=DecisionIn, responses={201: StaffDecisionOut})
    def post(self, request: Request, public_id: str) -> Response:
        """Decide, with a reason. `approve` and `expel` then wait for another person's confirmation."""
        roles.require_staff(request.user, "vet")
        row = _verification(public_id)
        asked = read(DecisionIn, request)
        reason = {"reason_code": asked["reason_code"], "reason": asked["reason"], "by": request.user}

        def decide() -> dict[str, Any]:
            if asked["act"] in TWO_PERSON_ACTS:
                return StaffDecisionOut(verification.propose(row, asked["act"], **reason)).data
            DECIDE_ALONE[asked["act"]](row, **reason)
            return StaffDecisionOut(row.decisions.latest("pk")).data

        return acted(request, None, asked, decide, status=201)


class DecisionConfirmation(APIView):
    """The second person of a decision."""

    scope = "staff"

    @extend_schema(request=None, responses=StaffDecisionOut)
    def post(self, request: Request, decision_id: int) -> Response:
        """Confirm what a colleague proposed: the organisation is verified, or expelled."""
        roles.require_staff(request.user, "vet")
        decision = get_object_or_404(Decision, pk=decision_id)
        confirm = partial(verification.confirm, decision, by=request.user)
        return acted(request, None, {}, lambda: StaffDecisionOut(confirm()).data)


class DecisionDropping(APIView):
    """The end of a decision that waited."""

    scope = "staff"

    @extend_schema(request=None, responses=StaffDecisionOut)
    def post(self, request: Request, decision_id: int) -> Response:
        """Drop a decision that waits for its second person."""
        roles.require_staff(request.user, "vet")
        decision = get_object_or_404(Decision, pk=decision_id)
        drop = partial(verification.drop, decision, by=request.user)
        return acted(request, None, {}, lambda: StaffDecisionOut(drop()).data)


# --- holds ----------------------------------------------------------------------------------------------


class Holds(ListAPIView):
    """Holds on organisations, listings and trades."""

    serializer_class = HoldOut
    queryset = Hold.objects.none()
    scope = "staff"

    def get_queryset(self) -> QuerySet[Hold]:
        if not roles.staff_may(self.request.user, "look_everywhere"):
            roles.require_staff(self.request.user, "hold")
        rows = Hold.objects.select_related("placed_by", "lifted_by")
        return rows.filter(lifted_at=None) if self.request.query_params.get("open") == "true" else rows

    @extend_schema(parameters=[OpenApiParameter("open", type=bool)])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)

    @extend_schema(request=HoldIn, responses={201: HoldOut})
    def post(self, request: Request) -> Response:
        """Hold an organisation or a listing: nothing of it goes forward; refunds go on."""
        roles.require_staff(request.user, "hold")
        asked = read(HoldIn, request)
        model = Organisation if asked["subject_kind"] == Hold.Subject.ORGANISATION else Listing
        subject = get_object_or_404(model, public_id=asked["subject"])
        reason = {"reason_code": asked["reason_code"], "reason": asked["reason"]}
        place = partial(holds.place, asked["subject_kind"], subject.pk, by=request.user, **reason)
        return acted(request, None, asked, lambda: HoldOut(place()).data, status=201)


class HoldLifting(APIView):
    """The end of a hold."""

    scope = "staff"

    @extend_schema(request=LiftingIn, responses=HoldOut)
    def post(self, request: Request, hold_id: int) -> Response:
        """Lift a hold; deadlines go on from where they stood."""
        roles.require_staff(request.user, "hold")
        hold = get_object_or_404(Hold, pk=hold_id)
        asked = read(LiftingIn, request)
        lift = partial(holds.lift, hold, reason=asked["reason"], by=request.user)
        return acted(request, None, asked, lambda: HoldOut(lift()).data)
