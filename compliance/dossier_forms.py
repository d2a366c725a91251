"""Forms of the sections of an application: they parse what a page sends; the commands decide."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from compliance import declaration_text, exchange_rules
from compliance.dossier_facts import LABELS, LONGEST_CHARACTERS, MOST_OWNERS, MerchantKind
from compliance.dossier_models import Section
from compliance.reasons import LONGEST_REASON_CHARACTERS
from listings.models import Version
from marketplace.forms import OrganisationForm
from marketplace.regions import COUNTRIES

BLANK = [("", "—")]
YES_NO = [("", _("Not answered")), ("yes", _("Yes")), ("no", _("No"))]
FREE_OWNER_ROWS = 2


def _text(field: str, **more: Any) -> forms.CharField:
    return forms.CharField(label=LABELS[field], max_length=LONGEST_CHARACTERS, required=False, **more)


def _yes_no(field: str, **more: Any) -> forms.ChoiceField:
    return forms.ChoiceField(label=LABELS[field], choices=YES_NO, required=False, **more)


class SectionForm(forms.Form):
    """One section; nothing in it is required to save it, and the page says what is still missing."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.is_need_unsaid = True  # type: ignore[attr-defined]

    @classmethod
    def of(cls, facts: Mapping[str, Any], **how: Any) -> SectionForm:
        """The form that shows these facts."""
        return cls(initial=dict(facts), **how)

    def facts(self) -> dict[str, Any]:
        """What was said, as compliance.dossier takes it."""
        return dict(self.cleaned_data)


class IdentityForm(OrganisationForm, SectionForm):
    """What the organisation is called, where it sits and which number it has."""


class RepresentativeForm(SectionForm):
    name = _text("name", help_text=_("The person who acts for the organisation by law, as the register names them."))
    position = _text("position", help_text=_("Such as chairman, executive director or partner."))


