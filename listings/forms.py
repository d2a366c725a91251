"""Forms of the catalogue and of the studio: they parse; the commands decide."""

from __future__ import annotations

import csv
import io
from typing import Any

from django import forms
from django.conf import settings
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from listings import manual
from listings.models import Classification, Listing, ProductType, Release, Version
from listings.terms_words import LANGUAGES

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
