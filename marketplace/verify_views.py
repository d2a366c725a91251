"""Pages of papers: anyone checks one without an account; their readers find theirs and take them away."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from rest_framework.throttling import BaseThrottle

from marketplace import documents, paper_checks, paper_words
from marketplace.canonical import canonical
from marketplace.errors import Invalid
from marketplace.models import Paper
from marketplace.numbers import NotANumber, normalise
from marketplace.paper_checks import Check, NoSuchPaper, WrongCode
from marketplace.participants import acting_or_none
from marketplace.typesetting import LANGUAGES

ON_A_PAGE = 50
_address = BaseThrottle()


def asker(request: HttpRequest) -> str:
    """The address a request comes from, as the API counts it."""
    return str(_address.get_ident(request))  # type: ignore[arg-type]


# --- for anyone ----------------------------------------------------------------------------------------------------


@require_safe
def verify(request: HttpRequest) -> HttpResponse:
    """Enter a paper's number and, if one has it, its check code."""
    number, code = request.GET.get("number", "").strip(), request.GET.get("code", "").strip()
    if not number:
        return render(request, "marketplace/verify.html", {})
    try:
        return redirect(_verify_url(normalise(number), code))
    except NotANumber as mistake:
        context = {"number": number, "code": code, "problem": Invalid(str(mistake), code="not_a_number")}
        return render(request, "marketplace/verify.html", context, status=422)


def _verify_url(number: str, code: str) -> str:
    url = reverse("verify_paper", args=[number])
    return f"{url}?{urlencode({'code': code})}" if code else url


@require_safe
@never_cache
def verify_paper(request: HttpRequest, number: str) -> HttpResponse:
    """Whether a paper is valid; with its check code, everything it says."""
    code = request.GET.get("code", "")
    try:
        check = paper_checks.look_up(number, code, asker=asker(request))
    except NoSuchPaper as problem:
        return render(request, "marketplace/verify.html", {"number": number, "problem": problem}, status=404)
    if check.paper.number != number:
        return redirect(_verify_url(check.paper.number, code))
    answer = _paper_page(request, check, files=_files("verify", check.paper, code), code=code)
    answer.status_code = WrongCode.status if check.is_code_wrong else 200
    return answer


def _files(route: str, paper: Paper, code: str = "") -> list[dict[str, str]]:
    """Where the paper can be had: as PDF in each language, and as its record."""
    names = {"en": "English", "zh-hans": "简体中文", "zh-hant": "繁體中文"}
    suffix = f"?{urlencode({'code': code})}" if code else ""
    return [
        *(
            {
                "label": f"PDF · {names[language]}",
                "url": reverse(f"{route}_pdf", args=[paper.number, language]) + suffix,
            }
            for language in LANGUAGES
        ),
        {"label": _("Record (JSON)"), "url": reverse(f"{route}_record", args=[paper.number]) + suffix},
    ]


def _paper_page(request: HttpRequest, check: Check, **context: Any) -> HttpResponse:
    paper, language = check.paper, paper_words.language_of(getattr(request, "LANGUAGE_CODE", None))
    shown: dict[str, Any] = {
        "paper": paper,
        "check": check,
        "title": paper_words.title(paper.record, paper.title, language),
        "kind": paper_words.words(language)[f"title_{paper.kind}"],
        "what": paper_words.words(language)[f"opening_{paper.kind}"],
        "annotations": check.annotations(),
        "position": check.position(),
        "sandbox": paper_words.sandbox(paper.kind, language) if paper.is_sandbox else "",
    }
    if check.is_whole:
        shown |= {
            "rows": paper_words.rows(paper.record, language),
            "licence": paper_words.licence(paper.record, language),
            "statement": paper_words.statement(paper.record, language),
            "manifest": paper_words.manifest(paper.record, language),
            "articles": paper_words.articles(paper.record, language),
        }
    answer = render(request, "marketplace/verify_paper.html", shown | context)
    answer["X-Robots-Tag"] = "noindex"
    return answer


