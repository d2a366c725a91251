"""The API of compliance for members: the rules, applying, corrections, and handing a version in for review."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from compliance import exchange_rules, review_questions, reviews, verification
from compliance.models import Review
from compliance.presented import (
    ApplicationIn,
    ApplicationOut,
    OwnReviewOut,
    QuestionAnswerIn,
    QuestionOut,
    RulesOut,
)
from compliance.reasons import REASONS
from listings.models import Listing, Version
from marketplace.api import acted, read
from marketplace.members_api import OrganisationFacts, OrganisationOut
from marketplace.models import Organisation
from marketplace.participants import acting_organisation, own_organisation

REASON_CODES = {
    "type": "object",
    "additionalProperties": {"type": "object", "additionalProperties": {"type": "string"}},
}


class Rules(APIView):
    """The rules of the exchange in force, in three languages. Open to anyone."""

    permission_classes = [AllowAny]
    authentication_classes: list[Any] = []

    @extend_schema(responses=RulesOut)
    def get(self, request: Request) -> Response:
        version = exchange_rules.CURRENT_VERSION
        told = {"version": version, "digest": exchange_rules.digest(version), "texts": exchange_rules.texts(version)}
        return Response(RulesOut(told).data)


class Reasons(APIView):
    """The reason codes the staff choose from, by act. Open to anyone."""

    permission_classes = [AllowAny]
    authentication_classes: list[Any] = []

    @extend_schema(responses={200: REASON_CODES})
    def get(self, request: Request) -> Response:
        return Response({act: {code: str(says) for code, says in codes.items()} for act, codes in REASONS.items()})


class Application(APIView):
    """Where one of your organisations stands with the exchange."""

    @extend_schema(responses=ApplicationOut)
    def get(self, request: Request, public_id: str) -> Response:
        """Its state, why it may not list or trade yet, and what to do next."""
        return Response(ApplicationOut(own_organisation(request, public_id)).data)

    @extend_schema(request=ApplicationIn, responses={201: ApplicationOut})
    def post(self, request: Request, public_id: str) -> Response:
        """Apply, or apply again, and accept the rules for the organisation. Only owners may."""
        organisation = own_organisation(request, public_id)
        asked = read(ApplicationIn, request)

        def apply() -> dict[str, Any]:
            verification.apply(organisation, by=request.user, **asked)
            return ApplicationOut(organisation).data

        return acted(request, organisation, asked, apply, status=201)


class Correction(APIView):
    """A correction of what an organisation says of itself."""

    @extend_schema(request=OrganisationFacts, responses=OrganisationOut)
    def post(self, request: Request, public_id: str) -> Response:
        """Correct the facts, before applying or where the exchange asked for more. Only owners may."""
        organisation = own_organisation(request, public_id)
        facts = read(OrganisationFacts, request)
        correct = partial(verification.correct, organisation, by=request.user, **facts)
        return acted(request, organisation, facts, lambda: OrganisationOut(correct()).data)


class Submission(APIView):
    """A version handed in for review."""

    scope = "sell"

    @extend_schema(request=None, responses={201: OwnReviewOut})
    def post(self, request: Request, public_id: str, number: int) -> Response:
        """Hand a complete manual in for review; it never changes again. Answers 422 with everything it lacks."""
        organisation, version = _own_version(request, public_id, number)
        submit = partial(reviews.submit, version, by=request.user)
        return acted(request, organisation, {}, lambda: OwnReviewOut(submit()).data, status=201)


class OwnReview(APIView):
    """The review of one of your versions."""

    @extend_schema(responses=OwnReviewOut)
    def get(self, request: Request, public_id: str, number: int) -> Response:
        """Its state and, when it was sent back, why."""
        _organisation, version = _own_version(request, public_id, number)
        return Response(OwnReviewOut(get_object_or_404(Review, version=version)).data)


class TakingBack(APIView):
    """A version taken out of review by its seller."""

    scope = "sell"

    @extend_schema(request=None, responses=OwnReviewOut)
    def post(self, request: Request, public_id: str, number: int) -> Response:
        """Take a version back before it is decided; a new draft may follow."""
        organisation, version = _own_version(request, public_id, number)
        take_back = partial(reviews.take_back, get_object_or_404(Review, version=version), by=request.user)
        return acted(request, organisation, {}, lambda: OwnReviewOut(take_back()).data)


class QuestionAnswer(APIView):
    """The answer to a question of the reviewers."""

    scope = "sell"

    @extend_schema(request=QuestionAnswerIn, responses=QuestionOut)
    def post(self, request: Request, public_id: str, number: int, question_id: int) -> Response:
        """Answer a question; what was handed in stays as it is, and the review goes on."""
        organisation, version = _own_version(request, public_id, number)
        review = get_object_or_404(Review, version=version)
        question = get_object_or_404(review.questions, pk=question_id)
        asked = read(QuestionAnswerIn, request)
        answer = partial(review_questions.answer, question, by=request.user, **asked)
        return acted(request, organisation, asked, lambda: QuestionOut(answer()).data)


def _own_version(request: Request, public_id: str, number: int) -> tuple[Organisation, Version]:
    organisation = acting_organisation(request)
    listing = get_object_or_404(Listing.objects.sold_by(organisation), public_id=public_id)
    return organisation, get_object_or_404(listing.versions.select_related("listing__seller"), number=number)
