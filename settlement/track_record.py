"""What a merchant's trades of the last twelve months tell about it: the public record on its page.

Counted are trades, never what they were about or who bought. Where there are fewer than `FEWEST` of a kind, no share is
given: it would say much about one trade and little about the merchant.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db.models import Avg, Count, F, Q
from django.db.models.functions import Coalesce

from marketplace import clock
from marketplace.models import Organisation
from settlement.models import Chargeback, Trade
from settlement.states import ChargebackState, TradeState

DAYS = 365
FEWEST = 5


@dataclass(frozen=True)
class Counted:
    """So many of so many; `share` in percent, None where there are fewer than FEWEST."""

    number: int
    of: int

    @property
    def share(self) -> int | None:
        return round(100 * self.number / self.of) if self.of >= FEWEST else None


@dataclass(frozen=True)
class TrackRecord:
    """A merchant's last twelve months.

    `answered`: requests it agreed to or declined in time, of those whose time is over or that it answered;
    `answer_time`: how long that took, on average.
    `delivered`: funded trades it delivered, of those delivered or given up. `delivery_time`: from funding to delivery,
    on average. `disputed`: delivered trades the buyer objected to. `lost`: disputes that gave the buyer
    money back, and chargebacks it lost.
    """

    settled: int
    answered: Counted
    answer_time: dt.timedelta | None
    delivered: Counted
    delivery_time: dt.timedelta | None
    disputed: Counted
    lost: int


def of(merchant: Organisation) -> TrackRecord:
    """The merchant's record, in two statements however many trades it has."""
    since = clock.now() - dt.timedelta(days=DAYS)
    asked = Q(offer__audience="on_request")
    answered = Q(state=TradeState.DECLINED) | Q(agreed_at__isnull=False)
    unanswered = Q(state=TradeState.EXPIRED, agreed_at=None)
    found = (
        Trade.objects.filter(seller=merchant, proposed_at__gte=since)
        .order_by()
        .aggregate(
            settled=Count("pk", filter=Q(state__in=[TradeState.CLEARED, TradeState.SETTLED])),
            answered=Count("pk", filter=asked & answered),
            answer_time=Avg(Coalesce("agreed_at", "ended_at") - F("proposed_at"), filter=asked & answered),
            unanswered=Count("pk", filter=asked & unanswered),
            delivered=Count("pk", filter=Q(delivered_at__isnull=False)),
            given_up=Count("pk", filter=Q(state=TradeState.REFUNDED, funded_at__isnull=False, delivered_at=None)),
            delivery_time=Avg(F("delivered_at") - F("funded_at")),
            disputed=Count("dispute"),
            lost=Count("dispute", filter=Q(dispute__refund_minor__gt=0)),
        )
    )
    charged_back = Chargeback.objects.filter(
        trade__seller=merchant, state=ChargebackState.LOST, opened_at__gte=since
    ).count()
    return TrackRecord(
        settled=found["settled"],
        answered=Counted(found["answered"], found["answered"] + found["unanswered"]),
        answer_time=found["answer_time"],
        delivered=Counted(found["delivered"], found["delivered"] + found["given_up"]),
        delivery_time=found["delivery_time"],
        disputed=Counted(found["disputed"], found["delivered"]),
        lost=found["lost"] + charged_back,
    )
