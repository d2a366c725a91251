"""The API of a person's saved searches."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from listings import saved_searches
from listings.models import SavedSearch
from listings.saved_search_models import LONGEST_NAME, LONGEST_QUERY
from listings.saved_search_views import own
from listings.states import ListingState
from marketplace.api import acted, read
from marketplace.participants import acting_or_none

LATEST = 50


class SavedSearchOut(serializers.ModelSerializer[SavedSearch]):
    """A saved search; `new` counts the products it found since `seen_at`."""

    new = serializers.IntegerField(default=0)

    class Meta:
        model = SavedSearch
        fields = ["id", "name", "query", "frequency", "created_at", "seen_at", "new"]


class WholeSavedSearchOut(SavedSearchOut):
    """With the products it found, the latest first."""

    found = serializers.SerializerMethodField()

    class Meta(SavedSearchOut.Meta):
        fields = [*SavedSearchOut.Meta.fields, "found"]

    def get_found(self, search: SavedSearch) -> list[str]:
        rows = search.found.filter(listing__state=ListingState.LISTED).order_by("-pk")
        return list(rows.values_list("listing__public_id", flat=True)[:LATEST])


class SavedSearchIn(serializers.Serializer[Any]):
    """`query` is that of a catalogue's address, without the question mark."""

    name = serializers.CharField(max_length=LONGEST_NAME)
    query = serializers.CharField(max_length=LONGEST_QUERY, allow_blank=True, default="")
    frequency = serializers.ChoiceField(choices=SavedSearch.Frequency.choices, default=SavedSearch.Frequency.DAILY)


class SavedSearchChangeIn(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=LONGEST_NAME)
    frequency = serializers.ChoiceField(choices=SavedSearch.Frequency.choices)


class SavedSearches(APIView):
    """Your saved searches, at most fifty."""

    scope = "trade"

    @extend_schema(responses=SavedSearchOut(many=True))
    def get(self, request: Request) -> Response:
        """By name, each with how many products it found since you last looked."""
        return Response(SavedSearchOut(own(request.user), many=True).data)

    @extend_schema(request=SavedSearchIn, responses={201: SavedSearchOut})
    def post(self, request: Request) -> Response:
        """Keep a search; one kept already is renamed."""
        reader, body = acting_or_none(request), read(SavedSearchIn, request)
        make = partial(saved_searches.save, reader=reader, by=request.user, **body)
        return acted(request, reader, body, lambda: SavedSearchOut(make()).data, status=201)


class OneSavedSearch(APIView):
    """One of your saved searches."""

    scope = "trade"

    @extend_schema(responses=WholeSavedSearchOut)
    def get(self, request: Request, search_id: int) -> Response:
        """With the products it found."""
        return Response(WholeSavedSearchOut(self._own(request, search_id)).data)

    @extend_schema(request=SavedSearchChangeIn, responses=SavedSearchOut)
    def patch(self, request: Request, search_id: int) -> Response:
        """Another name, or how often you are told."""
        found, body = self._own(request, search_id), read(SavedSearchChangeIn, request)
        return Response(SavedSearchOut(saved_searches.change(found, by=request.user, **body)).data)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, search_id: int) -> Response:
        """Look after it no longer."""
        saved_searches.delete(self._own(request, search_id))
        return Response(status=204)

    def _own(self, request: Request, search_id: int) -> SavedSearch:
        rows: QuerySet[SavedSearch] = own(request.user)
        return get_object_or_404(rows, pk=search_id)


class SavedSearchSeen(APIView):
    """That you looked at what it finds."""

    scope = "trade"

    @extend_schema(request=None, responses=SavedSearchOut)
    def post(self, request: Request, search_id: int) -> Response:
        """Nothing of it is new any more."""
        found = get_object_or_404(SavedSearch.objects.of(request.user), pk=search_id)

        def run() -> dict[str, Any]:
            saved_searches.mark_seen(found)
            return dict(SavedSearchOut(SavedSearch.objects.of(request.user).get(pk=found.pk)).data)

        return acted(request, None, {}, run)
