"""The API of reviews for the staff: the queue, one review in full, and every act of a reviewer."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from compliance import review_questions, reviews
from compliance.models import Review, ReviewQuestion
from compliance.presented import (
    ApprovalIn,
    NoteIn,
    NoteOut,
    QuestionIn,
    QuestionOut,
    ReviewOut,
    SendingBackIn,
    WholeReviewOut,
)
from compliance.staff_api import require_desk
from compliance.states import ReviewState
from marketplace import roles
from marketplace.api import acted, read
from marketplace.errors import Invalid


class Reviews(ListAPIView):
    """Reviews, for the reviewers."""

    serializer_class = ReviewOut
    queryset = Review.objects.none()

    def get_queryset(self) -> QuerySet[Review]:
        require_desk(self.request.user, "reviews")
        state = self.request.query_params.get("state")
        rows = _reviews()
        return rows.filter(state=state) if state else rows

    @extend_schema(parameters=[OpenApiParameter("state", enum=ReviewState.values)])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)


def _reviews() -> QuerySet[Review]:
    return Review.objects.select_related("version__listing__seller", "submitted_by", "assignee", "by", "second_by")


class OneReview(APIView):
    """One review, as the reviewers see it."""

    @extend_schema(responses=WholeReviewOut)
    def get(self, request: Request, review_id: int) -> Response:
        require_desk(request.user, "reviews")
        rows = _reviews().prefetch_related("decisions__by", "questions", "notes__by")
        review = get_object_or_404(rows, pk=review_id)
        return Response(WholeReviewOut(review, context={"request": request}).data)


class ReviewAct(APIView):
    """What a reviewer does with a review."""

    scope = "staff"

    def act(self, request: Request, review_id: int, command: Any, body: Any = None) -> Response:
        """Run the command with what the body of this form says, once this person may."""
        roles.require_staff(request.user, "review")
        review = get_object_or_404(Review, pk=review_id)
        asked = read(body, request) if body else {}
        told = dict(asked)
        if "answers" in asked:
            asked["answers"] = _answers(asked["answers"])

        def run() -> dict[str, Any]:
            command(review, by=request.user, **asked)
            return ReviewOut(_reviews().get(pk=review.pk), context={"request": request}).data

        return acted(request, None, told, run)


def _answers(given: list[dict[str, str]]) -> dict[str, dict[str, str]]:
    """As the commands take them. Raises Invalid `wrong_answer` where an item is answered twice."""
    answers = {one["item"]: {"answer": one["answer"], "note": one["note"]} for one in given}
    if len(answers) < len(given):
        raise Invalid(_("An item of the checklist is answered twice."), code="wrong_answer")
    return answers


class ReviewAssignment(ReviewAct):
    """Taking a review."""

    @extend_schema(request=None, responses=ReviewOut)
    def post(self, request: Request, review_id: int) -> Response:
        """Take a review that waits."""
        return self.act(request, review_id, reviews.take)


class ReviewApproval(ReviewAct):
    """An approval, the first or the second."""

    @extend_schema(request=ApprovalIn, responses=ReviewOut)
    def post(self, request: Request, review_id: int) -> Response:
        """Approve. The first approval waits for another person's; the second lets the product be registered."""
        return self.act(request, review_id, reviews.approve, ApprovalIn)


class ReviewChangeRequest(ReviewAct):
    """A version sent back."""

    @extend_schema(request=SendingBackIn, responses=ReviewOut)
    def post(self, request: Request, review_id: int) -> Response:
        """Send the version back, in words the seller reads; the seller answers with a new draft."""
        return self.act(request, review_id, reviews.request_changes, SendingBackIn)


class ReviewRefusal(ReviewAct):
    """A version refused."""

    @extend_schema(request=SendingBackIn, responses=ReviewOut)
    def post(self, request: Request, review_id: int) -> Response:
        """Refuse the version, in words the seller reads."""
        return self.act(request, review_id, reviews.refuse, SendingBackIn)


class ReviewQuestions(APIView):
    """Questions to the seller."""

    scope = "staff"

    @extend_schema(request=QuestionIn, responses={201: QuestionOut})
    def post(self, request: Request, review_id: int) -> Response:
        """Ask the seller about a field; the review's target stands still until it is answered."""
        roles.require_staff(request.user, "review")
        review = get_object_or_404(Review, pk=review_id)
        asked = read(QuestionIn, request)

        def ask() -> dict[str, Any]:
            return QuestionOut(review_questions.ask(review, by=request.user, **asked)).data

        return acted(request, None, asked, ask, status=201)


class QuestionWithdrawal(APIView):
    """The end of a question nobody needs answered."""

    scope = "staff"

    @extend_schema(request=None, responses=QuestionOut)
    def post(self, request: Request, review_id: int, question_id: int) -> Response:
        """Withdraw a question; the target goes on unless another waits."""
        roles.require_staff(request.user, "review")
        question = get_object_or_404(ReviewQuestion, pk=question_id, review=review_id)

        def withdraw() -> dict[str, Any]:
            return QuestionOut(review_questions.withdraw(question, by=request.user)).data

        return acted(request, None, {}, withdraw)


class ReviewNotes(APIView):
    """The staff's own notes."""

    scope = "staff"

    @extend_schema(request=NoteIn, responses={201: NoteOut})
    def post(self, request: Request, review_id: int) -> Response:
        """Write a note for colleagues; the seller never sees it."""
        roles.require_staff(request.user, "review")
        review = get_object_or_404(Review, pk=review_id)
        asked = read(NoteIn, request)

        def write() -> dict[str, Any]:
            return NoteOut(review_questions.note(review, by=request.user, **asked)).data

        return acted(request, None, asked, write, status=201)
