"""The API of the catalogue, open to anyone; somebody signed in also sees the offers that name their organisation."""

from __future__ import annotations

from django.http import Http404
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param
from rest_framework.views import APIView

from listings import catalogue, comparison, facets
from listings.filters import SORTS, Filters, known_values, sort_of
from listings.presented_entries import CataloguePageOut, OneEntryOut
from listings.presented_products import ComparisonOut, ProductOut
from marketplace.errors import Invalid
from marketplace.participants import acting_or_none


class Catalogue(APIView):
    """What is on sale."""

    permission_classes = [AllowAny]

    @extend_schema(
        parameters=[
            OpenApiParameter(
                "q",
                description="Words in Chinese (either script) or English, their synonyms found too; all are needed, "
                "or where nothing says them all, some.",
            ),
            *(
                OpenApiParameter(name, many=True, enum=values, description="Repeat it for one or the other.")
                for name, values in known_values().items()
            ),
            OpenApiParameter(
                "merchant", many=True, description="The public_id of a seller, or the name of an entry's merchant."
            ),
            OpenApiParameter(
                "show", enum=["products", "entries"], description="Products on sale here, or other exchanges' entries."
            ),
            OpenApiParameter(
                "sort", enum=SORTS, description="Products first in any order; prices by currency, the lowest first."
            ),
            OpenApiParameter("as", enum=["typed"], description="Take a misspelt word as it is."),
            OpenApiParameter("page", int, description=f"{catalogue.ON_A_PAGE} a page."),
        ],
        responses=CataloguePageOut,
    )
    def get(self, request: Request) -> Response:
        """Products on sale, with words the best match first, else the newest; then other exchanges' entries."""
        asked = request.query_params
        filters = Filters.asked(asked)
        found = catalogue.browse(
            asked.get("q", ""),
            filters=filters,
            reader=acting_or_none(request),
            sort=sort_of(asked.get("sort", "")),
            is_as_typed=asked.get("as") == "typed",
        )
        page = catalogue.page_of(found, asked.get("page", "1"))
        here = request.build_absolute_uri()
        told = {
            "count": page.paginator.count,
            "products": found.product_count,
            "entries": found.entry_count,
            "page": page.number,
            "pages": page.paginator.num_pages,
            "next": replace_query_param(here, "page", page.number + 1) if page.has_next() else None,
            "previous": replace_query_param(here, "page", page.number - 1) if page.has_previous() else None,
            "understood_as": found.question.text if found.question.mended else None,
            "has_some_words_only": found.is_some,
            "facets": facets.of(found.counts, filters),
            "results": page.object_list,
        }
        return Response(CataloguePageOut(told).data)


class OneProduct(APIView):
    """One product."""

    permission_classes = [AllowAny]

    @extend_schema(responses=ProductOut)
    def get(self, request: Request, public_id: str) -> Response:
        """What the seller says of it, what the exchange measured, and its offers."""
        product = catalogue.product(public_id, reader=acting_or_none(request))
        if product is None:
            raise Http404
        return Response(ProductOut(product).data)


class Comparison(APIView):
    """Products side by side."""

    permission_classes = [AllowAny]

    @extend_schema(
        parameters=[OpenApiParameter("p", many=True, required=True, description="public_id of a product; up to four.")],
        responses=ComparisonOut,
    )
    def get(self, request: Request) -> Response:
        """The products, in the order named, and which columns they share; what one may not see is left out.

        Answers 422 `too_many_compared` for a fifth.
        """
        asked = list(dict.fromkeys(request.query_params.getlist("p")))
        if len(asked) > comparison.MOST:
            raise Invalid(
                _("At most %(most)s products stand side by side."), code="too_many_compared", most=comparison.MOST
            )
        return Response(ComparisonOut(comparison.compare(asked, reader=acting_or_none(request))).data)


class OneEntry(APIView):
    """One entry of another exchange's catalogue."""

    permission_classes = [AllowAny]

    @extend_schema(responses=OneEntryOut)
    def get(self, request: Request, public_id: str) -> Response:
        """What that catalogue says of it. It cannot be bought here: ask the merchant or the exchange it names."""
        entry = catalogue.entry(public_id)
        if entry is None:
            raise Http404
        return Response(OneEntryOut(entry).data)
