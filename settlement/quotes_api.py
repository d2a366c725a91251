"""The REST API of quotes, for the buyer. Rules live in the commands."""

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

from listings.models import Offer
from marketplace.api import acted, read
from marketplace.bells import ring
from marketplace.participants import acting_organisation
from settlement import quotes, tasks
from settlement.api import in_full
from settlement.models import Quote
from settlement.presenting import TradeInFullOut


class QuoteIn(serializers.Serializer[Any]):
    offer = serializers.CharField(max_length=20, help_text="The offer's id.")
    quantity = serializers.IntegerField(allow_null=True, default=None, help_text="Calls, of an offer priced by them.")
    purpose = serializers.CharField(max_length=2000, allow_blank=True, default="", help_text="What the data is for.")


class QuoteOut(serializers.Serializer[Any]):
    """A quote. Amounts are in minor units of `currency`."""

    public_id = serializers.CharField(source="quote.public_id")
    state = serializers.ChoiceField(choices=list(quotes.QuoteState), help_text="What it is good for now.")
    offer = serializers.CharField(source="quote.offer.public_id")
    product = serializers.CharField(source="quote.offer.listing.public_id")
    price_minor = serializers.IntegerField(source="quote.price_minor")
    buyer_fee_minor = serializers.IntegerField(source="quote.buyer_fee_minor", help_text="Paid beside the price.")
    total_minor = serializers.IntegerField(source="quote.total_minor", help_text="Price and fee: what you pay.")
    currency = serializers.CharField(source="quote.currency")
    quantity = serializers.IntegerField(source="quote.quantity", allow_null=True)
    unit_price_minor = serializers.IntegerField(source="quote.unit_price_minor", allow_null=True)
    purpose = serializers.CharField(source="quote.purpose")
    made_at = serializers.DateTimeField(source="quote.made_at")
    valid_until = serializers.DateTimeField(source="quote.valid_until")
    trade = serializers.CharField(source="quote.trade.public_id", allow_null=True, default=None)
    paper = serializers.CharField(help_text="Number of its paper.")


class Quotes(ListAPIView):
    """GET: the quotes of your organisation, the newest first. POST: make one."""

    scope = "trade"
    serializer_class = QuoteOut

    def get_queryset(self) -> QuerySet[Quote]:
        return quotes.of(None if getattr(self, "swagger_fake_view", False) else acting_organisation(self.request))

    def paginate_queryset(self, queryset):  # type: ignore[no-untyped-def]
        return quotes.shown(super().paginate_queryset(queryset) or [])

    @extend_schema(request=QuoteIn, responses={201: QuoteOut})
    def post(self, request: Request) -> Response:
        """Refused with the code of what stands in the way of buying; at most so many a day (429 `too_many_quotes`)."""
        organisation, body = acting_organisation(request), read(QuoteIn, request)
        offer = get_object_or_404(Offer.objects.visible_to(organisation), public_id=body["offer"])
        said = {"quantity": body["quantity"], "purpose": body["purpose"]}

        def make() -> dict[str, Any]:
            quote = quotes.make(offer, buyer=organisation, by=request.user, **said)
            return dict(QuoteOut(quotes.shown([quote])[0]).data)

        return acted(request, organisation, body, make, status=201)


class QuoteOrderIn(serializers.Serializer[Any]):
    purchase_order = serializers.CharField(max_length=60, allow_blank=True, default="")
    text_digest = serializers.CharField(
        max_length=80, allow_blank=True, default="", help_text="Of the contract you read; refused if it is another now."
    )


class QuoteOrder(APIView):
    """POST: order what was quoted, at its price."""

    scope = "trade"

    @extend_schema(request=QuoteOrderIn, responses={201: TradeInFullOut})
    def post(self, request: Request, quote_id: str) -> Response:
        """The use is that of the quote. Answers 409 `wrong_state` for a quote that is not valid."""
        organisation, body = acting_organisation(request), read(QuoteOrderIn, request)
        quote = get_object_or_404(Quote.objects.of(organisation), public_id=quote_id)

        def order() -> dict[str, Any]:
            return in_full(quotes.order(quote, purpose=quote.purpose, by=request.user, **body), request)

        answer = acted(request, organisation, body, order, status=201)
        ring(tasks.register_trades)
        return answer
