"""Forms of the members' pages: they parse; the commands decide."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from marketplace import clock
from marketplace.errors import Refused, RoleNeeded
from marketplace.models import Organisation, User
from marketplace.regions import COUNTRIES, REGIONS
from marketplace.roles import Role
from marketplace.tokens import SCOPES


class OrganisationForm(forms.Form):
    """What an organisation says of itself."""

    name = forms.CharField(
        label=_("Name in its own script"), max_length=200, help_text=_("As on the licence or certificate.")
    )
    latin_name = forms.CharField(
        label=_("Name in Latin script"), max_length=200, help_text=_("Printed on certificates beside the other.")
    )
    kinds = forms.MultipleChoiceField(
        label=_("What you are on the exchange"),
        choices=Organisation.Kind.choices,
        widget=forms.CheckboxSelectMultiple,
    )
    country = forms.ChoiceField(label=_("Country or territory of its seat"), choices=COUNTRIES)
    region = forms.ChoiceField(
        label=_("Region"),
        choices=REGIONS,
        help_text=_(
            "On the mainland its province or pilot zone: the rules on data leaving the mainland differ by zone."
        ),
    )
    number_kind = forms.ChoiceField(label=_("Kind of registration number"), choices=Organisation.NumberKind.choices)
    registration_number = forms.CharField(
        label=_("Registration number"), max_length=60, help_text=_("Its check character is checked at once.")
    )


class InvitationForm(forms.Form):
    """Whom to invite, as what."""

    email = forms.EmailField(label=_("E-mail address"))
    role = forms.ChoiceField(label=_("Role"), choices=Role.choices, initial=Role.VIEWER)


class RoleForm(forms.Form):
    """Another role for a member."""

    role = forms.ChoiceField(label=_("Role"), choices=Role.choices)


class TokenForm(forms.Form):
    """A new key for scripts."""

    name = forms.CharField(label=_("Name"), max_length=80, help_text=_("So that you know it again."))
    scopes = forms.MultipleChoiceField(
        label=_("Scopes"), choices=list(SCOPES.items()), widget=forms.CheckboxSelectMultiple, initial=["read"]
    )
    days = forms.IntegerField(
        label=_("Days it is valid"), min_value=1, max_value=3650, initial=90, required=False,
        help_text=_("Empty: until it is revoked."),
    )  # fmt: skip
    is_for_organisation = forms.BooleanField(
        label=_("For the organisation you act for only"), required=False, initial=True
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not user.is_staff:
            self.fields["scopes"].choices = [(scope, says) for scope, says in SCOPES.items() if scope != "staff"]  # type: ignore[attr-defined]

    def lapses_at(self) -> dt.datetime | None:
        """When the key lapses, by the days given."""
        days = self.cleaned_data["days"]
        return clock.now() + dt.timedelta(days=days) if days else None


def add_refusal(form: forms.Form, refusal: Refused) -> None:
    """Show a command's refusal on the form it answers, beside the field it names where it names one.

    A missing role is raised again: no form can mend it.
    """
    if isinstance(refusal, RoleNeeded):
        raise refusal
    told = False
    for reason in refusal.reasons:
        field = reason.get("field", "")
        form.add_error(field if field in form.fields else None, reason["detail"])
        told = True
    if not told:
        form.add_error(None, " ".join(filter(None, [refusal.detail, str(refusal.next)])))
