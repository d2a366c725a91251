"""Forms of the review desk: the checklist with the decision, questions to the seller and their answers, notes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from compliance import checklists
from compliance.checklists import Item
from compliance.manual_shown import FIELD_LABELS
from compliance.reasons import LONGEST_REASON_CHARACTERS, REASONS, SEND_BACK
from compliance.review_questions import LONGEST_TEXT_CHARACTERS

ANSWER_LABELS = [
    (checklists.YES, pgettext_lazy("checklist", "Yes")),
    (checklists.NO, pgettext_lazy("checklist", "No")),
    (checklists.NOT_APPLICABLE, _("Not applicable")),
]


NO_SENTENCE = _("Write the sentence that those it concerns will read.")


class DecisionForm(forms.Form):
    """The checklist's answers; and for sending back, a reason of each of the two kinds. The commands decide."""

    use_required_attribute = False

    def __init__(self, *args: Any, items: Sequence[Item], act: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.items, self.act = items, act
        for item in items:
            self.fields[f"answer_{item.id}"] = forms.ChoiceField(
                label=item.text, choices=ANSWER_LABELS, widget=forms.RadioSelect, required=False
            )
            self.fields[f"note_{item.id}"] = forms.CharField(
                label=_("Note"), max_length=checklists.LONGEST_NOTE, required=False
            )
        for act, table in SEND_BACK.items():
            self.fields[f"{act}_code"] = forms.ChoiceField(
                label=_("Reason"), choices=list(REASONS[table].items()), required=False
            )
            self.fields[f"{act}_reason"] = forms.CharField(
                label=_("In a sentence that those it concerns read"),
                max_length=LONGEST_REASON_CHARACTERS,
                widget=forms.Textarea(attrs={"rows": 5}),
                required=False,
            )
        for field in self.fields.values():
            field.is_need_unsaid = True  # type: ignore[attr-defined]  # what is needed depends on the button

    def clean(self) -> dict[str, Any]:
        """Who sends a version back says why: an empty sentence is marked where it is to be written."""
        said = super().clean() or {}
        reason = f"{self.act}_reason"
        if self.act in SEND_BACK and reason not in self.errors and not said[reason].strip():
            self.add_error(reason, forms.ValidationError(NO_SENTENCE, code="reason_needed"))
        return said

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The checklist as the page shows it."""
        return [
            {"item": item, "answer": self[f"answer_{item.id}"], "note": self[f"note_{item.id}"]} for item in self.items
        ]

    @property
    def request_changes_fields(self) -> list[Any]:
        return [self["request_changes_code"], self["request_changes_reason"]]

    @property
    def refuse_fields(self) -> list[Any]:
        return [self["refuse_code"], self["refuse_reason"]]

    def answers(self) -> dict[str, dict[str, str]]:
        """What was answered, as the commands take it."""
        said = self.cleaned_data
        return {
            item.id: {"answer": said[f"answer_{item.id}"], "note": said[f"note_{item.id}"]}
            for item in self.items
            if said[f"answer_{item.id}"]
        }

    def reason(self, act: str) -> dict[str, str]:
        """Why it is sent back."""
        return {"reason_code": self.cleaned_data[f"{act}_code"], "reason": self.cleaned_data[f"{act}_reason"]}


class QuestionForm(forms.Form):
    """A question to the seller about one field."""

    field = forms.ChoiceField(label=_("About"), choices=list(FIELD_LABELS.items()))
    question = forms.CharField(
        label=_("Question to the seller"),
        max_length=LONGEST_TEXT_CHARACTERS,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("The target stands still until it is answered."),
    )


class NoteForm(forms.Form):
    """A note for colleagues."""

    text = forms.CharField(
        label=_("Note"),
        max_length=LONGEST_TEXT_CHARACTERS,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Colleagues read it, the seller never does."),
    )


class AnswerForm(forms.Form):
    """The seller's answer."""

    answer = forms.CharField(
        label=_("Your answer"), max_length=LONGEST_TEXT_CHARACTERS, widget=forms.Textarea(attrs={"rows": 3})
    )
