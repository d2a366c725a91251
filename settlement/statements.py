"""Each member's settlement statement: its record on paper, several at a time, and the same as CSV."""

from __future__ import annotations

import csv
import io
import logging
from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import CharField, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Cast, Coalesce, Concat
from django.utils.translation import gettext_lazy as _

from compliance.crossborder import MAINLAND
from listings.models import Version
from marketplace import clock, documents
from marketplace.claims import together_or_each
from marketplace.errors import NotReady
from marketplace.models import Paper
from marketplace.spreadsheets import safe_cell
from settlement import line_taxes, movements
from settlement.models import (
    Payment,
    Payout,
    Statement,
    Trade,
    TradeShare,
    Transfer,
)
from settlement.movements import Moved, Reserves, Shared
from settlement.papers import moves_money, plain_amount
from settlement.states import OutgoingState, PaymentState

logger = logging.getLogger(__name__)

AT_ONCE = 25  # statements whose lines are in memory together
About = tuple[int, int, str]  # the ids of cycle and organisation, and the currency


@transaction.atomic
def issue(due: Sequence[Statement]) -> int:
    """Issue these statements as papers that their members may read; how many. What another worker has is left to it.

    However many they are, the number of SQL statements is the same.
    """
    waiting = Statement.objects.filter(pk__in=[one.pk for one in due], paper=None).select_related(
        "cycle", "organisation"
    )
    ready = list(waiting.order_by("pk").select_for_update(of=("self",), no_key=True, skip_locked=True))
    if not ready:
        return 0
    payouts, sandboxed = _payouts(ready), _paid_without_money(ready)
    lines = _lines(ready, payouts)
    reserved = movements.reserves_of(ready)
    moved = movements.moved_since(ready)
    documents.issue_many(
        [
            documents.Sheet(
                Paper.Kind.SETTLEMENT_STATEMENT,
                one,
                f"Clearing cycle {one.cycle.number} · {one.currency}",
                _record(one, lines.get(_about(one), []), moved[one.pk], payouts.get(_about(one), []), reserved[one.pk]),
                (one.organisation,),
                is_sandbox=_about(one) in sandboxed,
            )
            for one in ready
        ]
    )
    paper = Paper.objects.filter(
        kind=Paper.Kind.SETTLEMENT_STATEMENT, subject_kind="statement", subject_id=OuterRef("pk")
    )
    Statement.objects.filter(pk__in=[one.pk for one in ready]).update(paper=Subquery(paper.values("pk")))
    return len(ready)


def issue_due() -> None:
    """Issue every statement that has no paper yet."""
    last = 0
    while due := list(Statement.objects.filter(paper=None, pk__gt=last).order_by("pk").only("pk")[:AT_ONCE]):
        together_or_each(due, issue, _issue_alone)
        last = due[-1].pk


def _issue_alone(one: Statement) -> None:
    try:
        issue([one])
    except Exception:  # a fault of ours: it shows in the log and as late, and its neighbours go on
        logger.exception("statement %s got no paper", one.pk)


def _about(one: Statement) -> About:
    return one.cycle_id, one.organisation_id, one.currency


def cleared_in(statement: Statement) -> QuerySet[Trade]:
    """The trades of a statement, in the order of its lines."""
    return _cleared([statement]).filter(currency=statement.currency).select_related("version").order_by("pk")


def _cleared(stated: Sequence[Statement]) -> QuerySet[Trade]:
    """The trades that were cleared for the members of these statements in their cycles, in any currency."""
    return Trade.objects.filter(
        cycle__in={one.cycle_id for one in stated},
        seller__in={one.organisation_id for one in stated},
        cleared_at__isnull=False,
        price_minor__gt=0,
    )


def _moved(part: str) -> Coalesce:
    """What the ledger moved as this part of a trade when it was cleared."""
    key = Concat(Value(f"{part}-"), Cast(OuterRef("pk"), CharField()))
    return Coalesce(Subquery(Transfer.objects.filter(key=key).values("amount_minor")), 0)


