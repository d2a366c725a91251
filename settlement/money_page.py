"""A member's money: where it is, statements with each deduction, payouts, and the account payouts go to."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from listings.product_page import HTML_LANGUAGES, language_of
from marketplace import posted, reauthentication, roles
from marketplace.bells import ring
from marketplace.models import Organisation, Paper, User
from marketplace.money import Money
from marketplace.participants import acting_organisation
from marketplace.regions import COUNTRY_NAMES
from marketplace.signed_in import person
from marketplace.spreadsheets import csv_lines
from marketplace.typesetting import in_language
from settlement import (
    line_taxes,
    member_money,
    movements,
    netting_page,
    payout_accounts,
    payouts,
    reserve_terms,
    reserves,
    statements,
    tasks,
    tax_acts,
    taxes,
    waits,
)
from settlement.forms import PayoutAccountForm
from settlement.gateways import stripe_members
from settlement.models import Payout, PayoutAccount, Statement, StripeAccount, Trade
from settlement.states import OutgoingState

ON_A_PAGE = 25
LINES_ON_A_PAGE = 50
ACCOUNT_ACTS = {
    "confirm": (payout_accounts.confirm, gettext_lazy("The account is confirmed.")),
    "drop": (payout_accounts.drop, gettext_lazy("The account is stopped.")),
}


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def money(request: HttpRequest) -> HttpResponse:
    """Statements, payouts and the payout account; for owners and finance also the form to name another."""
    organisation = acting_organisation(request)
    roles.require(person(request), organisation, "see_money")
    may_manage = roles.may(person(request), organisation, "manage_payout")
    account = payout_accounts.account_of(organisation)
    at_stripe = _at_stripe(organisation) if may_manage and "stripe" in settings.GATEWAYS else {}
    form = PayoutAccountForm(request.POST or None, initial=at_stripe.get("to_name"))
    if request.method == "POST":
        roles.require(person(request), organisation, "manage_payout")
        if account is not None:
            reauthentication.require_fresh(request)
        if form.is_valid():
            _name_account(request, organisation, form)
            messages.success(request, _("The account is named. A second person confirms it."))
            return redirect("money")
    issued = organisation.statements.select_related("cycle", "paper").defer("paper__record").order_by("-pk")
    page = Paginator(issued, ON_A_PAGE).get_page(request.GET.get("page"))
    context = {
        "organisation": organisation,
        "sells": organisation.listings.exists(),
        "has_shares": organisation.revenue_shares.exists(),
        "standing": [{"one": one, **one.amounts()} for one in member_money.standing(organisation)],
        "reserve_terms": reserve_terms.told_to(organisation),
        "reserves": reserves.held(organisation)[:LINES_ON_A_PAGE],
        "next_clearing_at": member_money.next_clearing_at(),
        "uncleared": _uncleared(organisation),
        "page": page,
        "statements": [_with_money(statement) for statement in page.object_list],
        "payouts": _payouts(organisation),
        "language": get_language(),
        "account": account,
        "coming": (coming := payout_accounts.coming(organisation)),
        "coming_acts": _coming_acts(coming, person(request)) if coming else [],
        "is_fresh": account is None or reauthentication.is_fresh(request),
        "has_bounced": organisation.payouts.filter(state=OutgoingState.BOUNCED, replaced_by=None).exists(),
        "form": form if may_manage and settings.GATEWAYS else None,
        **tax_acts.status_card(organisation, person(request)),
        **netting_page.card(organisation, person(request)),
        "at_stripe": at_stripe,
        "takes_money": bool(settings.GATEWAYS),
        "key": posted.new_key(),
    }
    return render(request, "settlement/money.html", context, status=422 if form.errors else 200)


def _at_stripe(organisation: Organisation) -> dict[str, Any]:
    """The member's account at Stripe, or why it can have none; `to_name` once money can go there."""
    account = StripeAccount.objects.filter(organisation=organisation).first()
    if account is None and organisation.country not in stripe_members.SERVED:
        return {"place": COUNTRY_NAMES[organisation.country], "has_bank": "bank" in settings.GATEWAYS}
    to_name = {"gateway": "stripe", "reference": account.reference} if account and account.takes_transfers else None
    return {"account": account, "to_name": to_name}


