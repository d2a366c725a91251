"""Forms of the catalogue and of the studio: they parse; the commands decide."""

from __future__ import annotations

import csv
import datetime as dt
import io
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.conf import settings
from django.db.models import QuerySet
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from listings import licence_contract, manual, offers, private_offers, terms
from listings.models import Classification, Listing, Offer, ProductType, Release, Version
from listings.terms_words import LANGUAGES, PURPOSES, TERRITORIES
from marketplace import money
from marketplace.models import Organisation

LANGUAGE_NAMES = dict(settings.LANGUAGES)
_TEXT = forms.Textarea(attrs={"rows": 4})


class _Unsaid(forms.Form):
    """A form whose fields may stay empty without being called optional."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.leave_need_unsaid()

    def leave_need_unsaid(self) -> None:
        for field in self.fields.values():
            field.is_need_unsaid = True  # type: ignore[attr-defined]


class ProductForm(forms.Form):
    """A new product."""

    product_type = forms.ChoiceField(label=_("Type of product"), choices=ProductType.choices)


class ReasonForm(forms.Form):
    """Why a product is withdrawn."""

    reason = forms.CharField(
        label=_("Reason"), max_length=2000, widget=forms.Textarea(attrs={"rows": 3}), help_text=_("It stays with it.")
    )


class ReleaseForm(forms.Form):
    """A new release."""

    label = forms.CharField(label=_("Label"), max_length=60, help_text=_("Such as 2026-11 or 3.1; each is used once."))
    notes = forms.CharField(label=_("What changed"), required=False, max_length=4000, widget=_TEXT)


# --- the manual ----------------------------------------------------------------------------------------------------


def _texts(label: Any, longest: int, widget: type[forms.Widget] = forms.TextInput) -> dict[str, forms.CharField]:
    return {
        language: forms.CharField(
            label=f"{label} · {LANGUAGE_NAMES[language]}",
            required=False,
            max_length=longest,
            widget=widget(attrs={"lang": language}),
        )
        for language in LANGUAGES
    }


class ManualForm(_Unsaid):
    """The product manual. A draft may be saved with anything missing; what is missing is said beside it."""

    SECTIONS: list[tuple[Any, Any, list[str]]] = [
        (_("The product"), _("In the languages of your buyers; a language has both a title and a summary."), []),
        (
            _("What it covers"),
            "",
            ["sector", "coverage_from", "coverage_until", "coverage_population", "update_frequency"],
        ),
        (_("The data"), _("Which release this manual describes, and what its fields mean."), ["release", "fields"]),
        (_("Its uses"), "", ["use_scenarios", "forbidden_uses", "support_contact"]),
        (
            _("Source and rights"),
            _("Holding, use and operation are three rights; to sell you need the last. Evidence is for the reviewers."),
            ["source_statement", "lawful_basis"],
        ),
        (
            _("Protection"),
            _("Graded as in GB/T 43697-2024. Core data cannot be listed; important and grade 4 never go out as files."),
            ["classification", "has_personal_data", "has_sensitive_data", "persons_count", "leaves_mainland"],
        ),
    ]

    def __init__(self, *args: Any, version: Version, **kwargs: Any) -> None:
        super().__init__(*args, initial=self.initial_of(version), **kwargs)
        for language, field in _texts(_("Title"), manual.LONGEST_TITLE).items():
            self.fields[f"title_{language}"] = field
        for language, field in _texts(_("Summary"), manual.LONGEST_SUMMARY, forms.Textarea).items():
            field.widget.attrs["rows"] = 3
            self.fields[f"summary_{language}"] = field
        for name in ("sector", "update_frequency", "lawful_basis", "classification"):
            column: Any = Version._meta.get_field(name)
            choices = [choice for choice in column.choices if choice[0] != Classification.CORE]
            self.fields[name] = forms.ChoiceField(
                label=column.verbose_name.capitalize(), required=False, choices=[("", "–"), *choices]
            )
        for language, field in _texts(_("Area covered"), manual.LONGEST_AREA).items():
            self.fields[f"area_{language}"] = field
        for name in ("coverage_from", "coverage_until"):
            column = Version._meta.get_field(name)
            day = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
            self.fields[name] = forms.DateField(label=column.verbose_name.capitalize(), required=False, widget=day)
        self.fields["coverage_until"].help_text = _("Empty: it goes on.")
        for name in ("coverage_population", "support_contact", "use_scenarios", "forbidden_uses", "source_statement"):
            column = Version._meta.get_field(name)
            longest, widget = column.max_length or manual.LONGEST_TEXT, None if column.max_length else _TEXT
            self.fields[name] = forms.CharField(
                label=column.verbose_name.capitalize(), required=False, max_length=longest, widget=widget
            )
        for name in ("has_personal_data", "has_sensitive_data", "leaves_mainland"):
            column = Version._meta.get_field(name)
            self.fields[name] = forms.BooleanField(label=column.verbose_name.capitalize(), required=False)
        self.fields["persons_count"] = forms.IntegerField(
            label=_("Persons concerned"), required=False, min_value=0, max_value=manual.MOST_PERSONS
        )
        self.fields["release"] = forms.ModelChoiceField(
            label=_("Release"), queryset=self._releases(version.listing), required=False, empty_label="–"
        )
        self.fields["fields"] = FieldDictionary(
            label=_("Field dictionary"),
            required=False,
            help_text=_(
                "One field a line: name, type, meaning, unit, “key” where it helps to tell rows apart, and an example. "
                "Paste it from a spreadsheet, or separate by commas."
            ),
        )
        for right, words in RIGHT_WORDS.items():
            self.fields[f"{right}_held"] = forms.BooleanField(label=words, required=False)
            self.fields[f"{right}_basis"] = forms.CharField(
                label=_("Basis"), required=False, max_length=manual.LONGEST_STATEMENT
            )
            self.fields[f"{right}_evidence"] = forms.CharField(
                label=_("Evidence"), required=False, max_length=manual.LONGEST_STATEMENT
            )
        self.leave_need_unsaid()

    @staticmethod
    def initial_of(version: Version) -> dict[str, Any]:
        """The form as the draft stands."""
        kept: dict[str, Any] = {name: getattr(version, name) for name in manual.PLAIN_FIELDS}
        kept |= {f"title_{language}": text for language, text in version.titles.items()}
        kept |= {f"summary_{language}": text for language, text in version.summaries.items()}
        kept |= {f"area_{language}": text for language, text in version.coverage_area.items()}
        kept |= {"release": version.release_id, "fields": version.fields}
        for right, claim in version.rights.items():
            kept |= {f"{right}_{part}": value for part, value in claim.items()}
        return kept

    @staticmethod
    def _releases(listing: Listing) -> QuerySet[Release]:
        return listing.releases.filter(sealed_at__isnull=False)

    def sections(self) -> list[dict[str, Any]]:
        """The form in parts, each with its title, its words and its fields."""
        names = {
            0: [f"{part}_{language}" for language in LANGUAGES for part in ("title", "summary")],
            1: [f"area_{language}" for language in LANGUAGES],
            4: [f"{right}_{part}" for right in manual.RIGHTS for part in ("held", "basis", "evidence")],
        }
        return [
            {"title": title, "words": words, "fields": [self[name] for name in [*own, *names.get(place, [])]]}
            for place, (title, words, own) in enumerate(self.SECTIONS)
        ]

    def facts(self) -> dict[str, Any]:
        """The manual as `publishing.edit` takes it."""
        said = self.cleaned_data
        facts = {name: said[name] for name in manual.PLAIN_FIELDS}
        facts["persons_count"] = said["persons_count"] or 0
        facts["titles"] = {language: said[f"title_{language}"] for language in LANGUAGES}
        facts["summaries"] = {language: said[f"summary_{language}"] for language in LANGUAGES}
        facts["coverage_area"] = {language: said[f"area_{language}"] for language in LANGUAGES}
        facts["rights"] = {
            right: {part: said[f"{right}_{part}"] for part in ("held", "basis", "evidence")} for right in manual.RIGHTS
        }
        return facts | {"release": said["release"], "fields": said["fields"]}


RIGHT_WORDS = {
    "holding": _("We hold the resource (持有权)"),
    "use": _("We may process and use it (使用权)"),
    "operation": _("We may operate the product (经营权)"),
}


def lines_of(fields: list[dict[str, Any]]) -> str:
    """A field dictionary as the lines one types."""
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    for field in fields:
        texts = [field.get(part, "") for part in FieldDictionary.PARTS]
        parts = [*texts, "key" if field.get("is_key") else "", field.get("example", "")]
        while len(parts) > 1 and not parts[-1]:
            parts.pop()
        writer.writerow(parts)
    return lines.getvalue()


class FieldDictionary(forms.CharField):
    """The field dictionary as lines: pasted from a spreadsheet (tabs), or typed with commas."""

    widget = forms.Textarea(attrs={"rows": 12, "spellcheck": "false"})
    PARTS = ("name", "type", "meaning", "unit")

    def prepare_value(self, value: Any) -> Any:
        return lines_of(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> Any:
        """The dictionary as a manual keeps it. Raises ValidationError naming the line."""
        fields = []
        for number, line in enumerate(super().clean(value).splitlines(), 1):
            if not line.strip():
                continue
            try:
                parts = (
                    line.split("\t") if "\t" in line else next(csv.reader([line], skipinitialspace=True, strict=True))
                )
            except csv.Error as error:
                raise forms.ValidationError(
                    _("Line %(line)s: a quotation mark is missing.") % {"line": number}
                ) from error
            parts = [part.strip() for part in parts]
            parts += [""] * (6 - len(parts))
            if len(parts) > 6 or parts[4].lower() not in ("", "key"):
                raise forms.ValidationError(
                    _("Line %(line)s has more than name, type, meaning, unit, “key” and an example.") % {"line": number}
                )
            field = dict(zip(self.PARTS, parts, strict=False)) | {"is_key": parts[4].lower() == "key"}
            fields.append(field | ({"example": parts[5]} if parts[5] else {}))
        return fields


# --- offers --------------------------------------------------------------------------------------------------------


def _words(choices: dict[str, tuple[str, str, str]]) -> list[tuple[str, str]]:
    column = LANGUAGES.index(get_language() or "en") if get_language() in LANGUAGES else 0
    return [(code, words[column]) for code, words in choices.items()]


class OfferForm(forms.Form):
    """A price plan with its licence terms."""

    SECTIONS: list[tuple[Any, Any, list[str]]] = [
        (_("The offer"), "", ["name", "price", "currency", "channel", "inspection_days"]),
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
    price = forms.CharField(label=_("Price"), max_length=30, help_text=_("0 is free."))
    currency = forms.ChoiceField(label=_("Currency"), choices=[(code, code) for code in settings.CURRENCIES])
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
        choices=[("none", _("None")), ("deidentified", _("De-identified")), ("personal", _("Yes"))],
    )

    def sections(self) -> list[dict[str, Any]]:
        return [
            {"title": title, "words": words, "fields": [self[name] for name in names]}
            for title, words, names in self.SECTIONS
        ]

    def clean(self) -> dict[str, Any]:
        said = super().clean() or self.cleaned_data
        if "price" in said and "currency" in said:
            try:
                said["price_minor"] = money.parse(said["price"], said["currency"]).minor
            except money.NotAnAmount as wrong:
                self.add_error("price", str(wrong))
        numbers = [line.strip() for line in said.get("buyers", "").splitlines() if line.strip()]
        said["organisations"] = list(Organisation.objects.filter(registration_number__in=numbers[:1000]))
        known = {organisation.registration_number for organisation in said["organisations"]}
        for number in numbers:
            if number not in known:
                self.add_error("buyers", _("Nobody here has the number %s.") % number[:40])
        return said

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
        plain = ("name", "price_minor", "currency", "channel", "inspection_days", "jurisdiction", "audience")
        plain += ("licences_total", "open_until", "note")
        return {name: said[name] for name in plain} | {"buyers": said["organisations"], "terms": licence}
