"""What the API takes of a proposal, and the command that comes of it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django.shortcuts import get_object_or_404
from rest_framework import serializers

from listings.models import Offer
from marketplace.models import Organisation, User
from settlement import trades
from settlement.models import Trade


class ProposalIn(serializers.Serializer[Any]):
    offer = serializers.CharField(max_length=20, help_text="The offer's id.")
    quantity = serializers.IntegerField(allow_null=True, default=None, help_text="Calls, of an offer priced by them.")
    purpose = serializers.CharField(max_length=2000, allow_blank=True, default="", help_text="What the data is for.")
    purchase_order = serializers.CharField(max_length=60, allow_blank=True, default="")
    text_digest = serializers.CharField(
        max_length=80, allow_blank=True, default="", help_text="Of the contract you read; refused if it is another now."
    )
    price_minor = serializers.IntegerField(
        allow_null=True,
        default=None,
        help_text="The price you saw, or of a call billed monthly; refused as `price_changed` if it is another now.",
    )
    fee_version = serializers.CharField(
        max_length=20,
        allow_blank=True,
        default="",
        help_text="The fee schedule you saw; refused as `fee_changed` if your fee is another now.",
    )
    renews = serializers.CharField(
        max_length=20,
        allow_blank=True,
        default="",
        help_text="A trade of yours on this offer, or on a trial of it: its licence is extended.",
    )
    upgrades = serializers.CharField(
        max_length=20,
        allow_blank=True,
        default="",
        help_text="A trade of yours of this product: its licence is replaced, and what is unused of it is credited.",
    )
    converts = serializers.BooleanField(
        default=False, help_text="Of a free trial: let it go on with its paid offer at its end, unless stopped before."
    )


def command(body: dict[str, Any], buyer: Organisation, *, by: User) -> Callable[[], Trade]:
    """`trades.propose` as this body asks for it. Raises Http404 for an offer or a trade the buyer does not see."""
    offer = get_object_or_404(Offer.objects.visible_to(buyer), public_id=body["offer"])
    own = Trade.objects.bought_by(buyer)
    renewed = get_object_or_404(own, public_id=body["renews"]) if body["renews"] else None
    upgraded = get_object_or_404(own, public_id=body["upgrades"]) if body["upgrades"] else None
    return partial(
        trades.propose,
        offer,
        buyer=buyer,
        quantity=body["quantity"],
        purpose=body["purpose"],
        purchase_order=body["purchase_order"],
        text_digest=body["text_digest"],
        price_minor=body["price_minor"],
        fee_version=body["fee_version"],
        renews=renewed,
        upgrades=upgraded,
        converts=body["converts"],
        by=by,
    )
