"""The members' pages: for whom one acts, members and invitations, tokens, and the letters of development."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from marketplace import letters, participants, roles, tokens
from marketplace.act_words import ACTS
from marketplace.errors import Refused
from marketplace.forms import InvitationForm, RoleForm, TokenForm, add_refusal
from marketplace.models import AccessToken, Invitation, Membership, Organisation
from marketplace.participants import acting_organisation, own_organisation


@login_required
@require_POST
def act_for(request: HttpRequest) -> HttpResponse:
    """Act for another of one's organisations from now on."""
    organisation = own_organisation(request, request.POST.get("organisation", ""))
    participants.act_for(request, organisation)
    url = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(url, {request.get_host()}, require_https=request.is_secure())
    return redirect(url if is_ours else "/")


# --- members -------------------------------------------------------------------------------------------------------


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def members(request: HttpRequest) -> HttpResponse:
    """Who belongs to the organisation, who is invited; and for owners, the form to invite."""
    organisation = acting_organisation(request)
    form = InvitationForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            invitation, secret = participants.invite(organisation, by=request.user, **form.cleaned_data)
        except Refused as refusal:
            add_refusal(form, refusal)
        else:
            letters.send_invitation(invitation, secret)
            messages.success(request, _("A letter is on its way to %s.") % invitation.email)
            return redirect("members")
    may_manage = roles.may(request.user, organisation, "manage_members")
    context = {
        "organisation": organisation,
        "members": _members_with_acts(organisation, may_manage),
        "invitations": organisation.invitations.filter(accepted_at=None, withdrawn_at=None).order_by("-pk"),
        "form": form if may_manage else None,
        "role_table": _role_table(),
    }
    status = 422 if form.errors else 200
    return render(request, "marketplace/members.html", context, status=status)


def _members_with_acts(organisation: Organisation, may_manage: bool) -> list[dict[str, object]]:
    rows = organisation.memberships.filter(ended_at=None).select_related("user").order_by("pk")
    return [
        {
            "membership": membership,
            "role_form": RoleForm(initial={"role": membership.role}, auto_id=f"role_{membership.pk}_%s")
            if may_manage
            else None,
        }
        for membership in rows
    ]


def _role_table() -> list[dict[str, object]]:
    """Which role may do which act, from the one table."""
    return [
        {"act": ACTS[act], "roles": [role.label for role in roles.Role if role in allowed]}
        for act, allowed in roles.MEMBER_ACTS.items()
    ]


@login_required
@require_POST
def member_role(request: HttpRequest, membership_id: int) -> HttpResponse:
    """Give a member another role."""
    membership = _own_membership(request, membership_id)
    participants.change_role(membership, request.POST.get("role", ""), by=request.user)
    messages.success(request, _("The role of %s was changed.") % membership.user)
    return redirect("members")


@login_required
@require_POST
def member_departure(request: HttpRequest, membership_id: int) -> HttpResponse:
    """End a membership, one's own included."""
    membership = _own_membership(request, membership_id)
    participants.end_membership(membership, by=request.user)
    messages.success(request, _("%s no longer belongs to the organisation.") % membership.user)
    return redirect("members" if membership.user_id != request.user.pk else "/")


def _own_membership(request: HttpRequest, membership_id: int) -> Membership:
    rows = Membership.objects.filter(organisation=acting_organisation(request)).select_related("user", "organisation")
    return get_object_or_404(rows, pk=membership_id)


@login_required
@require_POST
def invitation_withdrawal(request: HttpRequest, invitation_id: int) -> HttpResponse:
    """Withdraw an open invitation."""
    rows = Invitation.objects.filter(organisation=acting_organisation(request))
    participants.withdraw_invitation(get_object_or_404(rows, pk=invitation_id), by=request.user)
    messages.success(request, _("The invitation was withdrawn."))
    return redirect("members")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def join(request: HttpRequest, secret: str) -> HttpResponse:
    """The link of an invitation: asks once, then joins."""
    if request.method == "POST":
        membership = participants.accept_invitation(secret, by=request.user)
        participants.act_for(request, membership.organisation)
        messages.success(request, _("You now belong to %s.") % membership.organisation)
        return redirect("members")
    return render(request, "marketplace/join.html", {"invitation": participants.invitation_of(secret)})


# --- tokens --------------------------------------------------------------------------------------------------------


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def token_list(request: HttpRequest) -> HttpResponse:
    """One's keys for scripts; a new one's secret is shown once, on the answer that made it."""
    organisation = participants.acting_or_none(request)
    form = TokenForm(request.POST or None, user=request.user)
    secret, status = "", 200
    if request.method == "POST":
        secret = _create_token(request, form, organisation)
        status = 201 if secret else 422
    context = {
        "form": form if not secret else TokenForm(user=request.user),
        "secret": secret,
        "tokens": AccessToken.objects.visible_to(request.user, organisation),
        "organisation": organisation,
        "scopes": tokens.SCOPES,
    }
    return render(request, "marketplace/tokens.html", context, status=status)


def _create_token(request: HttpRequest, form: TokenForm, organisation: Organisation | None) -> str:
    """The secret of the new token, or nothing when the form says why not."""
    if not form.is_valid():
        return ""
    try:
        _token, secret = tokens.create_token(
            user=request.user,
            organisation=organisation if form.cleaned_data["is_for_organisation"] else None,
            name=form.cleaned_data["name"],
            scopes=form.cleaned_data["scopes"],
            lapses_at=form.lapses_at(),
            by=request.user,
        )
    except Refused as refusal:
        add_refusal(form, refusal)
        return ""
    return secret


@login_required
@require_POST
def token_revocation(request: HttpRequest, token_id: int) -> HttpResponse:
    """Revoke a key."""
    rows = AccessToken.objects.visible_to(request.user, participants.acting_or_none(request))
    tokens.revoke(get_object_or_404(rows, pk=token_id), by=request.user)
    messages.success(request, _("The token was revoked; scripts that use it are refused from now on."))
    return redirect("tokens")


# --- development ---------------------------------------------------------------------------------------------------


@require_safe
def letter_list(request: HttpRequest) -> HttpResponse:
    """The letters the exchange wrote; in development only, where they go into files instead of to people.

    They hold links that open accounts, so only this machine may read them.
    """
    if not settings.DEBUG or request.META["REMOTE_ADDR"] not in ("127.0.0.1", "::1"):
        raise Http404
    return render(request, "marketplace/letters.html", {"letters": letters.kept_letters()})
