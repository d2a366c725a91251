"""Trades by state, and what waits of clearing, for Prometheus."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Count
from prometheus_client.core import GaugeMetricFamily, Metric

from marketplace import metrics
from settlement import reserves
from settlement.models import ClearingCycle, Trade
from settlement.states import CycleState, TradeState


def trades() -> Iterator[Metric]:
    """How many trades are in each state, those with none included; how many cycles and reserves wait to be released."""
    family = GaugeMetricFamily("databourse_trades", "Trades in this state.", labels=["state"])
    found = dict(Trade.objects.values_list("state").annotate(number=Count("pk")).order_by())
    for state in TradeState.values:
        family.add_metric([state], found.get(state, 0))
    yield family
    family = GaugeMetricFamily("databourse_cycles_closed", "Clearing cycles closed, not released.", labels=["currency"])
    closed = ClearingCycle.objects.filter(state=CycleState.CLOSED).order_by()
    for currency, number in closed.values_list("currency").annotate(number=Count("pk")):
        family.add_metric([currency], number)
    yield family
    told = "Reserves whose day of release has passed."
    family = GaugeMetricFamily("databourse_reserves_overdue", told, labels=["currency"])
    for currency, number in reserves.overdue().values_list("currency").annotate(number=Count("pk")):
        family.add_metric([currency], number)
    yield family


def tell() -> None:
    """Let /metrics show them; called once, when Django has loaded the app."""
    metrics.register(trades)
