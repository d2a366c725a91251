"""The sign that the exchange has verified a seller, on whatever names one."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from compliance.models import Verification
from compliance.states import VerificationState


def verified_among(organisations: Collection[int]) -> set[int]:
    """Which of these the exchange has verified and has not suspended or expelled since. One statement at most."""
    if not organisations:
        return set()
    standing = Verification.objects.filter(organisation__in=organisations, state=VerificationState.VERIFIED)
    return set(standing.values_list("organisation_id", flat=True))


def signed(cards: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Cards of products (`listings.product_page.card`) with the sign of their sellers; entries of others stay as is."""
    verified = verified_among({card["seller_id"] for card in cards if "seller_id" in card})
    return [card | {"seller_is_verified": card.get("seller_id") in verified} for card in cards]