def _lines(
    stated: Sequence[Statement], payouts: dict[About, list[dict[str, Any]]]
) -> dict[About, list[dict[str, Any]]]:
    """The lines of these statements, trade by trade, each with its payout and its taxes. Three statements."""
    paid_by = {
        (about, one.get("trade_number", "")): one["reference"]
        for about, paid in payouts.items()
        for one in paid
        if one["kind"] != Payout.Kind.RESERVE
    }
    rows = list(
        _cleared(stated)
        .annotate(fee_minor=_moved("fee"), net_minor=_moved("net"))
        .order_by("pk")
        .values_list(
            "pk", "seller__country", "cleared_at", "cycle_id", "seller_id", "currency", "register_number", "version_id",
            "purchase_order", "buyer__country", "fee_minor", "net_minor",
        )
    )  # fmt: skip
    taxes = line_taxes.of(
        [line_taxes.Cleared(row[0], row[1], row[2] or clock.now(), row[-2] + row[-1], row[-2]) for row in rows]
    )
    titles = dict(Version.objects.filter(pk__in={row[7] for row in rows}).values_list("pk", "titles"))
    found: dict[About, list[dict[str, Any]]] = {}
    for (
        pk,
        country,
        _at,
        cycle_id,
        seller_id,
        currency,
        number,
        version_id,
        purchase_order,
        buyers_country,
        fee_minor,
        net_minor,
    ) in rows:
        line = {
            "trade_number": number,
            "titles": titles[version_id],
            "gross_minor": fee_minor + net_minor,
            "fee_minor": fee_minor,
            "net_minor": net_minor,
            **taxes[pk].on_paper(),
        }
        about = int(cycle_id or 0), seller_id, currency
        net = paid_by.get((about, "")) if country == buyers_country == MAINLAND else None
        reference = paid_by.get((about, number or "")) or net
        said = {"purchase_order": purchase_order, "payout_reference": reference}
        found.setdefault(about, []).append(line | {name: value for name, value in said.items() if value})
    return found


def _payouts(stated: Sequence[Statement]) -> dict[About, list[dict[str, Any]]]:
    """The payouts of each statement; `reference` is what the member sees with the money. One statement."""
    rows = Payout.objects.filter(
        cycle__in={one.cycle_id for one in stated}, organisation__in={one.organisation_id for one in stated}
    ).exclude(state=OutgoingState.BOUNCED, replaced_by__isnull=False)
    found: dict[About, list[dict[str, Any]]] = {}
    for cycle_id, organisation_id, currency, key, kind, number, minor in rows.order_by("pk").values_list(
        "cycle_id", "organisation_id", "currency", "key", "kind", "trade__register_number", "amount_minor"
    ):
        said = {"reference": key, "kind": kind, "amount_minor": minor}
        found.setdefault((cycle_id, organisation_id, currency), []).append(
            said | ({"trade_number": number} if number else {})
        )
    return found


def _paid_without_money(stated: Sequence[Statement]) -> set[About]:
    """The statements that contain a trade paid through a gateway that moves no money."""
    paid = Payment.objects.filter(trade__in=_cleared(stated), state=PaymentState.PAID).order_by()
    passed = Payment.objects.filter(
        trade__in=TradeShare.objects.filter(
            trade__cycle__in={one.cycle_id for one in stated},
            share__payee__in={one.organisation_id for one in stated},
        ).values("trade"),
        state=PaymentState.PAID,
    ).order_by()
    rows = [
        *paid.values_list("trade__cycle_id", "trade__seller_id", "trade__currency", "gateway").distinct(),
        *passed.values_list(
            "trade__cycle_id", "trade__shares__share__payee_id", "trade__currency", "gateway"
        ).distinct(),
    ]
    return {(int(cycle or 0), member, currency) for cycle, member, currency, name in rows if not moves_money(name)}


def _record(
    statement: Statement,
    lines: list[dict[str, Any]],
    moved: Moved,
    payouts: list[dict[str, Any]],
    reserved: Reserves,
) -> dict[str, Any]:
    released_at = statement.cycle.released_at or statement.created_at
    return {
        "member": documents.party(statement.organisation),
        "cycle": str(statement.cycle.number),
        "cleared_at": released_at.isoformat(),
        "currency": statement.currency,
        "lines": lines,
        "totals": {
            "gross_minor": statement.gross_minor,
            "fee_minor": statement.fee_minor,
            "net_minor": statement.gross_minor - statement.fee_minor,
            **line_taxes.totals(lines),
        },
        "opening_minor": statement.opening_minor,
        "movements": [
            {
                "kind": one.kind,
                "reference": one.reference,
                "moved_at": one.moved_at.isoformat(),
                "amount_minor": one.amount_minor,
            }
            for one in moved.movements
        ],
        "closing_minor": statement.closing_minor,
        "payout_reference": payouts[0]["reference"] if len(payouts) == 1 else None,
        "payouts": payouts,
    } | _taken_off(statement, moved.shares, reserved)


