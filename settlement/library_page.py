"""The page of what an organisation holds licences for, its API, and orders and licences as CSV."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from listings import pricing
from listings.product_page import language_of
from marketplace import posted, roles
from marketplace.participants import acting_organisation
from marketplace.signed_in import person
from marketplace.spreadsheets import csv_lines
from settlement import library
from settlement.models import Grant, LicenseeNotice

ON_A_PAGE = 20


@login_required
@require_safe
def library_page(request: HttpRequest) -> HttpResponse:
    """What this organisation has licensed; what ends soonest first."""
    holder = acting_organisation(request)
    show = request.GET.get("show", "valid")
    show = show if show in library.SHOWS else "valid"
    counts = library.counts(holder)
    page = Paginator(library.held(holder, show), ON_A_PAGE).get_page(request.GET.get("page"))
    labels = {"valid": _("Valid"), "ending": _("Ending soon"), "ended": _("Over"), "all": _("All")}
    context = {
        "page": page,
        "rows": [
            {
                "licence": one,
                "title_lang": language_of(one.trade.version, one.trade.version.titles),
                "key": posted.new_key(),
            }
            for one in library.licences(list(page), holder)
        ],
        "show": show,
        "tabs": [{"show": name, "label": labels[name], "count": counts[name]} for name in library.SHOWS],
        "may_download": roles.may(person(request), holder, "download"),
        "may_propose": roles.may(person(request), holder, "propose"),
    }
    return render(request, "settlement/library.html", context)


@login_required
@require_safe
@never_cache
def licences_csv(request: HttpRequest) -> StreamingHttpResponse:
    """Every licence with its receipts and papers, for a spreadsheet."""
    return _streamed(library.licence_rows(acting_organisation(request)), "licences.csv")


@login_required
@require_safe
@never_cache
def orders_csv(request: HttpRequest) -> StreamingHttpResponse:
    """Every order, for a spreadsheet."""
    return _streamed(library.order_rows(acting_organisation(request)), "orders.csv")


def _streamed(rows: Iterable[list[str]], name: str) -> StreamingHttpResponse:
    answer = StreamingHttpResponse(csv_lines(rows), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


class LicenceOut(serializers.Serializer[Any]):
    """A licence you hold. `offer` is the same offer where it is still on sale, with its price now."""

    trade = serializers.CharField(source="trade.public_id")
    product = serializers.CharField(source="trade.listing.public_id")
    title = serializers.CharField(source="trade.version.title")
    release = serializers.CharField(source="trade.release.label")
    state = serializers.CharField(source="grant.state")
    opened_at = serializers.DateTimeField(source="grant.opened_at", allow_null=True)
    ends_at = serializers.DateTimeField(source="grant.ends_at", allow_null=True)
    days_left = serializers.IntegerField(allow_null=True)
    files = serializers.IntegerField()
    fetched_files = serializers.IntegerField()
    fetched_bytes = serializers.IntegerField()
    last_fetched_at = serializers.DateTimeField(allow_null=True)
    quantity = serializers.IntegerField(
        source="trade.quantity", allow_null=True, default=None, help_text="Calls that were bought; null for none."
    )
    calls_used = serializers.IntegerField()
    papers = serializers.SerializerMethodField()
    offer = serializers.CharField(source="offer.public_id", allow_null=True, default=None)
    price_minor = serializers.SerializerMethodField(
        help_text="What the offer costs now, less a discount in force; of one priced per call its least block."
    )
    currency = serializers.CharField(source="offer.currency", allow_null=True, default=None)
    has_newer_release = serializers.BooleanField()
    renews_on = serializers.DateField(
        allow_null=True, help_text="The day on which a standing order buys it again; null where there is none."
    )
    notice = serializers.ChoiceField(
        source="notice.kind",
        choices=LicenseeNotice.Kind.choices,
        allow_null=True,
        default=None,
        help_text="The newest the seller gave its licensees since the access opened.",
    )
    noticed_at = serializers.DateTimeField(source="notice.given_at", allow_null=True, default=None)

    def get_price_minor(self, licence: library.Licence) -> int | None:
        return pricing.now(licence.offer).price.minor if licence.offer else None

    def get_papers(self, licence: library.Licence) -> list[str]:
        return [paper.number for paper in licence.papers]


class Licences(ListAPIView):
    """What your organisation holds licences for."""

    serializer_class = LicenceOut
    queryset = Grant.objects.none()

    def get_queryset(self) -> QuerySet[Grant]:
        return library.held(acting_organisation(self.request), self.request.query_params.get("show", "all"))

    @extend_schema(parameters=[OpenApiParameter("show", enum=library.SHOWS)], responses=LicenceOut(many=True))
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Newest first, with what was fetched and the papers' numbers."""
        holder = acting_organisation(request)
        rows = self.paginate_queryset(self.get_queryset()) or []
        return self.get_paginated_response(LicenceOut(library.licences(rows, holder), many=True).data)
