"""The API of questions to the seller: read by anyone, asked for an organisation, answered by the seller."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.http import Http404
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.permissions import SAFE_METHODS, AllowAny, BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param
from rest_framework.views import APIView

from listings import catalogue, question_page, questions
from listings.models import Answer, Listing, Question
from marketplace.api import acted, read
from marketplace.models import Organisation
from marketplace.participants import acting_or_none, acting_organisation
from marketplace.scopes import SignedInWithScope


class ProductAnswerOut(serializers.ModelSerializer[Answer]):
    class Meta:
        model = Answer
        fields = ["id", "text", "answered_at"]


class ProductQuestionOut(serializers.ModelSerializer[Question]):
    """Who asked is told to nobody."""

    answers = ProductAnswerOut(many=True)

    class Meta:
        model = Question
        fields = ["id", "text", "asked_at", "answered_at", "answers", "hidden_at", "hidden_reason"]


class ProductQuestionsPageOut(serializers.Serializer[Any]):
    count = serializers.IntegerField()
    page = serializers.IntegerField()
    pages = serializers.IntegerField()
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)
    results = ProductQuestionOut(many=True)


class ProductQuestionIn(serializers.Serializer[Any]):
    text = serializers.CharField(max_length=questions.LONGEST_QUESTION)


class ProductAnswerIn(serializers.Serializer[Any]):
    text = serializers.CharField(max_length=questions.LONGEST_ANSWER)


def _listing(public_id: str, reader: Organisation | None) -> Listing:
    found = Listing.objects.visible_to(reader).filter(public_id=public_id, current_version__isnull=False).first()
    if found is None:
        raise Http404
    return found


class Questions(APIView):
    """What was asked about a product."""

    scope = "trade"

    def get_permissions(self) -> list[BasePermission]:
        return [AllowAny()] if self.request.method in SAFE_METHODS else [SignedInWithScope()]

    @extend_schema(
        parameters=[OpenApiParameter("page", int, description=f"{catalogue.ON_A_PAGE} a page.")],
        responses=ProductQuestionsPageOut,
    )
    def get(self, request: Request, public_id: str) -> Response:
        """What was answered, the newest first; before that, for its two sides alone, what waits."""
        reader = acting_or_none(request)
        listing = _listing(public_id, reader)
        page = question_page.page_of(listing, reader, request.query_params.get("page", "1"))
        here = request.build_absolute_uri()
        told = {
            "count": page.paginator.count,
            "page": page.number,
            "pages": page.paginator.num_pages,
            "next": replace_query_param(here, "page", page.number + 1) if page.has_next() else None,
            "previous": replace_query_param(here, "page", page.number - 1) if page.has_previous() else None,
            "results": page.object_list,
        }
        return Response(ProductQuestionsPageOut(told).data)

    @extend_schema(request=ProductQuestionIn, responses={201: ProductQuestionOut})
    def post(self, request: Request, public_id: str) -> Response:
        """Ask the seller; everybody reads it with the first answer, without your name."""
        organisation = acting_organisation(request)
        listing, body = _listing(public_id, organisation), read(ProductQuestionIn, request)
        make = partial(questions.ask, listing, asked_for=organisation, by=request.user, **body)
        return acted(request, organisation, body, lambda: ProductQuestionOut(make()).data, status=201)


class Answers(APIView):
    """What the seller says to a question."""

    scope = "sell"

    @extend_schema(request=ProductAnswerIn, responses={201: ProductAnswerOut})
    def post(self, request: Request, public_id: str, question_id: int) -> Response:
        """Answer, or add to an answer; nothing said is ever changed."""
        seller = acting_organisation(request)
        own = Question.objects.filter(listing__seller=seller, listing__public_id=public_id)
        question, body = get_object_or_404(own, pk=question_id), read(ProductAnswerIn, request)
        make = partial(questions.answer, question, by=request.user, **body)
        return acted(request, seller, body, lambda: ProductAnswerOut(make()).data, status=201)
