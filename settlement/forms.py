"""Forms of the pages of trade and money: they parse; the commands decide."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from listings import pricing
from listings.models import Offer
from marketplace import money
from settlement.models import BankReport, Break
from settlement.money_words import paid_through


class ProposalForm(forms.Form):
    """What a buyer says when it takes an offer."""

    quantity = forms.IntegerField(
        label=_("Calls"),
        min_value=1,
        help_text=_("A block of calls, paid before they are used."),
        widget=forms.NumberInput(attrs={"form": "buy"}),
    )
    purpose = forms.CharField(
        label=_("What you will use the data for"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("The seller reads this, and it stays with the trade."),
    )
    purchase_order = forms.CharField(
        label=_("Purchase order number"),
        max_length=60,
        required=False,
        help_text=_("Your own reference; it stands on the order, the contract and the seller’s statement."),
    )
    text_digest = forms.CharField(max_length=80, required=False, widget=forms.HiddenInput)
    price_minor = forms.IntegerField(required=False, widget=forms.HiddenInput)
    fee_version = forms.CharField(max_length=20, required=False, widget=forms.HiddenInput)
    renews = forms.CharField(max_length=20, required=False, widget=forms.HiddenInput)
    quote = forms.CharField(max_length=20, required=False, widget=forms.HiddenInput)
    upgrades = forms.CharField(max_length=20, required=False, widget=forms.HiddenInput)
    converts = forms.BooleanField(label=_("Go on with the paid plan when the trial ends"), required=False)
    accept = forms.BooleanField(label=_("We agree to the licence and the contract"))

    def __init__(self, offer: Offer, *args: Any, **kwargs: Any) -> None:
        """The form of this offer: only one priced per call asks for a number, only a trial whether it goes on."""
        super().__init__(*args, **kwargs)
        if offer.converts_to is None:
            del self.fields["converts"]
        else:
            self.fields["converts"].help_text = _(
                "Then its price falls due on the day it ends, %(price)s by today’s, unless you stop it before."
                " Otherwise it ends by itself."
            ) % {"price": pricing.now(offer.converts_to).price}
        if offer.sells_blocks:
            self.fields["quantity"].widget.attrs |= {"min": offer.least_quantity, "max": offer.most_quantity}
            self.fields["quantity"].initial = offer.least_quantity
            del self.fields["price_minor"]
        else:
            del self.fields["quantity"]

    def plain_fields(self) -> list[forms.BoundField]:
        """What stands together at the form's end; the quantity stands beside its prices."""
        return [field for field in self.visible_fields() if field.name != "quantity"]


class ReasonForm(forms.Form):
    """A reason one may give."""

    reason = forms.CharField(
        label=_("Reason, in words the other side reads"),
        max_length=300,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )


class DeclineForm(forms.Form):
    """Why a request is declined: a sentence one may choose, and words of one's own."""

    BECAUSE = {
        "use": _("The stated use is not one we license."),
        "unclear": _("The stated use is too unclear; please ask again and say more."),
        "exclusive": _("We already serve this field exclusively."),
        "region": _("We do not license to your region at present."),
        "terms": _("Please look at our other offers; this one does not fit."),
    }
    LONGEST = 300

    because = forms.ChoiceField(
        label=_("Reason"), required=False, choices=[("", _("Only my own words")), *BECAUSE.items()]
    )
    reason = forms.CharField(
        label=_("In your own words, read by the buyer"),
        max_length=200,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def clean(self) -> dict[str, Any]:
        said = super().clean() or self.cleaned_data
        chosen = str(self.BECAUSE.get(said.get("because", ""), ""))
        said["reason"] = " ".join(part for part in (chosen, said.get("reason", "")) if part)[: self.LONGEST]
        return said


class ObjectionForm(forms.Form):
    """What is wrong with what was delivered."""

    reason = forms.CharField(
        label=_("What is wrong with what was delivered"),
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_(
            "Name the file, what the manual promised, and what you found. The seller and the exchange read it."
        ),
    )


class AnswerForm(forms.Form):
    """The seller's side of an objection."""

    answer = forms.CharField(
        label=_("Your answer"),
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("The buyer and the exchange read it."),
    )


class PayoutAccountForm(forms.Form):
    """Where a member wants its money."""

    gateway = forms.ChoiceField(label=_("Paid through"))
    reference = forms.CharField(
        label=_("Account"),
        max_length=120,
        help_text=_("As the payment provider names it, such as an IBAN or account id."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        gateway: Any = self.fields["gateway"]
        gateway.choices = [(name, paid_through(name)) for name in settings.GATEWAYS]
        if "bank" in settings.GATEWAYS:
            self.fields["reference"].help_text = _(
                "For a bank transfer: account number or IBAN / BIC of the bank / holder of the account."
            )


class BankReportForm(forms.Form):
    """A file of the bank."""

    file = forms.FileField(label=_("File"))
    form = forms.ChoiceField(label=_("Form"), choices=BankReport.Form.choices)
    currency = forms.ChoiceField(label=_("Currency of the account"), required=False)
    columns = forms.CharField(
        label=_("Columns of the CSV"),
        max_length=300,
        required=False,
        help_text=_("Where the setting does not fit: date=Booked, amount=Sum, reference=Bank reference, text=Details"),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        currency: Any = self.fields["currency"]
        currency.choices = [("", _("As the file says"))] + [(one, one) for one in settings.BANK_ACCOUNTS]


class AwardForm(forms.Form):
    """How a dispute over a paid trade is decided: what the buyer gets back, and why."""

    refund = forms.CharField(label=_("The buyer gets back"), max_length=30, initial="0")
    resolution = forms.CharField(
        label=_("Why, in words both parties read"), max_length=4000, widget=forms.Textarea(attrs={"rows": 4})
    )

    def __init__(self, *args: Any, price: money.Money, has_fee: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.price = price
        help_text = _("In %(currency)s, between 0 and %(price)s. The whole price back ends the trade.")
        self.fields["refund"].help_text = " ".join(
            str(one)
            for one in (
                help_text % {"currency": price.currency, "price": price.amount},
                has_fee and _("The same share of the buyer’s fee goes back with it."),
            )
            if one
        )

    def clean_refund(self) -> money.Money:
        try:
            return money.parse(self.cleaned_data["refund"], self.price.currency)
        except money.NotAnAmount as mistake:
            raise forms.ValidationError(str(mistake)) from mistake


class FreeAwardForm(forms.Form):
    """How a dispute over a free trade is decided."""

    ends_access = forms.TypedChoiceField(
        label=_("Decision"),
        choices=[("no", _("For the seller: the trade goes on")), ("yes", _("For the buyer: the access ends"))],
        coerce=lambda value: value == "yes",
        widget=forms.RadioSelect,
    )
    resolution = forms.CharField(
        label=_("Why, in words both parties read"), max_length=4000, widget=forms.Textarea(attrs={"rows": 4})
    )


class ExplanationForm(forms.Form):
    """Why two books differ."""

    reason_code = forms.ChoiceField(label=_("What it is"), choices=Break.Reason.choices)
    reason = forms.CharField(
        label=_("What you found"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("It stays in the journal with your name."),
    )


class MendedAccountForm(forms.Form):
    """Where a bounced refund goes now."""

    payer_reference = forms.CharField(
        label=_("Account to send it to"),
        max_length=120,
        required=False,
        help_text=_("Empty: the account it bounced from."),
    )
