"""The form by which an organisation shows a paper."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from compliance.models import Proof


class ProofForm(forms.Form):
    """A paper and what stands on it."""

    kind = forms.ChoiceField(label=_("Kind of paper"), choices=Proof.Kind.choices)
    issuer = forms.CharField(label=_("Issued by"), max_length=200)
    number = forms.CharField(label=_("Number on the paper"), max_length=100, required=False)
    issued_on = forms.DateField(label=_("Issued on"), required=False, widget=forms.DateInput(attrs={"type": "date"}))
    expires_on = forms.DateField(
        label=_("Expires on"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text=_("Empty where it does not expire."),
    )
    file = forms.FileField(
        label=_("File"),
        help_text=_("PDF, PNG or JPEG, or an electronic licence as OFD or XML; at most 10 MB."),
        widget=forms.ClearableFileInput(attrs={"accept": ".pdf,.png,.jpg,.jpeg,.ofd,.xml"}),
    )

    def said(self, most_bytes: int) -> dict[str, Any]:
        """What compliance.proofs.add takes; of the file one byte more than is accepted at most."""
        said = dict(self.cleaned_data)
        content = said.pop("file").read(most_bytes + 1)
        return {**said, "content": content}
