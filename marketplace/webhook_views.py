"""The pages of an organisation's webhooks: the addresses, each with its secret, its switch and its log."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from marketplace import clock, roles, webhook_kinds, webhooks
from marketplace.errors import Refused
from marketplace.forms import add_refusal
from marketplace.models import Organisation, WebhookDelivery, WebhookEndpoint
from marketplace.participants import acting_organisation
from marketplace.signed_in import person

ROWS_ON_A_PAGE = 25
REPLAYED_DAYS = 30


class WebhookForm(forms.Form):
    """Where events go, and which."""

    url = forms.CharField(
        label=gettext_lazy("Address"),
        max_length=500,
        widget=forms.URLInput(attrs={"placeholder": "https://example.com/webhooks", "inputmode": "url"}),
        help_text=gettext_lazy("An https address of your own server, on the public Internet."),
    )
    description = forms.CharField(label=gettext_lazy("What it is for"), max_length=200, required=False)
    kinds = forms.MultipleChoiceField(
        label=gettext_lazy("Events"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("None chosen: all, and those to come."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["kinds"].choices = [  # type: ignore[attr-defined]
            (kind.code, f"{kind.label} · {kind.code}") for kind in webhook_kinds.kinds()
        ]


def _own(request: HttpRequest) -> Organisation:
    """The organisation acted for. Raises RoleNeeded for whoever may not see its webhooks."""
    organisation = acting_organisation(request)
    roles.require(person(request), organisation, webhooks.ACT)
    return organisation


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def webhook_list(request: HttpRequest) -> HttpResponse:
    """The organisation's webhooks; a new one's secret is shown once, on the answer that made it."""
    organisation = _own(request)
    form = WebhookForm(request.POST or None)
    secret, made, status = "", None, 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                made, secret = webhooks.create(organisation, by=person(request), **form.cleaned_data)
                form, status = WebhookForm(), 201
            except Refused as refusal:
                add_refusal(form, refusal)
    context = {
        "organisation": organisation,
        "endpoints": WebhookEndpoint.objects.visible_to(organisation).order_by("pk"),
        "form": form,
        "secret": secret,
        "made": made,
        "most": webhooks.MOST_ENDPOINTS,
    }
    return render(request, "marketplace/webhooks.html", context, status=status)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def webhook(request: HttpRequest, endpoint_id: int) -> HttpResponse:
    """One webhook: its facts, its log, and the form to change it."""
    organisation = _own(request)
    endpoint = get_object_or_404(WebhookEndpoint.objects.visible_to(organisation), pk=endpoint_id)
    initial = {"url": endpoint.url, "description": endpoint.description, "kinds": endpoint.kinds}
    form = WebhookForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            is_paused = endpoint.stopped_at is not None
            webhooks.change(endpoint, is_paused=is_paused, by=person(request), **form.cleaned_data)
        except Refused as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, _("The webhook was changed."))
            return redirect("webhook", endpoint.pk)
    return _page(request, endpoint, form, status=422 if form.errors else 200)


def _page(
    request: HttpRequest, endpoint: WebhookEndpoint, form: WebhookForm, *, secret: str = "", status: int = 200
) -> HttpResponse:
    rows = WebhookDelivery.objects.filter(endpoint__organisation=endpoint.organisation_id, endpoint=endpoint)
    log = Paginator(rows.select_related("message").prefetch_related("attempts").order_by("-pk"), ROWS_ON_A_PAGE)
    context = {
        "endpoint": endpoint,
        "form": form,
        "secret": secret,
        "page": log.get_page(request.GET.get("page")),
        "figures": webhooks.figures(endpoint),
        "labels": {kind.code: kind.label for kind in webhook_kinds.kinds()},
        "chosen": [kind for kind in webhook_kinds.kinds() if kind.code in endpoint.kinds],
        "has_two_secrets": endpoint.former_until is not None and endpoint.former_until > clock.now(),
    }
    return render(request, "marketplace/webhook.html", context, status=status)


@login_required
@require_POST
@never_cache
def webhook_act(request: HttpRequest, endpoint_id: int, act: str) -> HttpResponse:
    """Rotate the secret, test, pause, resume, remove, or send again what failed."""
    organisation = _own(request)
    endpoint = get_object_or_404(WebhookEndpoint.objects.visible_to(organisation), pk=endpoint_id)
    by = person(request)
    kept: dict[str, Any] = {"url": endpoint.url, "description": endpoint.description, "kinds": endpoint.kinds}
    if act == "rotation":
        endpoint, secret = webhooks.rotate_secret(endpoint, by=by)
        return _page(request, endpoint, WebhookForm(initial=kept), secret=secret, status=201)
    if act == "test":
        webhooks.send_test(endpoint, by=by)
        messages.success(request, _("A test event is on its way. Its answer shows in the log in a moment."))
    elif act in ("pause", "resumption"):
        webhooks.change(endpoint, **kept, is_paused=act == "pause", by=by)
        messages.success(request, _("The webhook is paused.") if act == "pause" else _("The webhook runs again."))
    elif act == "replay":
        since = clock.now() - dt.timedelta(days=REPLAYED_DAYS)
        count = webhooks.replay_failed(endpoint, since=since, by=by)
        messages.success(request, _("Events sent again: %(count)s") % {"count": count})
    elif act == "removal":
        webhooks.remove(endpoint, by=by)
        messages.success(request, _("The webhook was removed."))
        return redirect("webhooks")
    else:
        raise Http404
    return redirect("webhook", endpoint.pk)


@login_required
@require_POST
def webhook_replay(request: HttpRequest, endpoint_id: int, delivery_id: int) -> HttpResponse:
    """Send one event again."""
    organisation = _own(request)
    endpoint = get_object_or_404(WebhookEndpoint.objects.visible_to(organisation), pk=endpoint_id)
    rows = WebhookDelivery.objects.filter(endpoint__organisation=organisation, endpoint=endpoint)
    webhooks.replay(get_object_or_404(rows, pk=delivery_id), by=person(request))
    messages.success(request, _("The event is sent again."))
    return redirect("webhook", endpoint.pk)
