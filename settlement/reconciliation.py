"""Every day three books are compared, and where they do not agree no money is released until it is explained.

`take_in` keeps what a gateway tells of a day, `reconcile` compares it with the ledger and the records of trades and
payments, `explain` is the word of the staff on what remains; `require_agreement` is asked before a cycle is released.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import itertools
from collections.abc import Iterable, Sequence
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Max, Min, QuerySet
from django.utils.translation import gettext_lazy as _

from marketplace import clock, joint_merchants, journal, roles
from marketplace.errors import Invalid, Refused, WrongState
from marketplace.models import User
from settlement import three_books
from settlement.gateways import Movement, gateway
from settlement.models import Break, ClearingCycle, GatewayMovement, Payment, Payout, Reconciliation, Refund, Trade
from settlement.states import MovementKind
from settlement.three_books import Said

AT_ONCE = 500
LATE_AFTER = dt.timedelta(hours=2)
AGAIN_AFTER = dt.timedelta(hours=1)  # while a break is open, the books are looked at anew
LONGEST_REASON = 2_000
Kind = Break.Kind
AWAITED = (Kind.ONLY_IN_LEDGER, Kind.ONLY_AT_GATEWAY)  # the other side may still come


class BooksDoNotAgree(Refused):
    """The books of this currency do not agree, so nothing in it is cleared."""

    code = "books_do_not_agree"
    says = _("The books of this currency do not agree, so nothing in it is cleared.")
    next = _("Explain each open break at the desk of clearing, or wait until its other side arrives.")


# --- what a gateway tells ------------------------------------------------------------------------------------------


def take_in(gateway_name: str, movements: Iterable[Movement]) -> None:
    """Keep the lines of a gateway's own books. Each is kept once, as it was first told."""
    told = iter(movements)
    while batch := list(itertools.islice(told, AT_ONCE)):
        ours = _known_keys(gateway_name, {one.key for one in batch if one.key})
        GatewayMovement.objects.bulk_create(
            (
                GatewayMovement(
                    gateway=gateway_name,
                    reference=one.reference,
                    booked_on=one.booked_on,
                    kind=one.kind,
                    cause=_cause_of(one) if one.key in ours else one.reference,
                    amount_minor=one.amount_minor,
                    currency=one.currency,
                    charged_for=one.charged_for,
                )
                for one in batch
            ),
            ignore_conflicts=True,
        )


def _cause_of(movement: Movement) -> str:
    return f"chargeback {movement.key}" if movement.kind == MovementKind.CHARGEBACK else movement.key


def _known_keys(gateway_name: str, keys: set[str]) -> set[str]:
    """Those of these keys that are of our payments, refunds and payouts through this gateway. One statement."""
    first, *others = [
        kind.objects.filter(gateway=gateway_name, key__in=keys).order_by().values_list("key", flat=True)
        for kind in (Payment, Refund, Payout)
    ]
    return set(first.union(*others))


# --- comparing -----------------------------------------------------------------------------------------------------


def due(gateway_name: str) -> list[tuple[dt.date, str]]:
    """The days to reconcile, by currency, oldest first: each that has ended since the last, or yesterday alone.

    Where a break is open, the last day is due anew every hour.
    """
    yesterday, now, runs = clock.today() - dt.timedelta(days=1), clock.now(), _last_runs(gateway_name)
    broken = set(open_breaks().filter(gateway=gateway_name).values_list("currency", flat=True))
    answer = []
    for currency in gateway(gateway_name).capabilities().currencies:
        day, at = runs.get(currency, (yesterday - dt.timedelta(days=1), now))
        missing = range(1, (yesterday - day).days + 1)
        answer += [(day + dt.timedelta(days=number), currency) for number in missing]
        if not missing and currency in broken and at <= now - AGAIN_AFTER:
            answer.append((day, currency))
    return sorted(answer)


def is_late(gateway_name: str) -> bool:
    """Whether a day that ended two hours ago is not reconciled, where reconciling has begun. One statement."""
    day = (clock.now() - LATE_AFTER).astimezone(ZoneInfo(settings.TIME_ZONE)).date() - dt.timedelta(days=1)
    return any(last < day for last, _at in _last_runs(gateway_name).values())


