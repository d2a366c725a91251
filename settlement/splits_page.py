"""How a product's revenue is shared, for its seller; and what others' products bring, for those who get a share."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.forms.formsets import BaseFormSet, formset_factory
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from listings import product_page, studio
from listings.models import Listing
from marketplace import posted, reauthentication, roles
from marketplace.errors import Refused
from marketplace.forms import add_refusal
from marketplace.models import User
from marketplace.participants import acting_organisation
from marketplace.signed_in import person
from settlement import splits
from settlement.models import RevenueShare, RevenueSplit
from settlement.splits import Kind, Wanted
from settlement.states import SplitState

ON_A_PAGE = 25
FREE_ROWS, MANY_ROWS = 3, 12
SHOWN = 10  # splits of a product

Command = Callable[..., RevenueSplit]
PAYEE_ACTS: dict[str, tuple[Command, Any]] = {
    "agreement": (splits.agree, gettext_lazy("You agreed. It is in force once everybody named has.")),
    "refusal": (splits.decline, gettext_lazy("You declined; the split does not come into force.")),
}


class ShareForm(forms.Form):
    """One share: of what kind, whose, how much."""

    kind = forms.ChoiceField(label=gettext_lazy("Kind"), choices=[("", "–"), *Kind.choices], required=False)
    who = forms.CharField(label=gettext_lazy("Registration number"), max_length=60, required=False)
    percent = forms.DecimalField(
        label=gettext_lazy("Percent"), min_value=0, max_value=100, max_digits=5, decimal_places=2, required=False
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.is_need_unsaid = True  # type: ignore[attr-defined]  # a row may stay empty

    def clean(self) -> dict[str, Any]:
        """`wanted` is the share as the command takes it; none of a row that was left empty."""
        said = super().clean() or {}
        if self.errors or not (said.get("kind") or said.get("who")):
            return said
        who, payee, upstream = said.get("who", ""), None, None
        if said.get("kind") == Kind.UPSTREAM:
            upstream = splits.product_numbered(who)
            if upstream is None:
                self.add_error("who", _("No product here has the number %s.") % who)
        else:
            payee = splits.organisation_numbered(who)
            if payee is None:
                self.add_error("who", _("Nobody here has the number %s.") % who)
        basis_points = int((said.get("percent") or Decimal(0)) * 100)
        said["wanted"] = Wanted(said.get("kind", ""), basis_points, payee, upstream)
        return said


class AllShares(BaseFormSet):  # type: ignore[type-arg]  # its parameter is known to the stubs alone
    """The shares of a split; what speaks against all of them together stands above."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.refusal = forms.Form({})

    @property
    def wanted(self) -> list[Wanted]:
        return [form.cleaned_data["wanted"] for form in self.forms if "wanted" in form.cleaned_data]


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def split(request: HttpRequest, public_id: str) -> HttpResponse:
    """A product's split in force, the one that waits and those before; and laying down another."""
    listing = studio.own_listing(request, public_id)
    roles.require(person(request), listing.seller, "see_money")
    may_split = roles.may(person(request), listing.seller, "split_revenue")
    if request.method == "POST":
        roles.require(person(request), listing.seller, "split_revenue")
        reauthentication.require_fresh(request)
    in_force = splits.in_force(listing)
    begun = _begun(in_force)
    made = formset_factory(
        ShareForm,
        formset=AllShares,
        extra=MANY_ROWS if "more" in request.GET else FREE_ROWS,
        max_num=splits.MOST_SHARES,
        absolute_max=splits.MOST_SHARES,
    )
    rows: Any = made(request.POST or None, initial=begun)
    if request.method == "POST" and rows.is_valid() and _laid_down(request, listing, rows):
        return redirect("studio_split", public_id)
    found = listing.splits.select_related("by").prefetch_related("shares__payee", "shares__upstream__current_version")
    shown = list(found[:SHOWN])
    waiting = next((one for one in shown if one.state == SplitState.PROPOSED), None)
    context = {
        "listing": listing,
        "title": product_page.title_of(listing),
        "splits": [
            {
                "split": one,
                "shares": [
                    {"share": share, **(_product_said(share.upstream) if share.upstream else {})}
                    for share in one.shares.all()
                ],
                "rest": _rest(one),
                "acts": _withdrawing(one, may_split),
            }
            for one in shown
        ],
        "in_force": in_force,
        "rows": rows if may_split and waiting is None else None,
        "has_many_rows": "more" in request.GET,
        "is_fresh": reauthentication.is_fresh(request),
        "key": posted.new_key(),
    }
    return render(request, "settlement/studio_split.html", context, status=422 if request.method == "POST" else 200)


