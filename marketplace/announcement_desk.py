"""The desk of announcements: what stands, what was said before and why, writing one and withdrawing one."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from marketplace import announcements, clock, posted, roles
from marketplace.announcements import HTML, LANGUAGES, LONGEST_TEXT, LONGEST_TITLE, LONGEST_WHY
from marketplace.desk_pages import ROWS_ON_A_PAGE, act_button, acted, desk, parsed, render_desk
from marketplace.errors import Refused
from marketplace.forms import add_refusal
from marketplace.models import Announcement
from marketplace.signed_in import person

NAMES = {"en": "English", "zh-hans": "简体中文", "zh-hant": "繁體中文"}
MOMENT = "%Y-%m-%dT%H:%M"


class AnnouncementForm(forms.Form):
    """What is announced: a title and a text in each language, to whom, how urgent, from when until when, and why."""

    kind = forms.ChoiceField(label=gettext_lazy("Kind"), choices=Announcement.Kind.choices)
    severity = forms.ChoiceField(label=gettext_lazy("Severity"), choices=Announcement.Severity.choices)
    audience = forms.ChoiceField(label=gettext_lazy("Audience"), choices=Announcement.Audience.choices)
    starts_at = forms.DateTimeField(
        label=gettext_lazy("Shown from"), widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format=MOMENT)
    )
    ends_at = forms.DateTimeField(
        label=gettext_lazy("Shown until"), widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format=MOMENT)
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for code in LANGUAGES:
            lang = {"lang": HTML[code]}
            self.fields[f"title_{code}"] = forms.CharField(
                label=_("Title, %(language)s") % {"language": NAMES[code]},
                max_length=LONGEST_TITLE,
                required=False,
                widget=forms.TextInput(attrs=lang),
            )
            self.fields[f"text_{code}"] = forms.CharField(
                label=_("Text, %(language)s") % {"language": NAMES[code]},
                max_length=LONGEST_TEXT,
                required=False,
                widget=forms.Textarea(attrs=lang | {"rows": 3}),
            )
        self.fields["why"] = forms.CharField(
            label=_("Why, for the history"), max_length=LONGEST_WHY, widget=forms.Textarea(attrs={"rows": 2})
        )

    def said(self) -> dict[str, Any]:
        """What the command takes."""
        given = dict(self.cleaned_data)
        titles = {code: given.pop(f"title_{code}") for code in LANGUAGES}
        texts = {code: given.pop(f"text_{code}") for code in LANGUAGES}
        return {"titles": titles, "texts": texts, **given}


class WithdrawalForm(forms.Form):
    """Why an announcement is withdrawn."""

    why = forms.CharField(
        label=gettext_lazy("Why, for the history"), max_length=LONGEST_WHY, widget=forms.Textarea(attrs={"rows": 2})
    )


@desk("announcements")
@require_http_methods(["GET", "HEAD", "POST"])
def announcements_desk(request: HttpRequest) -> HttpResponse:
    """All announcements, the newest first; and for those who may, the form that writes one."""
    by = person(request)
    may_announce = roles.staff_may(by, "announce")
    form = AnnouncementForm(request.POST or None, initial={"starts_at": clock.now().replace(second=0, microsecond=0)})
    if request.method == "POST":
        roles.require_staff(by, "announce")
        if form.is_valid():
            try:
                back = reverse("desk_announcements")
                return acted(
                    request, lambda: announcements.write(by=by, **form.said()), done=_("It is announced."), back=back
                )
            except Refused as refusal:
                add_refusal(form, refusal)
    rows = Announcement.objects.select_related("written_by", "withdrawn_by").order_by("-pk")
    page = Paginator(rows, ROWS_ON_A_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "rows": [_shown(row, may_announce) for row in page],
        "form": form if may_announce else None,
        "is_open": bool(form.errors),
        "key": posted.new_key(),
    }
    answer = render_desk(request, "announcements", "admin/desks/announcements.html", context)
    answer.status_code = 422 if form.errors else 200
    return answer


def _shown(row: Announcement, may_announce: bool) -> dict[str, Any]:
    now = clock.now()
    if row.withdrawn_at:
        state, label = "withdrawn", _("Withdrawn")
    elif row.ends_at <= now:
        state, label = "past", _("Over")
    elif row.starts_at > now:
        state, label = "to_come", _("To come")
    else:
        state, label = "shown", _("Shown now")
    acts = []
    if may_announce and state in ("shown", "to_come"):
        url = reverse("desk_announcement_withdrawal", args=[row.public_id])
        form = WithdrawalForm(auto_id=f"withdraw_{row.pk}_%s")
        acts = [act_button("withdraw", _("Withdraw it"), url, form=form)]
    missing = [NAMES[code] for code in LANGUAGES if code not in row.titles]
    said = announcements.shown(row)
    return {"row": row, "said": said, "state": state, "label": label, "acts": acts, "missing": missing}


@desk("announcements")
@require_POST
def withdrawal(request: HttpRequest, public_id: str) -> HttpResponse:
    """Take one from the pages."""
    found, by = get_object_or_404(Announcement, public_id=public_id), person(request)
    roles.require_staff(by, "announce")
    said = parsed(WithdrawalForm(request.POST))
    back = reverse("desk_announcements")
    return acted(request, lambda: announcements.withdraw(found, by=by, **said), done=_("It is withdrawn."), back=back)
