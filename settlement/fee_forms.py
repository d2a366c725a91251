"""The form of a new fee schedule: it parses; the command decides."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from compliance.models import Tier
from compliance.reasons import LONGEST_REASON_CHARACTERS
from listings.models import ProductType
from marketplace import money
from marketplace.regions import REGIONS
from settlement.models import FeeSchedule
from settlement.models.fees import NARROWED_BY

_EVERY = ("", _("every one"))


class FeeForm(forms.Form):
    """Each side's share of the price, its limits, the trades it is for, from which day to which."""

    percent = forms.DecimalField(
        label=_("Fee of the seller, in percent of the price"),
        min_value=0,
        max_value=100,
        max_digits=5,
        decimal_places=2,
    )
    begins_on = forms.DateField(label=_("First day"), widget=forms.DateInput(attrs={"type": "date"}))
    ends_on = forms.DateField(label=_("Last day"), required=False, widget=forms.DateInput(attrs={"type": "date"}))
    product_type = forms.ChoiceField(label=_("Type"), required=False, choices=[_EVERY, *ProductType.choices])
    region = forms.ChoiceField(label=_("Region of the seller"), required=False, choices=[_EVERY, *REGIONS])
    tier = forms.ChoiceField(label=_("Tier of the seller"), required=False)
    currency = forms.ChoiceField(label=_("Currency"), required=False)
    least = forms.CharField(label=_("At least"), max_length=30, required=False)
    most = forms.CharField(label=_("At most"), max_length=30, required=False)
    buyer_percent = forms.DecimalField(
        label=_("Fee of the buyer, in percent of the price"),
        min_value=0,
        max_value=100,
        max_digits=5,
        decimal_places=2,
        required=False,
        help_text=_("Paid beside the price; empty for none."),
    )
    buyer_least = forms.CharField(label=_("Fee of the buyer, at least"), max_length=30, required=False)
    buyer_most = forms.CharField(label=_("Fee of the buyer, at most"), max_length=30, required=False)
    seller_bears_charges = forms.BooleanField(
        label=_("The seller also bears what the payment costs at the gateway"), required=False
    )
    reason = forms.CharField(
        label=_("Why"), max_length=LONGEST_REASON_CHARACTERS, widget=forms.Textarea(attrs={"rows": 2})
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        tier: Any = self.fields["tier"]
        tier.choices = [_EVERY, *((one.code, str(one)) for one in Tier.objects.all())]
        currency: Any = self.fields["currency"]
        currency.choices = [_EVERY, *((code, code) for code in settings.CURRENCIES)]

    @classmethod
    def like(cls, schedule: FeeSchedule, **kwargs: Any) -> FeeForm:
        """The form filled with the terms of this schedule: all but its days and its reason."""
        limits = ("least", "most", "buyer_least", "buyer_most")
        said: dict[str, Any] = {name: limit.amount for name in limits if (limit := getattr(schedule, name)) is not None}
        said |= {name: getattr(schedule, name) for name in (*NARROWED_BY, "percent", "seller_bears_charges")}
        if schedule.takes_of_buyer:
            said["buyer_percent"] = schedule.buyer_percent
        return cls(initial=said, **kwargs)

    def clean(self) -> dict[str, Any]:
        """What `fees.ask` takes."""
        said = super().clean() or {}
        currency = said.get("currency", "")
        for prefix in ("", "buyer_"):
            percent = said.pop(f"{prefix}percent", None)
            said[f"{prefix}basis_points"] = int(percent * Decimal(100)) if percent is not None else 0
        for name in ("least", "most", "buyer_least", "buyer_most"):
            text = said.pop(name, "").strip()
            said[f"{name}_minor"] = self._minor(name, text, currency) if text else None
        return said

    def _minor(self, name: str, text: str, currency: str) -> int | None:
        if not currency:
            self.add_error(name, _("Name the currency of this sum."))
            return None
        try:
            return money.parse(text, currency).minor
        except money.NotAnAmount as mistake:
            self.add_error(name, str(mistake))
            return None
