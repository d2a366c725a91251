"""What the exchange takes, for anyone to read; and the sub-desk of clearing where two of the staff agree on it."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.permissions import AllowAny

from compliance.models import Tier
from marketplace import clock, roles
from marketplace.desk_pages import ROWS_ON_A_PAGE, act_button, acted, desk, parsed, posted_id, render_desk
from marketplace.models import User
from marketplace.signed_in import person
from settlement import fees
from settlement.fee_forms import FeeForm
from settlement.models import FeeSchedule


@require_safe
def fees_page(request: HttpRequest) -> HttpResponse:
    """The schedules in force and those to come; answers 200 to anyone."""
    page = Paginator(fees.published(), ROWS_ON_A_PAGE).get_page(request.GET.get("page"))
    rows = _told(page.object_list)
    takes = any(row["schedule"].takes_of_buyer for row in rows)
    return render(request, "settlement/fees.html", {"page": page, "rows": rows, "takes_of_buyers": takes})


class FeeScheduleOut(serializers.ModelSerializer[FeeSchedule]):
    """What both sides bear of the trades it fits. The seller: a share of what it keeps of the price, within bounds in
    minor units of `currency`, and, where it says so, what the gateway charges for the payment. The buyer: a share of
    the price, within bounds likewise, paid beside it. Region and tier are the seller's. An empty condition fits every
    trade."""

    class Meta:
        model = FeeSchedule
        fields = [
            "version", "seller_basis_points", "least_minor", "most_minor", "seller_bears_charges",
            "buyer_basis_points", "buyer_least_minor", "buyer_most_minor", "product_type", "region",
            "tier", "currency", "valid_from", "valid_until",
        ]  # fmt: skip


class FeeSchedules(ListAPIView):
    """GET: the fee schedules in force and those to come, the newest first, open to anyone. Of those in force that fit
    a trade the one with most conditions counts."""

    permission_classes = [AllowAny]
    serializer_class = FeeScheduleOut

    def get_queryset(self) -> QuerySet[FeeSchedule]:
        return fees.published()


@desk("clearing")
@require_safe
def fees_desk(request: HttpRequest) -> HttpResponse:
    """What waits for a second person, the form for a new one, and every schedule, the newest first.

    `like` names the schedule whose terms the form begins with.
    """
    by = person(request)
    waiting = FeeSchedule.objects.waiting().select_related("asked_by").order_by("pk")[:ROWS_ON_A_PAGE]
    every = FeeSchedule.objects.select_related("asked_by", "confirmed_by", "dropped_by").order_by("-pk")
    page = Paginator(every, ROWS_ON_A_PAGE).get_page(request.GET.get("page"))
    context = {
        "waiting": [(row, _acts(row["schedule"], by)) for row in _told(waiting)],
        "page": page,
        "rows": _told(page.object_list),
        "acts": _new(by, like=FeeSchedule.objects.filter(version=request.GET.get("like", "")).first()),
    }
    return render_desk(request, "clearing", "admin/desks/fees.html", context)


@desk("clearing")
@require_POST
def fees_act(request: HttpRequest) -> HttpResponse:
    """Ask for a schedule, confirm or drop one; through the commands."""
    act, by, back = request.POST.get("act", ""), person(request), reverse("desk_fees")
    if act == "ask":
        said = parsed(FeeForm(request.POST))
        return acted(request, lambda: fees.ask(**said, by=by), done=_("A second person has yet to agree."), back=back)
    commands = {"confirm": (fees.confirm, _("It is in force from its first day.")), "drop": (fees.drop, _("Dropped."))}
    if act not in commands:
        raise Http404
    command, done = commands[act]
    schedule = get_object_or_404(FeeSchedule, pk=posted_id(request, "schedule"))
    return acted(request, lambda: command(schedule, by=by), done=done, back=back)


def _new(by: User, *, like: FeeSchedule | None) -> list[dict[str, Any]]:
    if not roles.staff_may(by, "set_fees"):
        return []
    form = FeeForm.like(like, auto_id="fee_%s") if like else FeeForm(auto_id="fee_%s")
    url, shown = reverse("desk_fees_act"), {"tone": "primary", "is_open": like is not None}
    return [act_button("ask", _("A new fee schedule"), url, form=form, **shown)]


def _acts(schedule: FeeSchedule, by: User) -> list[dict[str, Any]]:
    if not roles.staff_may(by, "set_fees"):
        return []
    url, fields = reverse("desk_fees_act"), {"schedule": schedule.pk}
    drop = act_button("drop", _("Drop it"), url, fields=fields)
    if schedule.asked_by_id == by.pk:
        return [drop]
    return [act_button("confirm", _("Agree to it"), url, fields=fields, tone="primary"), drop]


def _told(schedules: Any) -> list[dict[str, Any]]:
    """Each schedule with the tier it is for, whether it has begun, and whether it is over."""
    schedules, now = list(schedules), clock.now()
    codes = {schedule.tier for schedule in schedules if schedule.tier}
    tiers = {tier.code: str(tier) for tier in Tier.objects.filter(code__in=codes)} if codes else {}
    return [
        {
            "schedule": schedule,
            "tier": tiers.get(schedule.tier, ""),
            "has_begun": schedule.valid_from <= now,
            "is_over": schedule.valid_until is not None and schedule.valid_until <= now,
        }
        for schedule in schedules
    ]