def _name_account(request: HttpRequest, organisation: Organisation, form: PayoutAccountForm) -> None:
    said = form.cleaned_data
    posted.posted_once(
        request,
        organisation,
        lambda: (
            payout_accounts.name(
                organisation,
                gateway_name=said["gateway"],
                reference=said["reference"],
                by=person(request),
            ).pk
        ),
    )


def _coming_acts(coming: PayoutAccount, by: User) -> list[dict[str, Any]]:
    """Confirm the account that was named, or stop it; nothing for roles that may only look."""
    if not roles.may(by, coming.organisation, "manage_payout"):
        return []
    acts = []
    if coming.confirmed_at is None:
        confirm = {"label": _("Confirm the account"), "url": reverse("account_act", args=[coming.pk, "confirm"])}
        if not payout_accounts.may_confirm(coming, by):
            confirm["why_not"] = _("You named it; somebody else confirms it.")
        acts.append(confirm)
    acts.append({"label": _("Stop it"), "url": reverse("account_act", args=[coming.pk, "drop"]), "tone": "danger"})
    return [{**act, "key": posted.new_key()} for act in acts]


@login_required
@require_POST
def account_act(request: HttpRequest, account_id: int, act: str) -> HttpResponse:
    """Confirm an account a colleague named, or stop it before it serves."""
    organisation = acting_organisation(request)
    account = get_object_or_404(PayoutAccount.objects.filter(organisation=organisation), pk=account_id)
    if act not in ACCOUNT_ACTS:
        raise Http404
    command, done = ACCOUNT_ACTS[act]
    roles.require(person(request), organisation, "manage_payout")
    posted.posted_once(request, organisation, lambda: command(account, by=person(request)).pk)
    ring(tasks.pay_members)
    messages.success(request, str(done))
    return redirect("money")


def _with_money(statement: Statement) -> dict[str, Any]:
    parts = ("gross", "fee", "shares_received", "shares_given", "recovered", "reserved", "released", "net", "reserve")
    amounts = {part: Money(getattr(statement, f"{part}_minor"), statement.currency) for part in parts}
    return {"statement": statement, **amounts}


def _balance(statement: Statement) -> dict[str, Any]:
    """The member's balance with the exchange: where it opened, what moved it, where it closed."""
    moved = movements.moved_since([statement])[statement.pk]
    return {
        "shares": [
            {
                "one": one,
                "title": (title := in_language(one.titles, get_language() or "en")),
                "title_lang": next((HTML_LANGUAGES[name] for name, text in one.titles.items() if text == title), ""),
                "amount": Money(one.amount_minor, statement.currency),
            }
            for one in moved.shares[:LINES_ON_A_PAGE]
        ],
        "more_shares": len(moved.shares) > LINES_ON_A_PAGE,
        "opening": Money(statement.opening_minor, statement.currency),
        "movements": [(one, Money(one.amount_minor, statement.currency)) for one in moved.movements[:LINES_ON_A_PAGE]],
        "more_movements": len(moved.movements) > LINES_ON_A_PAGE,
        "cleared": Money(statement.cleared_minor, statement.currency),
        "reserved_in": movements.reserves_of([statement])[statement.pk],
        "closing": Money(statement.closing_minor, statement.currency),
    }


def _uncleared(organisation: Organisation) -> list[dict[str, Any]]:
    """What escrow holds for the member, each with its deductions and what it waits for."""
    lines = member_money.uncleared(organisation, ON_A_PAGE)
    following = waits.of_many([line.trade for line in lines])
    return [
        {"trade": line.trade, "title_lang": _language(line.trade), "next": following[line.trade.pk], **line.money()}
        for line in lines
    ]


def _language(trade: Trade) -> str:
    return language_of(trade.version, trade.version.titles)


