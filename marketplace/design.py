"""The page that shows every part of the design, with examples that are nobody's data."""

from __future__ import annotations

import datetime
import re

from django import forms
from django.conf import settings
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from marketplace.errors import NotCleared, SoldOut
from marketplace.money import Money

_ICONS = settings.BASE_DIR / "static" / "img" / "icons.svg"
_SHANGHAI = datetime.timezone(datetime.timedelta(hours=8))
_MORNING = datetime.datetime(2026, 11, 20, 9, 30, tzinfo=_SHANGHAI)


class ExampleForm(forms.Form):
    """One field of each kind."""

    title = forms.CharField(label=_("Title"), help_text=_("At most 120 characters, as a buyer would search for it."))
    contact = forms.EmailField(label=_("Support contact"))
    sector = forms.ChoiceField(
        label=_("Sector"), choices=[("", "–"), ("transport", _("Transport")), ("weather", _("Weather"))]
    )
    summary = forms.CharField(label=_("Summary"), widget=forms.Textarea(attrs={"rows": 3}), required=False)
    purposes = forms.MultipleChoiceField(
        label=_("Permitted purposes"),
        choices=[("research", _("Research")), ("internal", _("Internal use")), ("products", _("Own products"))],
        widget=forms.CheckboxSelectMultiple,
        help_text=_("The licence says so in plain words."),
    )
    file = forms.FileField(label=_("File"), required=False)
    accept = forms.BooleanField(label=_("I accept the exchange's rules, version 3"))


class ReasonForm(forms.Form):
    """What an act that needs a reason asks."""

    reason = forms.CharField(label=_("Reason, in words the other side sees"), widget=forms.Textarea(attrs={"rows": 3}))


def _example_products() -> list[dict[str, object]]:
    return [
        {
            "url": "#products",
            "title": "Flights from New York's three airports, 2013",
            "summary": "Every departure with its delays, airline, aircraft and distance; joined with hourly weather. "
            "336,776 rows, one file.",
            "kind": "dataset",
            "kind_label": _("Dataset"),
            "number": "DP-2026-000417-6",
            "seller": "Harbour Metrics Limited",
            "seller_is_verified": True,
            "price": Money(1_250_000, "HKD"),
            "traits": ["New York", "2013", "336,776 × 19", _("Sample")],
        },
        {
            "url": "#products",
            "title": "长三角逐小时气象观测",
            "title_lang": "zh-Hans",
            "summary": "四十一市一百八十个站点的气温、降水与风速，逐小时更新；附质量报告与字段说明。",
            "kind": "api",
            "kind_label": _("Data API"),
            "number": "DP-2026-000398-1",
            "seller": "云图数据有限公司",
            "seller_is_verified": True,
            "price": Money(88_000_00, "CNY"),
            "has_dearer_plans": True,
            "traits": ["长三角", _("hourly"), "1.6 GB"],
        },
        {
            "url": "#products",
            "title": "全球機場名錄",
            "title_lang": "zh-Hant-HK",
            "summary": "機場代碼、座標與時區，按季更新。可自由使用，毋須付費。",
            "kind": "report",
            "kind_label": _("Data report"),
            "number": "DP-2026-000402-9",
            "seller": "港灣指標有限公司",
            "seller_is_verified": False,
            "price": Money(0, "HKD"),
            "traits": [_("World"), "28,260 × 11"],
        },
    ]


def _example_timeline() -> list[dict[str, object]]:
    def later(**time: int) -> datetime.datetime:
        return _MORNING + datetime.timedelta(**time)

    return [
        {"title": _("Proposed"), "state": "done", "at": _MORNING, "by": "Mei Chan"},
        {"title": _("Agreed"), "state": "done", "at": later(minutes=1), "by": _("the seller's open offer")},
        {"title": _("Registered"), "state": "done", "at": later(minutes=2), "detail": "TR-2026-001093-4"},
        {
            "title": _("Waiting for the payment"),
            "state": "now",
            "who": "Lakeside Research",
            "until": later(days=7),
            "detail": _("Afterwards the data is delivered by itself."),
        },
        {"title": _("Delivered"), "state": "next"},
        {"title": _("Accepted"), "state": "next"},
        {"title": _("Settled"), "state": "next"},
    ]


@require_safe
def design(request: HttpRequest) -> HttpResponse:
    """Every part of the design on one page, for those who write pages and those who judge them."""
    marked = ExampleForm({"title": "Flights", "contact": "nobody", "purposes": ["research"]}, auto_id="marked_%s")
    refusal = NotCleared(
        _("This trade cannot be cleared yet."),
        reasons=[
            {
                "code": "buyer_not_verified",
                "detail": "The buyer is not verified.",
                "next": "Send the papers asked for.",
            },
            {"code": "leaves_mainland", "detail": "The data would leave the mainland and is classified general 2."},
        ],
    )
    acts = [
        {"label": _("Accept the delivery"), "url": "#", "tone": "primary"},
        {"label": _("Open a dispute"), "url": "#", "form": ReasonForm(auto_id="dispute_%s")},
        {"label": _("Cancel the trade"), "url": "#", "tone": "danger", "confirm": _("The seller is told at once.")},
        {"label": _("Renew"), "url": "#", "why_not": _("The seller's offer ended on 1 November.")},
    ]
    states = [
        ("draft", _("Draft"), ""),
        ("proposed", _("Proposed"), ""),
        ("submitted", _("Submitted"), ""),
        ("in_review", _("In review"), ""),
        ("funded", _("Funded"), ""),
        ("settled", _("Settled"), ""),
        ("listed", _("Listed"), ""),
        ("disputed", _("Disputed"), ""),
        ("suspended", _("Suspended"), ""),
        ("expired", _("Expired"), ""),
        ("open", _("Waiting for a reviewer"), "wait"),
    ]
    context = {
        "price": Money(1_250_000, "HKD"),
        "fee": Money(31_250, "HKD"),
        "payable": Money(1_218_750, "HKD"),
        "yen": Money(120_000, "JPY"),
        "nothing": Money(0, "HKD"),
        "morning": _MORNING,
        "until": _MORNING + datetime.timedelta(days=7),
        "states": states,
        "products": _example_products(),
        "timeline": _example_timeline(),
        "refusal": refusal,
        "sold_out": SoldOut(),
        "acts": acts,
        "form": ExampleForm(auto_id="plain_%s"),
        "marked": marked,
        "page_two": Paginator(range(240), 20).page(2),
        "icons": re.findall(r'symbol id="(\w+)"', _ICONS.read_text()),
        "scores": [
            (_("Completeness"), 0.997, "99.7 %"),
            (_("Uniqueness"), 0.95, "95.0 %"),
            (_("Timeliness"), 0.42, "42.0 %"),
        ],
    }
    return render(request, "design.html", context)
