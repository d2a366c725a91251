"""The form of an offer in the studio: it parses; the command decides."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.conf import settings
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from listings import licence_contract, offers, payment_plans, pricing, private_offers, terms, trials
from listings.models import Listing, Offer
from listings.terms_words import LANGUAGES, PURPOSES, TERRITORIES
from marketplace import money
from marketplace.models import Organisation


def _words(choices: dict[str, tuple[str, str, str]]) -> list[tuple[str, str]]:
    column = LANGUAGES.index(get_language() or "en") if get_language() in LANGUAGES else 0
    return [(code, words[column]) for code, words in choices.items()]


class OfferForm(forms.Form):
    """A price plan with its licence terms."""

    SECTIONS: list[tuple[Any, Any, list[str]]] = [
        (_("The offer"), "", ["name", "price", "currency", "channel", "inspection_days"]),
        (
            _("Or a price per call"),
            _("The buyer takes a block of calls and pays it before; leave the price above empty."),
            ["steps", "most_quantity", "is_postpaid"],
        ),
        (
            _("Paid in instalments"),
            _("Of the price above, before delivery: the data is handed over once all of them are paid."),
            ["instalments"],
        ),
        (
            _("Or a free trial"),
            _(
                "It lasts some days and names the paid offer it goes on with, where the buyer so orders; leave the"
                " price empty. Each buyer takes one trial of a product."
            ),
            ["converts_to", "trial_days"],
        ),
        (
            _("The contract"),
            _("The exchange’s licence contract, filled from this offer and the manual; the buyer reads it first."),
            ["jurisdiction"],
        ),
        (_("Who may buy"), "", ["audience", "buyers", "note", "open_until", "licences_total"]),
        (
            _("The licence"),
            _("The buyer reads it in plain words, and the contract repeats them."),
            ["purposes", "derived_works", "redistribution", "anywhere", "territory", "term_months", "seats"]
            + ["personal_data"],
        ),
    ]

    name = forms.CharField(label=_("Name"), max_length=120, help_text=_("Such as “Internal use, one year”."))
    price = forms.CharField(
        label=_("Price"), max_length=30, required=False, help_text=_("For the whole licence. 0 is free.")
    )
    currency = forms.ChoiceField(label=_("Currency"), choices=[(code, code) for code in settings.CURRENCIES])
    steps = forms.CharField(
        label=_("Prices per call"),
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3, "placeholder": "100 5.00\n1000 4.00"}),
        help_text=_(
            "A step a line: from how many calls on, and the price of one. All calls of a purchase cost the price of the"
            " highest step their number reaches. The first step says how many one must take at least."
        ),
    )
    most_quantity = forms.IntegerField(
        label=_("Most calls in one purchase"), required=False, min_value=1, max_value=pricing.MOST_QUANTITY
    )
    is_postpaid = forms.BooleanField(
        label=_("Bill the calls monthly instead"),
        required=False,
        help_text=_(
            "Taking it costs nothing; each call costs one price, such as 1 0.50 above, and every month is billed"
            " afterwards. The number above is then how many calls may be unpaid: at it, or while a bill is overdue,"
            " access rests until the buyer has paid."
        ),
    )
    instalments = forms.CharField(
        label=_("Instalments"),
        required=False,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3, "placeholder": "30 0\n40 30\n30 60"}),
        help_text=_(
            "An instalment a line: its share of the price in percent, and within how many days after registration it is"
            " due. Empty: the price is paid at once."
        ),
    )
    converts_to = forms.ModelChoiceField(
        label=_("Goes on with"), queryset=Offer.objects.none(), required=False, to_field_name="public_id",
        empty_label=_("No trial"),
    )  # fmt: skip
    trial_days = forms.IntegerField(
        label=_("Days of the trial"), required=False, min_value=1, max_value=terms.LONGEST_TERM_DAYS
    )
    channel = forms.ChoiceField(label=_("Delivery"), choices=offers.channel_choices())
    inspection_days = forms.IntegerField(
        label=_("Days to inspect"), min_value=1, max_value=offers.LONGEST_INSPECTION_DAYS, initial=7
    )
    jurisdiction = forms.ChoiceField(
        label=_("Governing law and forum"), choices=licence_contract.choices, help_text=_("For disputes that remain.")
    )
    audience = forms.ChoiceField(label=_("Who may buy"), choices=Offer.Audience.choices)
    buyers = forms.CharField(
        label=_("Named buyers"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Their registration numbers, one a line; only for an offer to named buyers."),
    )
    note = forms.CharField(
        label=_("Note to the named buyers"),
        required=False,
        max_length=private_offers.LONGEST_NOTE,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("They read it beside the offer; nobody else sees note or offer."),
    )
    open_until = forms.DateField(
        label=_("Last day of the offer"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text=_("Empty: until you close it."),
    )
    licences_total = forms.IntegerField(
        label=_("Licences for sale"), required=False, min_value=1, help_text=_("1 is exclusive; empty is no limit.")
    )
    purposes = forms.MultipleChoiceField(
        label=_("Purposes"),
        choices=lambda: _words(PURPOSES),
        widget=forms.CheckboxSelectMultiple,
        initial=["internal_analysis"],
    )
    derived_works = forms.ChoiceField(
        label=_("New data and results"),
        choices=[("internal", _("For the buyer’s own use")), ("free", _("Also for others")), ("none", _("None"))],
    )
    redistribution = forms.ChoiceField(
        label=_("Passing it on"),
        choices=[
            ("none", _("To nobody")),
            ("group", _("Within the buyer’s group")),
            ("same_terms", _("To anyone, on the same terms")),
        ],
    )
    anywhere = forms.BooleanField(label=_("May be used anywhere in the world"), required=False)
    territory = forms.MultipleChoiceField(
        label=_("Or only here"),
        choices=lambda: _words(TERRITORIES),
        required=False,
        initial=["CN"],
        widget=forms.SelectMultiple(attrs={"size": 6}),
    )
    term_months = forms.IntegerField(
        label=_("Months"), required=False, min_value=1, max_value=terms.LONGEST_TERM_MONTHS, initial=12,
        help_text=_("Empty: without end."),
    )  # fmt: skip
    seats = forms.IntegerField(
        label=_("People who may use it"), required=False, min_value=1, max_value=terms.MOST_SEATS,
        help_text=_("Empty: everyone of the buyer."),
    )  # fmt: skip
    personal_data = forms.ChoiceField(
        label=_("Personal information in the data"),
        choices=[
            ("none", _("None")),
            ("deidentified", _("De-identified")),
            ("personal", pgettext_lazy("there is some", "Yes")),
        ],
    )

    def __init__(self, listing: Listing, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        paid: Any = self.fields["converts_to"]
        paid.queryset = trials.possible_targets(listing)

    def sections(self) -> list[dict[str, Any]]:
        return [
            {"title": title, "words": words, "fields": [self[name] for name in names]}
            for title, words, names in self.SECTIONS
        ]

    def clean(self) -> dict[str, Any]:
        said = super().clean() or self.cleaned_data
        said["price_minor"], said["steps"] = None, self._steps(said.get("steps", ""), said.get("currency"))
        said["instalments"] = self._instalments(said.get("instalments", ""))
        trial = said.get("converts_to")
        if trial is not None and not said.get("price"):
            said["price_minor"] = 0
        if "price" in said and "currency" in said and (said["price"] or not (said["steps"] or trial)):
            try:
                said["price_minor"] = money.parse(said["price"], said["currency"]).minor
            except money.NotAnAmount as wrong:
                self.add_error("price", str(wrong))
        if trial is not None and not said.get("trial_days") and "trial_days" not in self.errors:
            self.add_error("trial_days", _("Say how many days the trial lasts."))
        numbers = [line.strip() for line in said.get("buyers", "").splitlines() if line.strip()]
        said["organisations"] = list(Organisation.objects.filter(registration_number__in=numbers[:1000]))
        known = {organisation.registration_number for organisation in said["organisations"]}
        for number in numbers:
            if number not in known:
                self.add_error("buyers", _("Nobody here has the number %s.") % number[:40])
        return said

    def _steps(self, lines: str, currency: str | None) -> list[pricing.Step]:
        """The steps as they are typed, a line each: a number of calls, a space and a price."""
        steps: list[pricing.Step] = []
        for number, line in enumerate(lines.splitlines(), 1):
            parts = line.split()
            if not parts or currency is None:
                continue
            try:
                from_quantity, price = parts
                quantity = money.parse(from_quantity, "JPY").minor  # whole, as yen are
                steps.append({"from_quantity": quantity, "unit_price_minor": money.parse(price, currency).minor})
            except ValueError:
                self.add_error("steps", _("Line %s: write a number of calls and a price, such as 100 5.00.") % number)
        return steps

    def _instalments(self, lines: str) -> list[payment_plans.Part]:
        """The instalments as they are typed, a line each: a share in percent, a space and a number of days."""
        plan: list[payment_plans.Part] = []
        for number, line in enumerate(lines.splitlines(), 1):
            if not (parts := line.replace("%", " ").split()):
                continue
            try:
                share, days = parts
                hundredths = money.parse(share, "EUR").minor  # two decimals, as a share has
                plan.append({"basis_points": hundredths, "due_days": money.parse(days, "JPY").minor})
            except ValueError:
                self.add_error("instalments", _("Line %s: write a share and a number of days, such as 30 60.") % number)
        return plan

    def clean_open_until(self) -> dt.datetime | None:
        """The end of that day at the exchange; a day no offer can end on is for the command to refuse."""
        day: dt.date | None = self.cleaned_data["open_until"]
        if day is None:
            return None
        after = min(max(day, dt.date(1970, 1, 1)), dt.date(9000, 1, 1)) + dt.timedelta(days=1)
        return dt.datetime.combine(after, dt.time(), ZoneInfo(settings.TIME_ZONE))

    def facts(self) -> dict[str, Any]:
        """The offer as `offers.make_offer` takes it."""
        said = self.cleaned_data
        licence: terms.Terms = {
            "purposes": said["purposes"],
            "territory": [terms.ANYWHERE] if said["anywhere"] else said["territory"],
            "term_months": said["term_months"],
            "derived_works": said["derived_works"],
            "redistribution": said["redistribution"],
            "seats": said["seats"],
            "personal_data": said["personal_data"],
        }
        if said["converts_to"] is not None:
            licence |= {"term_months": None, "term_days": said["trial_days"]}
        plain: tuple[str, ...] = (
            "converts_to",
            "name",
            "price_minor",
            "currency",
            "steps",
            "most_quantity",
            "instalments",
            "is_postpaid",
            "channel",
            "inspection_days",
        )
        plain += ("jurisdiction", "audience", "licences_total", "open_until", "note")
        return {name: said[name] for name in plain} | {"buyers": said["organisations"], "terms": licence}