def _payouts(organisation: Organisation) -> list[tuple[Payout, Money]]:
    rows = organisation.payouts.select_related("cycle", "replaced_by", "trade").order_by("-pk")[:ON_A_PAGE]
    return [(payout, Money(payout.amount_minor, payout.currency)) for payout in rows]


def _taxes(said: dict[str, Any], currency: str) -> dict[str, Any]:
    """What a line or all of them say of tax, with its labels; nothing where no rule fits."""
    fee_minor = said.get("fee_vat_minor")
    return {
        "taxes": [
            (taxes.LABELS_BY_KIND[one["tax"]], Money(one["amount_minor"], currency)) for one in said.get("taxes", [])
        ],
        "fee_vat": None if fee_minor is None else Money(fee_minor, currency),
    }


@login_required
@require_safe
def statement(request: HttpRequest, statement_id: int) -> HttpResponse:
    """One statement: each trade with its deductions, what was set against a debt, and the payouts that followed."""
    organisation = acting_organisation(request)
    own = Statement.objects.filter(organisation=organisation).select_related("cycle", "paper").defer("paper__record")
    found = get_object_or_404(own, pk=statement_id)
    roles.require(person(request), organisation, "see_money")
    trades = statements.cleared_in(found).select_related("buyer").defer("version__fields", "version__rights")
    page = Paginator(trades, LINES_ON_A_PAGE).get_page(request.GET.get("page"))
    lines = member_money.lines(list(page))
    paid_by = payouts.of_trades([line.trade for line in lines])
    in_them = line_taxes.of(
        [
            line_taxes.Cleared(line.trade.pk, organisation.country, found.created_at, line.gross_minor, line.fee_minor)
            for line in lines
        ]
    )
    papers = Paper.objects.visible_to(organisation)
    totals = papers.filter(pk=found.paper_id or 0).values_list("record__totals", flat=True).first()
    paid = organisation.payouts.filter(cycle=found.cycle_id, currency=found.currency).select_related("trade")
    first = list(paid.order_by("pk")[: LINES_ON_A_PAGE + 1])
    context = {
        **_with_money(found),
        "in_all": _taxes(totals or {}, found.currency),
        "page": page,
        "lines": [
            {
                "trade": line.trade,
                "payout": paid_by.get(line.trade.pk),
                **_taxes(in_them[line.trade.pk].on_paper(), found.currency),
                "title_lang": _language(line.trade),
                **line.money(),
            }
            for line in lines
        ],
        "none": Money(0, found.currency),
        **_balance(found),
        "payouts": [(one, Money(one.amount_minor, one.currency)) for one in first[:LINES_ON_A_PAGE]],
        "more_payouts": len(first) > LINES_ON_A_PAGE,
        "language": get_language(),
    }
    return render(request, "settlement/statement.html", context)


@login_required
@require_safe
@never_cache
def cleared_csv(request: HttpRequest) -> StreamingHttpResponse:
    """Every trade that was ever cleared for the member, with each deduction and its payout, for a spreadsheet."""
    organisation = acting_organisation(request)
    roles.require(person(request), organisation, "see_money")
    answer = StreamingHttpResponse(
        csv_lines(member_money.cleared_rows(organisation)), content_type="text/csv; charset=utf-8"
    )
    answer["Content-Disposition"] = 'attachment; filename="cleared.csv"'
    return answer


@login_required
@require_safe
def statement_csv(request: HttpRequest, statement_id: int) -> HttpResponse:
    """A settlement statement's lines, for a spreadsheet. Refuses with `not_ready` before it is issued."""
    organisation = acting_organisation(request)
    own = Statement.objects.filter(organisation=organisation).select_related("cycle", "paper")
    statement = get_object_or_404(own, pk=statement_id)
    roles.require(person(request), organisation, "see_money")
    answer = HttpResponse(statements.as_csv(statement), content_type="text/csv; charset=utf-8")
    name = f"statement-{statement.cycle.number}-{statement.currency}.csv"
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
