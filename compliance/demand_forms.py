"""Forms of the demand board: they parse; the commands decide."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from compliance import demand_answers, demand_facts, demands
from listings.models import Listing, Version
from listings.states import ListingState
from marketplace import money
from marketplace.models import Organisation
from marketplace.regions import REGIONS

_DAY = {"type": "date"}
_ANY = ("", pgettext_lazy("no matter which", "Any"))
MOST_OFFERED = 200  # products in the list a seller chooses from


class _Amounts(forms.Form):
    """Amounts as people write them, in the currency beside them."""

    def amount(self, field: str) -> None:
        said = self.cleaned_data
        said[f"{field}_minor"] = None
        if said.get(field) and said.get("currency"):
            try:
                said[f"{field}_minor"] = money.parse(said[field], said["currency"]).minor
            except money.NotAnAmount as wrong:
                self.add_error(field, str(wrong))


class DemandForm(_Amounts):
    """What an organisation needs."""

    SECTIONS: list[tuple[Any, Any, list[str]]] = [
        (_("What you need"), _("In the words a seller would search for."), ["title", "description", "sector"]),
        (
            _("What it should hold"),
            _("All of it optional: the more you say, the better sellers can answer."),
            ["columns", "region", "coverage", "frequency"],
        ),
        (
            _("Budget and time"),
            _("An idea is enough; nobody is bound by it."),
            ["budget_from", "budget_until", "currency", "needed_by"],
        ),
        (_("Who reads it"), "", ["is_public", "is_named"]),
    ]

    title = forms.CharField(label=_("Title"), max_length=demand_facts.LONGEST_TITLE)
    description = forms.CharField(
        label=_("Description"),
        max_length=demand_facts.LONGEST_DESCRIPTION,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text=_("What the data is for, and what it must have. Write no personal data."),
    )
    sector = forms.ChoiceField(label=_("Sector"), choices=Version.Sector.choices)
    columns = forms.CharField(
        label=_("Columns wished for"),
        required=False,
        max_length=demand_facts.LONGEST_COLUMNS,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("One a line."),
    )
    region = forms.ChoiceField(label=_("Region the data is about"), required=False, choices=[_ANY, *REGIONS])
    coverage = forms.CharField(
        label=_("Coverage"),
        required=False,
        max_length=demand_facts.LONGEST_COVERAGE,
        help_text=_("Such as years, ports or kinds of vessel."),
    )
    frequency = forms.ChoiceField(
        label=_("Update frequency"), required=False, choices=[_ANY, *Version.Frequency.choices]
    )
    budget_from = forms.CharField(label=_("Budget from"), required=False, max_length=30)
    budget_until = forms.CharField(label=_("Budget up to"), required=False, max_length=30)
    currency = forms.ChoiceField(
        label=_("Currency"), required=False, choices=[(code, code) for code in settings.CURRENCIES]
    )
    needed_by = forms.DateField(
        label=_("Needed by"), required=False, widget=forms.DateInput(attrs=_DAY, format="%Y-%m-%d")
    )
    is_public = forms.TypedChoiceField(
        label=_("Who reads it"),
        choices=[
            ("yes", _("Everybody: it stands on the demand board")),
            ("no", _("Only the exchange’s staff and the sellers they match it with")),
        ],
        coerce=lambda value: value == "yes",
        widget=forms.RadioSelect,
        initial="yes",
    )
    is_named = forms.BooleanField(
        label=_("Show our organisation’s name"),
        required=False,
        help_text=_("Otherwise sellers read “a member of the exchange”."),
    )

    def sections(self) -> list[dict[str, Any]]:
        """The form in parts, each with its title, its words and its fields."""
        return [
            {"title": title, "words": words, "fields": [self[name] for name in names]}
            for title, words, names in self.SECTIONS
        ]

    def clean(self) -> dict[str, Any]:
        super().clean()
        self.amount("budget_from")
        self.amount("budget_until")
        return self.cleaned_data

    def facts(self) -> dict[str, Any]:
        """What `demands.post` takes."""
        return {name: value for name, value in self.cleaned_data.items() if name not in ("budget_from", "budget_until")}


class ResponseForm(_Amounts):
    """A seller's answer."""

    product = forms.ChoiceField(label=_("One of your products"), required=False)
    text = forms.CharField(
        label=_("Your answer"),
        max_length=demand_facts.LONGEST_ANSWER,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=_("How it meets the need, or what you would make. Only the poster and the staff read it."),
    )
    price = forms.CharField(label=_("Price idea"), required=False, max_length=30)
    currency = forms.ChoiceField(
        label=_("Currency"), required=False, choices=[(code, code) for code in settings.CURRENCIES]
    )
    ready_on = forms.DateField(
        label=_("Ready on"), required=False, widget=forms.DateInput(attrs=_DAY, format="%Y-%m-%d")
    )

    def __init__(self, *args: Any, seller: Organisation, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own = Listing.objects.sold_by(seller).filter(state=ListingState.LISTED).select_related("current_version")
        products = [
            (listing.public_id, listing.current_version.title if listing.current_version else str(listing))
            for listing in own.order_by("-pk")[:MOST_OFFERED]
        ]
        none = _("None yet: this is a proposal")
        self.fields["product"].choices = [("", none), *products]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        super().clean()
        self.amount("price")
        return self.cleaned_data

    def facts(self) -> dict[str, Any]:
        """What `demand_answers.answer` takes."""
        return {name: value for name, value in self.cleaned_data.items() if name != "price"}


class MessageForm(forms.Form):
    """What one side says to the other."""

    text = forms.CharField(
        label=_("Your message"),
        max_length=demand_answers.LONGEST_MESSAGE,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class DecliningForm(forms.Form):
    """Why an answer is declined, if the seller is to know."""

    reason = forms.CharField(
        label=_("Reason, if the seller is to know"),
        required=False,
        max_length=demand_answers.LONGEST_MESSAGE,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class ProductForm(forms.Form):
    """The product that met a demand."""

    product = forms.CharField(
        label=_("Product"),
        max_length=300,
        help_text=_("The address of its page, or the number at its end."),
    )


class MatchForm(forms.Form):
    """With whom the staff match a demand."""

    seller = forms.CharField(
        label=_("Seller"),
        required=False,
        max_length=300,
        help_text=_("The address of the merchant’s page, or the number at its end; empty where you name a product."),
    )
    product = forms.CharField(
        label=_("Product"),
        required=False,
        max_length=300,
        help_text=_("The address of its page, or the number at its end."),
    )
    note = forms.CharField(
        label=_("Note for the seller"),
        required=False,
        max_length=demands.LONGEST_NOTE,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class DemandHidingForm(forms.Form):
    """Why a demand is hidden."""

    reason = forms.CharField(
        label=_("Reason, in words the poster reads"),
        max_length=demands.LONGEST_NOTE,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
