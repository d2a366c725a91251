"""The desk of payments, its bank: statements come in here, files of payments go out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from marketplace import roles
from marketplace.bells import ring
from marketplace.desk_pages import ROWS_ON_A_PAGE, act_button, acted, desk, parsed, render_desk
from marketplace.models import User
from marketplace.money import Money
from marketplace.signed_in import person
from settlement import tasks
from settlement.bank import accounts, payment_files, reports
from settlement.bank.entries import WHY_LEFT_OUT
from settlement.forms import BankReportForm
from settlement.models import BankEntry, BankFile, BankReport

SHOWN_FILES = 10
WHY: dict[str, Any] = WHY_LEFT_OUT | {
    "unknown_instruction": gettext_lazy("It answers no instruction of ours."),
}
DONE: Promise = gettext_lazy("The file was taken; each entry says what it means.")
TONES = {"payment": "good", "unknown": "wait", "returned": "wait"}


@desk("payments")
@require_safe
def bank(request: HttpRequest) -> HttpResponse:
    """What came from the bank, newest first; what waits to be sent, and the newest files of payments."""
    rows = BankReport.objects.defer("body").select_related("by").order_by("-pk")
    page = Paginator(rows, ROWS_ON_A_PAGE).get_page(request.GET.get("page"))
    files = BankFile.objects.defer("body").select_related("by").order_by("-pk")[:SHOWN_FILES]
    context = {
        "accounts": list(accounts.ours().values()),
        "acts": _acts(person(request)),
        "page": page,
        "rows": [(report, len(report.refused)) for report in page.object_list],
        "waiting": _waiting(person(request)),
        "files": [(file, Money(file.sum_minor, file.currency)) for file in files],
    }
    return render_desk(request, "payments", "admin/desks/bank.html", context)


def _acts(by: User) -> list[dict[str, Any]]:
    if not roles.staff_may(by, "match_payment") or not accounts.ours():
        return []
    form = BankReportForm(auto_id="report_%s")
    return [act_button("take", _("Bring in a file of the bank"), reverse("desk_bank_act"), form=form, tone="primary")]


def _waiting(by: User) -> list[tuple[Any, Money, list[dict[str, Any]]]]:
    may = roles.staff_may(by, "match_payment")
    return [
        (
            one["number"],
            Money(one["sum_minor"], one["currency"]),
            [
                act_button(
                    "make_file",
                    _("Make the file in %(currency)s") % {"currency": one["currency"]},
                    reverse("desk_bank_act"),
                    fields={"currency": one["currency"]},
                )
            ]
            if may
            else [],
        )
        for one in payment_files.waiting_by_currency()
    ]


@desk("payments")
@require_safe
def report(request: HttpRequest, report_id: int) -> HttpResponse:
    """One file of the bank: what was left out and why, and what each entry means."""
    found = get_object_or_404(BankReport.objects.defer("body").select_related("by"), pk=report_id)
    entries = found.entries.select_related("payment__trade", "instruction").order_by("pk")
    page = Paginator(entries, ROWS_ON_A_PAGE).get_page(request.GET.get("page"))
    context = {
        "report": found,
        "refused": [one | {"why": WHY.get(one["code"], one["code"])} for one in found.refused[:ROWS_ON_A_PAGE]],
        "more_refused": max(0, len(found.refused) - ROWS_ON_A_PAGE),
        "page": page,
        "rows": [(entry, _moved(entry), TONES.get(entry.reading, "")) for entry in page.object_list],
        "counts": [
            (BankEntry.Reading(reading).label, number)
            for reading, number in found.entries.order_by("reading").values_list("reading").annotate(Count("pk"))
        ],
    }
    return render_desk(request, "payments", "admin/desks/bank_report.html", context)


def _moved(entry: BankEntry) -> Money:
    return Money(entry.amount_minor if entry.is_credit else -entry.amount_minor, entry.currency)


@desk("payments")
@require_safe
def report_file(request: HttpRequest, report_id: int) -> HttpResponse:
    """The bank's file, as it came."""
    found = get_object_or_404(BankReport, pk=report_id)
    ending = "csv" if found.form == BankReport.Form.CSV else "xml"
    return _attached(bytes(found.body), f"{found.form}-{found.pk}.{ending}")


@desk("payments")
@require_safe
def payment_file(request: HttpRequest, file_id: int) -> HttpResponse:
    """A file of payments: the same bytes each time."""
    found = get_object_or_404(BankFile, pk=file_id)
    return _attached(bytes(found.body), f"{found.message_id}.xml")


def _attached(body: bytes, name: str) -> HttpResponse:
    """To be saved, never shown: it is not ours to trust."""
    answer = HttpResponse(body, content_type="application/octet-stream")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


@desk("payments")
@require_POST
def bank_act(request: HttpRequest) -> HttpResponse:
    """Bring a file in, or make one; through the commands."""
    act, by, back = request.POST.get("act", ""), person(request), reverse("desk_bank")
    if act == "make_file":
        currency = request.POST.get("currency", "")
        done = _("The file is made; it stands below.")
        return acted(request, lambda: payment_files.make(currency, by=by), done=done, back=back)
    if act == "take":
        said = parsed(BankReportForm(request.POST, request.FILES))
        answer = acted(request, _taking(said, by), done=DONE, back=back)
        ring(tasks.read_notices)
        return answer
    raise Http404


def _taking(said: dict[str, Any], by: User) -> Callable[[], BankReport]:
    """The command for a file of this form. Raises TooLarge before anything is read."""
    file = said["file"]
    if file.size > reports.MOST_BYTES:
        raise reports.TooLarge()
    body, name = file.read(), file.name
    if said["form"] == BankReport.Form.CSV:
        currency = said["currency"] or next(iter(settings.BANK_ACCOUNTS), "")
        return lambda: reports.take_csv(body, currency=currency, columns=said["columns"], name=name, by=by)
    take = reports.take_pain002 if said["form"] == BankReport.Form.PAIN002 else reports.take_camt053
    return lambda: take(body, name=name, by=by)
