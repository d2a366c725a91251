"""Forms of compliance: they parse; the commands decide."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from compliance import exchange_rules
from marketplace.forms import OrganisationForm


class ApplicationForm(OrganisationForm):
    """What an organisation says of itself, and that it accepts the rules in force."""

    accepts_rules = forms.BooleanField(
        label=format_lazy(
            _("For this organisation I accept the rules of the exchange, version {version}"),
            version=exchange_rules.CURRENT_VERSION,
        ),
        help_text=_("Who accepted them, when, and the digest of their text are kept."),
    )
    rules_version = forms.CharField(widget=forms.HiddenInput, initial=exchange_rules.CURRENT_VERSION)

    def facts(self) -> dict[str, Any]:
        """What the organisation says of itself, without the acceptance."""
        said = dict(self.cleaned_data)
        del said["accepts_rules"], said["rules_version"]
        return said