def _last_runs(gateway_name: str) -> dict[str, tuple[dt.date, dt.datetime]]:
    """By currency, the last day that was reconciled, and when somebody looked last."""
    rows = Reconciliation.objects.filter(gateway=gateway_name).order_by().values("currency")
    return {
        row["currency"]: (row["last"], row["looked_at"]) for row in rows.annotate(last=Max("day"), looked_at=Max("at"))
    }


def days_to_ask(gateway_name: str, day: dt.date) -> list[dt.date]:
    """The days whose movements a reconciliation of this day needs: those its books may lag behind, and all since."""
    patience = gateway(gateway_name).capabilities().books_within_days
    since = min(day, clock.today() - dt.timedelta(days=1)) - dt.timedelta(days=patience)
    return [since + dt.timedelta(days=number) for number in range((clock.today() - since).days + 1)]


@transaction.atomic
def reconcile(gateway_name: str, currency: str, day: dt.date) -> Reconciliation:
    """Compare three books of this day, and write down each break. `take_in` has brought the gateway's.

    A day is compared once; anew only while a break is open, an hour after the last look. Otherwise returns that look.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"reconcile {gateway_name} {currency}"]
        )
    runs = Reconciliation.objects.filter(gateway=gateway_name, currency=currency)
    last = runs.filter(day=day).order_by("-run").first()
    known = {row.cause: row for row in open_breaks().filter(gateway=gateway_name, currency=currency)}
    if last is not None and (not known or last.at > clock.now() - AGAIN_AFTER):
        return last
    began_on = runs.aggregate(first=Min("day"))["first"] or day
    patience = gateway(gateway_name).capabilities().books_within_days
    since = min(max(began_on, day - dt.timedelta(days=patience)), day)
    digest, compared, in_transit = hashlib.sha256(), 0, 0
    differing: list[tuple[Said, Kind]] = []
    right: list[Break] = []
    for said in three_books.said(gateway_name, currency, since, day):
        digest.update(said.line)
        compared += 1
        kind = kind_of(said)
        if kind is None:
            right += [known[said.cause]] if said.cause in known else []
        elif kind in AWAITED and said.last_on and (day - said.last_on).days < patience:
            in_transit += said.cause not in known
        elif said.cause not in known:
            differing.append((said, kind))
    new = [one for some in _in_parts(differing) for one in _not_explained(gateway_name, currency, some)]
    totals = three_books.totals(gateway_name, currency, day)
    made = Reconciliation.objects.create(
        gateway=gateway_name,
        currency=currency,
        day=day,
        run=last.run + 1 if last else 1,
        **vars(totals),
        compared=compared,
        in_transit=in_transit,
        found=len(new),
        resolved=len(right),
        digest=digest.hexdigest(),
    )
    journal.record(
        "books.reconciled", made, by=None, day=day, gateway=gateway_name, currency=currency, digest=made.digest,
        found=made.found, resolved=made.resolved, in_transit=in_transit,
    )  # fmt: skip
    for some in _in_parts(new):
        _write_down(made, some)
    _resolve(made, right)
    return made


def kind_of(said: Said) -> Break.Kind | None:
    """What kind of difference this is; None where the books agree."""
    if said.agrees:
        return None
    if said.gateway_minor is None:
        return Kind.TRADE_SAYS_OTHERWISE
    if not said.ledger_lines and said.records_minor:
        return Kind.NOT_POSTED
    if said.ledger_minor == said.gateway_minor:
        return Kind.TRADE_SAYS_OTHERWISE
    if said.sent_lines > 1 and said.gateway_minor < said.ledger_minor:
        return Kind.TWICE
    if said.gateway_lines == said.ledger_lines:
        return Kind.AMOUNT_DIFFERS
    return Kind.ONLY_AT_GATEWAY if said.gateway_lines > said.ledger_lines else Kind.ONLY_IN_LEDGER


def _in_parts(rows: Sequence[tuple[Said, Kind]]) -> Iterable[Sequence[tuple[Said, Kind]]]:
    return (rows[start : start + AT_ONCE] for start in range(0, len(rows), AT_ONCE))


def _not_explained(gateway_name: str, currency: str, rows: Sequence[tuple[Said, Kind]]) -> Iterable[tuple[Said, Kind]]:
    """Those of these differences that staff have not explained as they are now."""
    explained = set(
        Break.objects.filter(
            gateway=gateway_name,
            currency=currency,
            cause__in=[said.cause for said, _kind in rows],
            explained_by__isnull=False,
        ).values_list("cause", "ledger_minor", "gateway_minor", "records_minor")
    )
    return [
        (said, kind)
        for said, kind in rows
        if (said.cause, said.ledger_minor, said.gateway_minor, said.records_minor) not in explained
    ]


def _write_down(made: Reconciliation, rows: Sequence[tuple[Said, Kind]]) -> None:
    """One Break for each difference, with the trade or member it concerns where we know one."""
    causes = [said.cause.removeprefix("chargeback ") for said, _kind in rows]
    trades = dict(Payment.objects.filter(key__in=causes).values_list("key", "trade_id"))
    trades |= dict(Refund.objects.filter(key__in=causes).values_list("key", "trade_id"))
    ids = [said.cause for said, _kind in rows if said.gateway_minor is None]
    trades |= {
        str(public_id): pk for public_id, pk in Trade.objects.filter(public_id__in=ids).values_list("public_id", "pk")
    }
    payees = dict(Payout.objects.filter(key__in=causes).values_list("key", "organisation_id"))
    found = Break.objects.bulk_create(
        Break(
            found_by=made,
            gateway=made.gateway,
            currency=made.currency,
            kind=kind,
            cause=said.cause,
            trade_id=trades.get(cause),
            organisation_id=payees.get(cause),
            ledger_minor=said.ledger_minor,
            gateway_minor=said.gateway_minor,
            records_minor=said.records_minor,
        )
        for (said, kind), cause in zip(rows, causes, strict=True)
    )
    journal.record_many((("break.found", one, {"difference": one.kind, "cause": one.cause}) for one in found), by=None)


def _resolve(made: Reconciliation, right: Sequence[Break]) -> None:
    """The books agree again on these causes."""
    Break.objects.filter(pk__in=[one.pk for one in right], ended_at=None).update(ended_at=clock.now(), resolved_by=made)
    journal.record_many((("break.resolved", one, {"reconciliation": made.pk}) for one in right), by=None)


# --- what a break means --------------------------------------------------------------------------------------------


def open_breaks() -> QuerySet[Break]:
    return Break.objects.filter(ended_at=None)


def require_agreement(cycle: ClearingCycle) -> None:
    """The books agree in the cycle's currency. Raises BooksDoNotAgree."""
    if breaks_before(cycle).exists():
        raise BooksDoNotAgree(
            _("The books of %(currency)s do not agree, so cycle %(cycle)s is not released."),
            currency=cycle.currency,
            cycle=cycle.number,
        )