def _product_said(listing: Listing) -> dict[str, str]:
    """The title of a product and its language."""
    version = listing.current_version
    if version is None:
        return {"title": listing.public_id, "title_lang": ""}
    return {"title": version.title, "title_lang": product_page.language_of(version, version.titles)}


def _begun(in_force: RevenueSplit | None) -> list[dict[str, Any]]:
    """The rows as the split in force fills them: whoever has a share is named again."""
    if in_force is None:
        return []
    rows = in_force.shares.filter(basis_points__gt=0).select_related("payee", "upstream__current_version__registration")
    return [{"kind": one.kind, "who": _number(one), "percent": one.percent} for one in rows]


def _number(share: RevenueShare) -> str:
    if share.upstream is None:
        return share.payee.registration_number
    version = share.upstream.current_version
    registration = getattr(version, "registration", None)
    return registration.number if registration else ""


def _rest(one: RevenueSplit) -> str:
    """What remains the seller's, in percent."""
    return f"{(10_000 - sum(share.basis_points for share in one.shares.all())) / 100:g}"


def _withdrawing(one: RevenueSplit, may_split: bool) -> list[dict[str, Any]]:
    if one.state != SplitState.PROPOSED or not may_split:
        return []
    url = reverse("split_act", args=[one.pk, "withdrawal"])
    return [{"label": _("Withdraw"), "url": url, "tone": "danger", "key": posted.new_key()}]


def _laid_down(request: HttpRequest, listing: Listing, rows: Any) -> bool:
    def lay_down() -> int:
        return int(splits.propose(listing, rows.wanted, by=person(request)).pk)

    try:
        posted.posted_once(request, listing.seller, lay_down)
    except Refused as refusal:
        add_refusal(rows.refusal, refusal)
        return False
    messages.success(request, _("The split is laid down. It is in force once everybody named has agreed."))
    return True


@login_required
@require_safe
def shares(request: HttpRequest) -> HttpResponse:
    """What the organisation gets of others' revenue, what waits for its agreement first."""
    organisation = acting_organisation(request)
    roles.require(person(request), organisation, "see_money")
    named = RevenueShare.objects.visible_to(organisation).exclude(
        split__state__in=[SplitState.DECLINED, SplitState.WITHDRAWN]
    )
    named = named.select_related("split__listing__seller", "split__listing__current_version").order_by("-split", "pk")
    page = Paginator(named, ON_A_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "rows": [
            {"share": one, **_product_said(one.split.listing), "acts": _answering(one, person(request))} for one in page
        ],
    }
    return render(request, "settlement/revenue_shares.html", context)


def _answering(share: RevenueShare, by: User) -> list[dict[str, Any]]:
    """Agree or decline, for who may; once for all shares of the split."""
    if share.agreed_at or share.split.state != SplitState.PROPOSED:
        return []
    if not roles.may(by, share.payee, "split_revenue"):
        return []
    labels = {"agreement": _("Agree"), "refusal": _("Decline")}
    return [
        {"label": label, "url": reverse("split_act", args=[share.split_id, act]), "key": posted.new_key()}
        for act, label in labels.items()
    ]


@login_required
@require_POST
def act(request: HttpRequest, split_id: int, act: str) -> HttpResponse:
    """One that is named agrees or declines, or the seller withdraws what waits."""
    organisation, by = acting_organisation(request), person(request)
    if act == "withdrawal":
        found = get_object_or_404(RevenueSplit.objects.filter(listing__seller=organisation), pk=split_id)
        roles.require(by, organisation, "split_revenue")
        posted.posted_once(request, organisation, lambda: splits.withdraw(found, by=by).pk)
        messages.success(request, _("The split is withdrawn."))
        return redirect("studio_split", found.listing.public_id)
    if act not in PAYEE_ACTS:
        raise Http404
    found = get_object_or_404(RevenueSplit.objects.filter(shares__payee=organisation).distinct(), pk=split_id)
    roles.require(by, organisation, "split_revenue")
    command, done = PAYEE_ACTS[act]
    posted.posted_once(request, organisation, lambda: command(found, payee=organisation, by=by).pk)
    messages.success(request, str(done))
    return redirect("revenue_shares")