def _taken_off(statement: Statement, shares: list[Shared], reserved: Reserves) -> dict[str, Any]:
    """What lies between the net of the trades and what is paid out, where anything does."""
    said: dict[str, Any] = {}
    if shares:
        said["shares"] = [
            {"kind": one.kind, "trade_number": one.trade_number, "titles": one.titles, "amount_minor": one.amount_minor}
            for one in shares
        ]
        said["shares_minor"] = statement.shares_received_minor - statement.shares_given_minor
        said["cleared_minor"] = statement.cleared_minor
    if statement.recovered_minor:
        said["recovered_minor"] = statement.recovered_minor
    if reserved.kept is not None:
        said["reserved_minor"], said["release_on"] = statement.reserved_minor, reserved.kept.release_on.isoformat()
    if reserved.released:
        said["released"] = [
            {"cycle": str(one.cycle.number), "amount_minor": one.released_minor} for one in reserved.released
        ]
        said["released_minor"] = statement.released_minor
    if said.keys() & {"reserved_minor", "released_minor"} or statement.reserve_minor:
        said["reserve_minor"] = statement.reserve_minor
    return said | {"payable_minor": statement.net_minor} if said else {}


def _balance_of(record: dict[str, Any]) -> list[tuple[str, str, int]]:
    """From the opening balance to the closing one; nothing of a record from before statements had balances."""
    if "closing_minor" not in record:
        return []
    return [
        ("opening", "", record["opening_minor"]),
        *((one["kind"], one["reference"], one["amount_minor"]) for one in record["movements"]),
        ("cleared", "", record.get("cleared_minor", record["totals"]["net_minor"])),
        ("closing", "", record["closing_minor"]),
    ]


TAX_COLUMNS = ["vat_charged", "vat_withheld", "income_tax_withheld", "vat_in_fee"]


def _tax_cells(row: dict[str, Any], record: dict[str, Any]) -> list[str]:
    """The taxes of a line or of all; empty where no rule fits, and in a record from before lines said them."""
    cells = [""] * len(TAX_COLUMNS)
    if "taxes" in row:
        minor = {one["tax"]: one["amount_minor"] for one in row["taxes"]}
        kinds = ("vat_charged", "vat_withheld", "income_withheld")
        cells[:3] = [plain_amount(minor.get(kind, 0), record["currency"]) for kind in kinds]
    if "fee_vat_minor" in row:
        cells[3] = plain_amount(row["fee_vat_minor"], record["currency"])
    return cells


def as_csv(statement: Statement) -> bytes:
    """The statement as CSV, line by line and then its sums, for a spreadsheet: UTF-8 with a mark that says so.

    Amounts are plain decimals of the statement's currency. Raises NotReady before the statement was issued.
    """
    if statement.paper is None:
        raise NotReady(_("This statement is being written."))
    record = statement.paper.record
    text = io.StringIO(newline="")
    write = csv.writer(text).writerow

    def amounts(row: dict[str, int]) -> list[str]:
        return [plain_amount(row[f"{part}_minor"], record["currency"]) for part in ("gross", "fee", "net")]

    write(["trade", "product", "currency", "gross", "fee", "net", "payout", *TAX_COLUMNS])
    for line in record["lines"]:
        title = next(iter(line["titles"].values()), "")
        about = [safe_cell(line["trade_number"]), safe_cell(title), record["currency"]]
        write([*about, *amounts(line), safe_cell(line.get("payout_reference", "")), *_tax_cells(line, record)])
    write(["total", "", record["currency"], *amounts(record["totals"]), "", *_tax_cells(record["totals"], record)])
    for one in record.get("shares", []):
        title, minor = next(iter(one["titles"].values()), ""), one["amount_minor"]
        way = "share_received" if minor > 0 else "share_given"
        about = [safe_cell(one["trade_number"]), safe_cell(title), record["currency"]]
        write([f"{way} {one['kind']} {about[0]}", *about[1:], "", "", plain_amount(minor, record["currency"])])
    for part, reference, minor in _balance_of(record):
        write([part, safe_cell(reference), record["currency"], "", "", plain_amount(minor, record["currency"])])
    for one in record.get("released", []):
        minor = plain_amount(one["amount_minor"], record["currency"])
        write([f"released_of_cycle {one['cycle']}", "", record["currency"], "", "", minor])
    for part in ("shares", "recovered", "reserved", "released", "payable", "reserve"):
        if f"{part}_minor" in record:
            until = record["release_on"] if part == "reserved" else ""
            write([part, until, record["currency"], "", "", plain_amount(record[f"{part}_minor"], record["currency"])])
    for one in record.get("payouts", []):
        minor = plain_amount(one["amount_minor"], record["currency"])
        about = [f"payout {one['kind']}", safe_cell(one.get("trade_number", "")), record["currency"]]
        write([*about, "", "", minor, safe_cell(one["reference"])])
    return text.getvalue().encode("utf-8-sig")