def breaks_before(cycle: ClearingCycle) -> QuerySet[Break]:
    """The open breaks that keep the cycle from being released."""
    return open_breaks().filter(currency=cycle.currency)


@transaction.atomic
def explain(found: Break, *, reason_code: str, reason: str, by: User) -> Break:
    """Staff of clearing or payments say what the difference is; what it blocked may go on.

    Nobody explains what concerns an organisation they belong to. Raises RoleNeeded, WrongState, Invalid `own_interest`,
    `reason_needed`, `unknown_reason`.
    """
    roles.require_staff(by, "explain_break")
    found = Break.objects.select_for_update(of=("self",)).select_related("trade").get(pk=found.pk)
    concerned = {found.organisation_id, *((found.trade.seller_id, found.trade.buyer_id) if found.trade else ())}
    if any(joint_merchants.has_interest(by, one) for one in concerned if one):
        raise Invalid(
            _("You have an interest in this break."),
            code="own_interest",
            status=403,
            next=_("A colleague without one explains it."),
        )
    if found.ended_at is not None:
        raise WrongState(_("This break is not open any more."))
    if reason_code not in Break.Reason.values:
        raise Invalid(_("This is no reason there is."), code="unknown_reason", next=_("Choose one of the list."))
    if not reason.strip():
        raise Invalid(_("Say why the books differ."), code="reason_needed", next=_("Write what you found."))
    found.ended_at, found.explained_by = clock.now(), by
    found.reason_code, found.reason = reason_code, reason.strip()[:LONGEST_REASON]
    found.save(update_fields=["ended_at", "explained_by", "reason_code", "reason"])
    journal.record("break.explained", found, by=by, reason_code=reason_code, difference=found.kind, cause=found.cause)
    return found
