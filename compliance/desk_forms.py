"""Forms of the desks of vetting and review: a reason code from the table, and the sentence those it concerns read."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from compliance.models import Tier
from compliance.reasons import LONGEST_REASON_CHARACTERS, REASONS

GIGABYTE = 1024**3


class CodedReasonForm(forms.Form):
    """Why: a code and a sentence. `act` chooses the codes (see compliance.reasons)."""

    reason_code = forms.ChoiceField(label=_("Reason"))
    reason = forms.CharField(
        label=_("In a sentence that those it concerns read"),
        max_length=LONGEST_REASON_CHARACTERS,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(self, *args: Any, act: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        code: Any = self.fields["reason_code"]
        code.choices = list(REASONS[act].items())


class QuotaForm(forms.Form):
    """How much one organisation may keep at the exchange, and why."""

    most_gigabytes = forms.IntegerField(label=_("Gigabytes"), min_value=0, max_value=10**6)
    most_files = forms.IntegerField(label=_("Files"), min_value=0, max_value=10**8)
    reason = forms.CharField(label=_("Reason"), max_length=2000, widget=forms.Textarea(attrs={"rows": 2}))


class SentenceForm(forms.Form):
    """A sentence alone."""

    reason = forms.CharField(
        label=_("In a sentence"), max_length=LONGEST_REASON_CHARACTERS, widget=forms.Textarea(attrs={"rows": 2})
    )


class TierForm(forms.Form):
    """Another tier, and why."""

    tier = forms.ChoiceField(label=_("Tier"))
    reason = forms.CharField(
        label=_("In a sentence"), max_length=LONGEST_REASON_CHARACTERS, widget=forms.Textarea(attrs={"rows": 2})
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        tier: Any = self.fields["tier"]
        tier.choices = [(one.code, str(one)) for one in Tier.objects.all()]
