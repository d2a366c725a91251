"""The pages of compliance for members: one's organisation and its standing, the rules, handing in a version."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe
from markdown_it import MarkdownIt

from compliance import clearance, exchange_rules, joint_members, review_questions, reviews, tiers
from compliance.dossier_views import last_decision, may_apply
from compliance.models import Review, Verification
from compliance.review_forms import AnswerForm
from compliance.states import VerificationState
from listings.models import Listing
from marketplace import joint_merchants, roles
from marketplace.desk_pages import parsed
from marketplace.models import Organisation
from marketplace.participants import acting_organisation
from marketplace.regions import COUNTRY_NAMES, REGION_NAMES


@login_required
@require_safe
def organisation(request: HttpRequest) -> HttpResponse:
    """The organisation acted for: its standing with the exchange, why not yet and what next, its facts and people."""
    acting = acting_organisation(request)
    standing = Verification.objects.filter(organisation=acting).first()
    context = {
        "organisation": acting,
        "country": COUNTRY_NAMES.get(acting.country, acting.country),
        "region": REGION_NAMES.get(acting.region, acting.region),
        "kinds": [Organisation.Kind(kind).label for kind in acting.kinds],
        "standing": standing,
        "is_verified": standing is not None and standing.state == VerificationState.VERIFIED,
        "reasons": clearance.reasons_against_listing(acting),
        "last_decision": last_decision(standing),
        "decisions": standing.decisions.filter(decided_at__isnull=False) if standing else [],
        "acceptances": acting.rules_acceptances.select_related("by").order_by("-pk"),
        "may_apply": may_apply(standing) and roles.may(request.user, acting, "apply"),
        "tier": tiers.tier_of(acting),
        "may_tell": roles.may(request.user, acting, "apply"),
        "may_change_facts": not may_apply(standing) and roles.may(request.user, acting, "apply"),
        "joint_rows": [{"row": row} for row in joint_members.of(acting)],
        "is_joint": joint_merchants.is_joint(acting),
        "people": acting.memberships.filter(ended_at=None).select_related("user").order_by("pk"),
    }
    return render(request, "compliance/organisation.html", context)


@require_safe
def rules(request: HttpRequest, version: str = exchange_rules.CURRENT_VERSION) -> HttpResponse:
    """The rules of the exchange, in the reader's language; older versions stay readable."""
    try:
        text = exchange_rules.text(version)
    except exchange_rules.NoSuchVersion as unknown:
        raise Http404 from unknown
    title, _line, body = text.partition("\n")
    html = MarkdownIt("commonmark", {"html": False}).render(body)
    context = {
        "title": title.removeprefix("# "),
        "text": mark_safe(html),  # noqa: S308  our own text, and HTML in it is escaped
        "version": version,
        "digest": exchange_rules.digest(version),
        "versions": exchange_rules.versions(),
        "is_current": version == exchange_rules.CURRENT_VERSION,
    }
    return render(request, "compliance/rules.html", context)


@login_required
@require_POST
def submission(request: HttpRequest, public_id: str, number: int) -> HttpResponse:
    """Hand a version in for review; a refusal names everything that is missing."""
    listing = get_object_or_404(Listing.objects.sold_by(acting_organisation(request)), public_id=public_id)
    version = get_object_or_404(listing.versions.select_related("listing__seller"), number=number)
    url = request.POST.get("next", "")
    reviews.submit(version, by=request.user)
    messages.success(request, _("Version %s is with the reviewers.") % number)
    is_ours = url_has_allowed_host_and_scheme(url, {request.get_host()}, require_https=request.is_secure())
    return redirect(url if is_ours else "studio")


def _own_review(request: HttpRequest, public_id: str, number: int) -> Review:
    listing = get_object_or_404(Listing.objects.sold_by(acting_organisation(request)), public_id=public_id)
    version = get_object_or_404(listing.versions, number=number)
    return get_object_or_404(Review.objects.filter(version=version).select_related("version__listing__seller"))


@login_required
@require_POST
def taking_back(request: HttpRequest, public_id: str, number: int) -> HttpResponse:
    """Take a version out of review."""
    reviews.take_back(_own_review(request, public_id, number), by=request.user)
    messages.success(request, _("The version was taken back. Open a draft to go on."))
    return redirect("studio_product", public_id)


@login_required
@require_POST
def question_answer(request: HttpRequest, public_id: str, number: int, question_id: int) -> HttpResponse:
    """Answer a question of the reviewers, at the field it is about."""
    review = _own_review(request, public_id, number)
    question = get_object_or_404(review.questions.select_related("review__version__listing__seller"), pk=question_id)
    review_questions.answer(question, by=request.user, **parsed(AnswerForm(request.POST)))
    messages.success(request, _("Your answer is with the reviewers."))
    return redirect("studio_version", public_id, number)
