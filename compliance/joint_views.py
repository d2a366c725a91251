"""The page of joint merchants: name members, consent for one's organisation, take a member out."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from compliance import joint_members
from marketplace import joint_merchants, roles
from marketplace.errors import Refused
from marketplace.forms import add_refusal
from marketplace.models import JointMember, Organisation
from marketplace.participants import acting_organisation
from marketplace.signed_in import person


class JointMemberForm(forms.Form):
    """The organisation to be named as a member."""

    public_id = forms.CharField(
        label=gettext_lazy("Public id of the organisation"),
        max_length=20,
        help_text=gettext_lazy("Its members see it on their page “Organisation”."),
    )


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def members(request: HttpRequest) -> HttpResponse:
    """The joint merchants this organisation is or belongs to, what waits for consent, and the form to name another."""
    organisation = acting_organisation(request)
    roles.require(person(request), organisation, "apply")
    form = JointMemberForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            joint_members.name(organisation, form.cleaned_data["public_id"], by=person(request))
        except Refused as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, _("The organisation is named. One of its owners has to consent."))
            return redirect("joint_members")
    context = {
        "organisation": organisation,
        "is_joint": joint_merchants.is_joint(organisation),
        "joint_rows": [{"row": row, "acts": _acts(row, organisation)} for row in joint_members.of(organisation)],
        "form": form,
    }
    return render(request, "compliance/joint.html", context, status=422 if form.errors else 200)


def _acts(row: JointMember, organisation: Organisation) -> list[dict[str, str]]:
    """Consent, and take out; the command refuses the latter once the exchange has verified the joint merchant."""
    consents = row.member_id == organisation.pk and row.consented_at is None
    out = {"label": _("Decline") if consents else _("Take out"), "url": reverse("joint_withdrawal", args=[row.pk])}
    ask = _("Sell jointly as %(joint)s?") % {"joint": row.joint}
    url = reverse("joint_consent", args=[row.pk])
    return [*([{"label": _("Consent"), "url": url, "confirm": ask, "tone": "primary"}] if consents else []), out]


@login_required
@require_POST
def consent(request: HttpRequest, row_id: int) -> HttpResponse:
    """Consent for the organisation acted for."""
    joint_members.consent(_own(request, row_id, "member"), by=person(request))
    messages.success(request, _("Your organisation has consented."))
    return redirect("joint_members")


@login_required
@require_POST
def withdrawal(request: HttpRequest, row_id: int) -> HttpResponse:
    """Decline, withdraw the consent, or take out a member one named."""
    joint_members.withdraw(_own(request, row_id, "member", "joint"), by=person(request))
    messages.success(request, _("The member was taken out."))
    return redirect("joint_members")


def _own(request: HttpRequest, row_id: int, *sides: str) -> JointMember:
    organisation = acting_organisation(request)
    found = get_object_or_404(joint_members.of(organisation), pk=row_id)
    if not any(getattr(found, side) == organisation for side in sides):
        raise Http404
    return found