def _whole(request: HttpRequest, number: str) -> Check:
    """The paper whose check code came along. Raises NoSuchPaper, WrongCode, TooMany."""
    check = paper_checks.look_up(number, request.GET.get("code", ""), asker=asker(request))
    if not check.is_whole:
        raise WrongCode()
    return check


@require_safe
@never_cache
def verify_pdf(request: HttpRequest, number: str, language: str) -> HttpResponse:
    """The paper as PDF, for whoever holds its check code."""
    check = _whole(request, number)
    paper_checks.require_rendering(asker(request))
    return pdf_answer(check.paper, language)


@require_safe
@never_cache
def verify_record(request: HttpRequest, number: str) -> HttpResponse:
    """The paper's canonical record, whose SHA-256 is its digest, for whoever holds its check code."""
    return record_answer(_whole(request, number).paper)


def pdf_answer(paper: Paper, language: str) -> HttpResponse:
    """The PDF as an answer. Raises NoSuchPaper for a language there is none in."""
    if language not in LANGUAGES:
        raise NoSuchPaper(_("Papers are in %(known)s."), known=", ".join(LANGUAGES))
    answer = HttpResponse(documents.pdf(paper, language=language), content_type="application/pdf")
    answer["Content-Disposition"] = f'inline; filename="{paper.number}-{language}.pdf"'
    answer["X-Robots-Tag"] = "noindex"
    return answer


def record_answer(paper: Paper) -> HttpResponse:
    """The bytes whose SHA-256 is the paper's digest."""
    answer = HttpResponse(canonical(paper.record), content_type="application/json")
    answer["Content-Disposition"] = f'attachment; filename="{paper.number}.json"'
    answer["X-Robots-Tag"] = "noindex"
    return answer


# --- for readers ---------------------------------------------------------------------------------------------------


@login_required
@require_safe
@never_cache
def papers(request: HttpRequest) -> HttpResponse:
    """The papers of the organisation one acts for; for some of the staff, all."""
    kind = request.GET.get("kind", "")
    rows = paper_checks.readable(request.user, acting_or_none(request))  # type: ignore[arg-type]
    if kind in Paper.Kind.values:
        rows = rows.filter(kind=kind)
    page = Paginator(rows, ON_A_PAGE).get_page(request.GET.get("page"))
    language = paper_words.language_of(getattr(request, "LANGUAGE_CODE", None))
    said = paper_words.words(language)
    shown = [
        {
            "check": Check(paper, is_whole=True),
            "title": paper_words.title(paper.record, paper.title, language),
            "kind": said[f"title_{paper.kind}"],
        }
        for paper in page
    ]
    kinds = [{"value": value, "label": said[f"title_{value}"]} for value in Paper.Kind.values]
    context = {"page": page, "shown": shown, "kinds": kinds, "kind": kind}
    return render(request, "marketplace/verify_papers.html", context)


def _own(request: HttpRequest, number: str) -> Check:
    return paper_checks.own(number, request.user, acting_or_none(request))  # type: ignore[arg-type]


@login_required
@require_safe
@never_cache
def paper(request: HttpRequest, number: str) -> HttpResponse:
    """One paper, whole, for its readers."""
    check = _own(request, number)
    return _paper_page(request, check, files=_files("paper", check.paper), is_own=True)


@login_required
@require_safe
@never_cache
def paper_pdf(request: HttpRequest, number: str, language: str) -> HttpResponse:
    """The paper as PDF, for its readers."""
    paper_checks.require_rendering(f"person-{request.user.pk}")
    return pdf_answer(_own(request, number).paper, language)


@login_required
@require_safe
@never_cache
def paper_record(request: HttpRequest, number: str) -> HttpResponse:
    """The paper's canonical record, for its readers."""
    return record_answer(_own(request, number).paper)
