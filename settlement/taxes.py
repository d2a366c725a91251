"""The tax in a trade's price: told before anybody commits, frozen when it is proposed, and the desk's word on it.

The exchange collects the price whole and withholds nothing. What is told here says what of the price is tax, by which
rule, and who pays it to which authority.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from compliance.reasons import require_sentence
from listings.models import Offer, ProductType
from marketplace import clock, journal, roles
from marketplace.errors import Invalid, WrongState
from marketplace.models import Organisation, User
from marketplace.money import Money
from settlement import tax_rules
from settlement.models import TaxStatus, Trade, TradeTax
from settlement.states import TradeState

MAINLAND = "CN"
MOST_BASIS_POINTS = 10_000
BEFORE_FUNDING = (TradeState.PROPOSED, TradeState.AGREED, TradeState.REGISTERED)
LABELS = {
    (tax_rules.VAT, tax_rules.CHARGED): _("VAT in the price"),
    (tax_rules.VAT, tax_rules.WITHHELD): _("VAT, withheld by the buyer"),
    (tax_rules.INCOME, tax_rules.WITHHELD): _("Income tax, withheld by the buyer"),
}
LABELS_BY_KIND = {f"{tax}_{how}": label for (tax, how), label in LABELS.items()}  # as papers name them


def status_of(member: Organisation) -> TaxStatus | None:
    """What taxpayer the member says it is; None while it has said nothing."""
    return TaxStatus.objects.filter(organisation=member).order_by("-pk").first()


def asks_status(member: Organisation) -> bool:
    """Whether a rule depends on what taxpayer this member is."""
    return member.country == MAINLAND


@transaction.atomic
def state_status(member: Organisation, status: str, *, by: User) -> TaxStatus:
    """The member says what taxpayer it is; trades proposed from now on go by it. Raises RoleNeeded, Invalid."""
    roles.require(by, member, "manage_payout")
    if status not in TaxStatus.Status.values:
        raise Invalid(_("There is no such taxpayer."), code="wrong_status", next=_("Choose one that the page offers."))
    stated = TaxStatus.objects.create(organisation=member, status=status, by=by)
    journal.record("tax_status.stated", stated, by=by, organisation=member.pk, status=status)
    return stated


def of_offer(offer: Offer, buyer: Organisation | None, price_minor: int) -> tax_rules.Tax | None:
    """The tax in what this buyer would pay for an offer now; None where there is no price or nobody to buy."""
    if not price_minor or buyer is None:
        return None
    case = _case(offer.listing.seller, buyer, offer.listing.product_type)
    return tax_rules.tax_of(price_minor, case, on=clock.today())


def on_paper(lines: Iterable[tax_rules.Line]) -> list[dict[str, Any]]:
    """Taxes as the record of a paper holds them."""
    return [
        {
            "tax": f"{line.tax}_{line.how}",
            "percent": f"{line.basis_points / 100:g}",
            "amount_minor": line.amount_minor,
        }
        | ({"source": dict(line.source)} if line.source else {})
        for line in lines
    ]


def _case(seller: Organisation, buyer: Organisation, product_type: str) -> tax_rules.Case:
    status = status_of(seller) if asks_status(seller) else None
    supply = tax_rules.SERVICE if product_type == ProductType.SERVICE else tax_rules.LICENCE
    return tax_rules.Case(seller.country, buyer.country, supply, status.status if status else "")


def freeze(trade: Trade) -> None:
    """The tax in the price of a trade that is proposed now, by the rules of today; a free one has none."""
    if not trade.price_minor:
        return
    case = _case(trade.seller, trade.buyer, trade.listing.product_type)
    _keep(trade, tax_rules.tax_of(trade.price_minor, case, on=clock.today()), revision=1)


def of(trade: Trade) -> TradeTax | None:
    """The tax in the trade's price as it counts; None for a free trade."""
    return TradeTax.objects.filter(trade=trade).select_related("by").order_by("-revision").first()


def is_open(trade: Trade) -> bool:
    """Whether its tax may still be decided on: it has a price, and no part of that was paid."""
    is_unpaid = trade.state in BEFORE_FUNDING and not trade.instalments.filter(paid_at__isnull=False).exists()
    return bool(trade.price_minor) and is_unpaid


@transaction.atomic
def decide(trade: Trade, *, vat: int, vat_how: str, income: int, reason: str, by: User) -> TradeTax:
    """The desk decides what tax the price of a trade includes, before money has come; rates in basis points.

    The price stays. Raises RoleNeeded, Invalid, WrongState.
    """
    roles.require_staff(by, "set_tax")
    reason = require_sentence(reason)
    if not (0 <= vat <= MOST_BASIS_POINTS and 0 <= income <= MOST_BASIS_POINTS) or vat_how not in _HOWS:
        raise Invalid(_("A rate is between 0 and 100 percent."), code="wrong_rate", next=_("Write it such as 6."))
    trade = Trade.objects.select_for_update(no_key=True).get(pk=trade.pk)
    if not is_open(trade):
        raise WrongState(
            _("The tax of a trade is decided on before any of it is paid."),
            code="paid_already",
            next=_("Its parties correct their invoices between them."),
        )
    before = of(trade)
    tax = tax_rules.written(trade.price_minor, vat=vat, vat_how=vat_how, income=income)
    kept = _keep(trade, tax, revision=before.revision + 1 if before else 1, reason=reason, by=by)
    journal.record("trade.tax_decided", trade, by=by, vat=vat, vat_how=vat_how, income=income)
    return kept


_HOWS = (tax_rules.CHARGED, tax_rules.WITHHELD)


def _keep(trade: Trade, tax: tax_rules.Tax, **more: Any) -> TradeTax:
    return TradeTax.objects.create(
        trade=trade,
        gross_minor=tax.gross_minor,
        net_minor=tax.net_minor,
        withheld_minor=tax.withheld_minor,
        lines=[line.as_json() for line in tax.lines],
        is_known=tax.is_known,
        rulebook=tax.rulebook,
        **more,
    )


def shown(tax: tax_rules.Tax | None, currency: str) -> dict[str, Any] | None:
    """The tax as templates/settlement/_tax.html takes it; None where nothing is known of it."""
    if tax is None or not tax.is_known:
        return None
    language = get_language() or "en"
    return {
        "net": Money(tax.net_minor, currency),
        "withheld": Money(tax.withheld_minor, currency),
        "remains": Money(tax.remains_minor, currency),
        "lines": [
            {
                "label": LABELS[line.tax, line.how],
                "percent": f"{line.basis_points / 100:g}",
                "amount": Money(line.amount_minor, currency),
                "source": line.source.get(language, line.source.get("en", "")),
            }
            for line in tax.lines
        ],
    }


def shown_of(trade: Trade) -> dict[str, Any] | None:
    """`shown` for a trade, with the desk's reason where it decided."""
    kept = of(trade)
    told = shown(kept.tax, trade.currency) if kept else None
    return told | {"reason": kept.reason} if told is not None and kept else told
