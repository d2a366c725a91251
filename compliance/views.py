"""The pages of compliance for members: apply, one's organisation and its standing, the rules, handing in a version."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from markdown_it import MarkdownIt

from compliance import clearance, exchange_rules, review_questions, reviews, verification
from compliance.forms import ApplicationForm
from compliance.models import Decision, Review, Verification
from compliance.review_forms import AnswerForm
from compliance.states import VERIFICATION_MOVES, VerificationState
from listings.models import Listing
from marketplace import participants, roles
from marketplace.desk_pages import parsed
from marketplace.errors import Refused
from marketplace.forms import add_refusal
from marketplace.models import Organisation
from marketplace.organisation_facts import FIELDS
from marketplace.participants import acting_organisation
from marketplace.regions import COUNTRY_NAMES, REGION_NAMES


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def apply(request: HttpRequest) -> HttpResponse:
    """One page to apply: what the organisation is, and its acceptance of the rules.

    Somebody without an organisation (or with `?new=1`) registers one by the same form; somebody asked for more
    corrects and applies again.
    """
    organisation = None if "new" in request.GET else participants.acting_or_none(request)
    standing = _verification(organisation) if organisation else None
    if organisation and not _may_apply(standing):
        return redirect("organisation")
    known = {field: getattr(organisation, field) for field in FIELDS} if organisation else None
    form = ApplicationForm(request.POST or None, initial=known)
    if request.method == "POST" and form.is_valid():
        try:
            organisation = _apply(request, form, organisation)
        except Refused as refusal:
            add_refusal(form, refusal)
        else:
            participants.act_for(request, organisation)
            messages.success(request, _("Your application is with the exchange."))
            return redirect("organisation")
    context = {"form": form, "organisation": organisation, "asked": _last_decision(standing)}
    return render(request, "compliance/apply.html", context, status=422 if form.errors else 200)


@transaction.atomic
def _apply(request: HttpRequest, form: ApplicationForm, organisation: Organisation | None) -> Organisation:
    """Register or correct, then apply: both or neither."""
    facts = form.facts()
    if organisation is None:
        organisation = participants.register_organisation(by=request.user, **facts)
    else:
        organisation = verification.correct(organisation, by=request.user, **facts)
    verification.apply(organisation, rules_version=form.cleaned_data["rules_version"], by=request.user)
    return organisation


def _verification(organisation: Organisation) -> Verification | None:
    return Verification.objects.filter(organisation=organisation).first()


def _may_apply(standing: Verification | None) -> bool:
    return standing is None or "apply" in VERIFICATION_MOVES[standing.state]


def _last_decision(standing: Verification | None) -> Decision | None:
    """The exchange's last word on the organisation; what waits for a second person is not its word yet."""
    return standing.decisions.filter(decided_at__isnull=False).first() if standing else None


@login_required
@require_safe
def organisation(request: HttpRequest) -> HttpResponse:
    """The organisation acted for: its standing with the exchange, why not yet and what next, its facts and people."""
    acting = acting_organisation(request)
    standing = _verification(acting)
    context = {
        "organisation": acting,
        "country": COUNTRY_NAMES.get(acting.country, acting.country),
        "region": REGION_NAMES.get(acting.region, acting.region),
        "kinds": [Organisation.Kind(kind).label for kind in acting.kinds],
        "standing": standing,
        "is_verified": standing is not None and standing.state == VerificationState.VERIFIED,
        "reasons": clearance.reasons_against_listing(acting),
        "last_decision": _last_decision(standing),
        "decisions": standing.decisions.filter(decided_at__isnull=False) if standing else [],
        "acceptances": acting.rules_acceptances.select_related("by").order_by("-pk"),
        "may_apply": _may_apply(standing) and roles.may(request.user, acting, "apply"),
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
