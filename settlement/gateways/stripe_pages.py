"""The way to Stripe and back, for who manages a member's payouts. Stripe is asked here, with no transaction open."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from marketplace import reauthentication, roles
from marketplace.models import Organisation
from marketplace.participants import acting_organisation
from marketplace.signed_in import person
from settlement import payout_accounts, stripe_accounts
from settlement.gateways.stripe_members import require_served
from settlement.models import StripeAccount


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def account(request: HttpRequest) -> HttpResponse:
    """POST opens the member's account at Stripe; GET leads to the page there that asks for the member's papers."""
    organisation = _allowed(request)
    if request.method == "POST":
        require_served(organisation)
        if not StripeAccount.objects.filter(organisation=organisation).exists():
            with _asking(request) as stripe:
                reference = stripe.open_account(organisation)
                stripe_accounts.record_opened(organisation, reference, by=person(request))
        return redirect("money")
    found = get_object_or_404(StripeAccount, organisation=organisation)
    to = "money"
    with _asking(request) as stripe:
        to = stripe.page_to_fill_in(found)
    return redirect(to)


@login_required
@require_safe
def back(request: HttpRequest) -> HttpResponse:
    """Who comes back from Stripe: what it says of the account now is kept."""
    found = get_object_or_404(StripeAccount, organisation=_allowed(request))
    with _asking(request) as stripe:
        stripe_accounts.record_standing(found, stripe.standing_of(found.reference))
    return redirect("money")


def _allowed(request: HttpRequest) -> Organisation:
    """The acting organisation, for who manages its payouts and signed in just now where an account serves already."""
    organisation = acting_organisation(request)
    roles.require(person(request), organisation, "manage_payout")
    if "stripe" not in settings.GATEWAYS:
        raise Http404
    if payout_accounts.account_of(organisation) is not None:
        reauthentication.require_fresh(request)
    return organisation


@contextmanager
def _asking(request: HttpRequest) -> Iterator[ModuleType]:
    """Where Stripe refuses or does not answer, the reader is told. Its SDK is loaded by who needs it alone."""
    from settlement.gateways import TryLater, stripe_line, stripe_payees

    try:
        yield stripe_payees
    except TryLater:
        messages.error(request, _("Stripe does not answer. Try again in some minutes."))
    except stripe_line.Declined as refusal:
        messages.error(request, _("Stripe refused: %(reason)s") % {"reason": refusal.reason})