class ActivityForm(SectionForm):
    sector = forms.ChoiceField(label=LABELS["sector"], choices=[*BLANK, *Version.Sector.choices], required=False)
    merchant_kinds = forms.MultipleChoiceField(
        label=LABELS["merchant_kinds"],
        choices=MerchantKind.choices,
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    is_critical_operator = _yes_no(
        "is_critical_operator",
        help_text=_(
            "Named as such by the authority in charge. Other rules hold for its data that leaves the mainland."
        ),
    )
    is_listed_company = _yes_no("is_listed_company")
    listed_at = _text("listed_at", help_text=_("If it is listed, such as “HKEX 0700”."))

    @classmethod
    def of(cls, facts: Mapping[str, Any], **how: Any) -> SectionForm:
        said = {True: "yes", False: "no", None: ""}
        flags = {field: said[facts.get(field)] for field in ("is_critical_operator", "is_listed_company")}
        return cls(initial={**facts, **flags}, **how)

    def facts(self) -> dict[str, Any]:
        meant = {"yes": True, "no": False, "": None}
        flags = {field: meant[self.cleaned_data[field]] for field in ("is_critical_operator", "is_listed_company")}
        return {**self.cleaned_data, **flags}


class OwnersForm(SectionForm):
    """One row an owner, with two rows left free; an emptied row is an owner less."""

    has_none = forms.BooleanField(label=LABELS["has_none"], required=False)

    def __init__(self, *args: Any, rows: int | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if rows is None:
            rows = next((n for n in range(MOST_OWNERS) if not self._is_sent(n)), MOST_OWNERS)
        for number in range(min(rows, MOST_OWNERS)):
            self._add_row(number)

    def _is_sent(self, number: int) -> bool:
        return bool(self.is_bound and f"name_{number}" in self.data)

    def _add_row(self, number: int) -> None:
        shown = {"n": number + 1}
        self.fields[f"name_{number}"] = forms.CharField(
            label=_("Owner %(n)s, name") % shown, max_length=LONGEST_CHARACTERS, required=False
        )
        self.fields[f"country_{number}"] = forms.ChoiceField(
            label=_("Country or territory"), choices=[*BLANK, *COUNTRIES], required=False
        )
        self.fields[f"share_{number}"] = forms.DecimalField(
            label=_("Share in per cent"), min_value=0, max_value=100, max_digits=5, decimal_places=2, required=False
        )
        self.fields[f"since_{number}"] = forms.DateField(
            label=pgettext_lazy("an owner of it", "Since"),
            required=False,
            widget=forms.DateInput(attrs={"type": "date"}),
        )
        for name in ("name", "country", "share", "since"):
            self.fields[f"{name}_{number}"].is_need_unsaid = True  # type: ignore[attr-defined]

    @property
    def rows(self) -> list[list[Any]]:
        """The bound fields, row by row, for the page."""
        count = sum(1 for name in self.fields if name.startswith("name_"))
        return [[self[f"{name}_{n}"] for name in ("name", "country", "share", "since")] for n in range(count)]

    @classmethod
    def of(cls, facts: Mapping[str, Any], **how: Any) -> SectionForm:
        initial: dict[str, Any] = {"has_none": facts.get("has_none", False)}
        for number, owner in enumerate(facts.get("owners", [])):
            initial[f"name_{number}"] = owner["name"]
            initial[f"country_{number}"] = owner["country"]
            initial[f"share_{number}"] = Decimal(owner["share_basis_points"]) / 100
            initial[f"since_{number}"] = owner["since"]
        return cls(initial=initial, rows=len(facts.get("owners", [])) + FREE_OWNER_ROWS, **how)

    def facts(self) -> dict[str, Any]:
        said = self.cleaned_data
        rows = [
            {
                "name": said[f"name_{n}"],
                "country": said[f"country_{n}"],
                "share_basis_points": int(said[f"share_{n}"] * 100) if said[f"share_{n}"] is not None else None,
                "since": said[f"since_{n}"].isoformat() if said[f"since_{n}"] else "",
            }
            for n in range(len(self.rows))
        ]
        return {"owners": [row for row in rows if any(row.values())], "has_none": said["has_none"]}


class ContactsForm(SectionForm):
    security_name = _text("security_name", help_text=_("Whom the exchange calls when data or an account is in danger."))
    security_email = forms.EmailField(label=LABELS["security_email"], max_length=LONGEST_CHARACTERS, required=False)
    security_phone = _text("security_phone")
    privacy_name = _text("privacy_name", help_text=_("Who answers for personal information, as the law names them."))
    privacy_email = forms.EmailField(label=LABELS["privacy_email"], max_length=LONGEST_CHARACTERS, required=False)
    privacy_phone = _text("privacy_phone")


class BankForm(SectionForm):
    holder = _text(
        "holder",
        help_text=_("Kept for the record and compared with papers. Payouts go to the account named under Money."),
    )
    bank = _text("bank")
    reference = _text("reference")


FORMS: dict[str, type[SectionForm]] = {
    Section.IDENTITY: IdentityForm,
    Section.REPRESENTATIVE: RepresentativeForm,
    Section.ACTIVITY: ActivityForm,
    Section.OWNERS: OwnersForm,
    Section.CONTACTS: ContactsForm,
    Section.BANK: BankForm,
}


class DeclarationForm(forms.Form):
    """The declaration on sanctions and related parties."""

    is_restricted = forms.ChoiceField(
        label=_("Is the organisation, an owner or whoever directs it on such a list?"),
        choices=[("no", _("No")), ("yes", _("Yes"))],
        widget=forms.RadioSelect,
    )
    related_parties = forms.CharField(
        label=_("Related members and staff of the exchange"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Name each and how it is related; leave it empty if there is none."),
    )
    text_version = forms.CharField(widget=forms.HiddenInput, initial=declaration_text.CURRENT_VERSION)

    def said(self) -> dict[str, Any]:
        """What was declared, as compliance.dossier takes it."""
        return {**self.cleaned_data, "is_restricted": self.cleaned_data["is_restricted"] == "yes"}


class AcceptanceForm(forms.Form):
    """That the organisation accepts the rules in force."""

    accepts_rules = forms.BooleanField(
        label=format_lazy(
            _("For this organisation I accept the rules of the exchange, version {version}"),
            version=exchange_rules.CURRENT_VERSION,
        ),
        help_text=_("Who accepted them, when, and the digest of their text are kept."),
    )
    rules_version = forms.CharField(widget=forms.HiddenInput, initial=exchange_rules.CURRENT_VERSION)


class RefusalForm(forms.Form):
    """Why a change of facts is refused."""

    reason = forms.CharField(
        label=_("In a sentence that those it concerns read"),
        max_length=LONGEST_REASON_CHARACTERS,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
