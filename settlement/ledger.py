"""The ledger: accounts, transfers, balances, reconciliation.

A balance is what was credited less what was debited. Accounts with a floor carry a running total that the database
keeps and never lets fall below zero; the balances of the others are computed from the transfers, so no row is hot.
The exchange holds no money: an account of kind `outside` mirrors what a gateway holds or paid.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from django.db import connection
from django.db.models import Case, CharField, F, Max, OuterRef, QuerySet, Subquery, Sum, Value, When
from django.db.models.functions import Cast, Coalesce, Concat
from django.utils.translation import gettext_lazy as _

from marketplace import clock
from marketplace.errors import Refused
from marketplace.models import Organisation
from settlement.models import Account, Refund, Trade, Transfer

Kind = Account.Kind
WITHOUT_FLOOR = {Kind.OUTSIDE, Kind.FEE, Kind.RECEIVABLE}


class Overdrawn(Refused):
    """The account does not hold that much."""

    code = "overdrawn"
    says = _("The account does not hold that much.")


class CurrencyMismatch(Refused):
    """The two accounts are in different currencies."""

    code = "currency_mismatch"
    says = _("The two accounts are in different currencies.")


class KeyMismatch(Refused):
    """This key was used for another transfer."""

    code = "transfer_key_reused"
    says = _("This key was used for another transfer.")


def _open(name: str, kind: Kind, currency: str, **owner: object) -> Account:
    """The account of this name, opened the first time it is asked for."""
    found = Account.objects.filter(name=name).first()
    return found if found is not None else _new(name, kind, currency, **owner)


def _new(name: str, kind: Kind, currency: str, **owner: object) -> Account:
    has_floor = kind not in WITHOUT_FLOOR
    account = Account(
        name=name, kind=kind, currency=currency, has_floor=has_floor, balance_minor=0 if has_floor else None, **owner
    )
    Account.objects.bulk_create([account], update_conflicts=True, unique_fields=["name"], update_fields=["has_floor"])
    return account


def outside(gateway: str, currency: str) -> Account:
    """What a gateway holds for the exchange in one currency, mirrored: negative means that it holds money for us."""
    return _open(f"outside:{gateway}:{currency}", Kind.OUTSIDE, currency)


def escrow(trade: Trade) -> Account:
    """The buyer's money of one trade, held until clearing. One account a trade: none can spend another's."""
    return _open(f"escrow:{trade.pk}", Kind.ESCROW, trade.currency, trade=trade)


def escrows(trades: Sequence[Trade]) -> dict[int, Account]:
    """The escrow accounts of several trades, opened where they are not yet, by the trade's id. One statement."""
    accounts = {
        trade.pk: Account(
            name=f"escrow:{trade.pk}",
            kind=Kind.ESCROW,
            currency=trade.currency,
            trade=trade,
            has_floor=True,
            balance_minor=0,
        )
        for trade in trades
    }
    Account.objects.bulk_create(
        accounts.values(), update_conflicts=True, unique_fields=["name"], update_fields=["has_floor"]
    )
    return accounts


def fees(currency: str) -> Account:
    """What the exchange earned."""
    return _open(f"fees:{currency}", Kind.FEE, currency)


def costs(gateway: str, currency: str) -> Account:
    """What a gateway charged the exchange for its work: negative, and to be set against what the exchange earned."""
    return _open(f"costs:{gateway}:{currency}", Kind.FEE, currency)


def payable(organisation: Organisation, currency: str) -> Account:
    """What the exchange owes a member after clearing."""
    return _open(f"payable:{organisation.pk}:{currency}", Kind.PAYABLE, currency, organisation=organisation)


def reserve(organisation: Organisation, currency: str) -> Account:
    """What is kept back of what the exchange owes a member, for some days."""
    return _open(f"reserve:{organisation.pk}:{currency}", Kind.RESERVE, currency, organisation=organisation)


def locked_payables(owners: Collection[tuple[int, str]]) -> dict[tuple[int, str], int]:
    """The ids of the accounts `payable` of these (organisation id, currency): opened where they are not yet, locked.

    Locked in key order, so that whoever then books on several of them waits for nobody who waits for it.
    """
    return _locked(Kind.PAYABLE, owners)


def locked_reserves(owners: Collection[tuple[int, str]]) -> dict[tuple[int, str], int]:
    """The ids of the accounts `reserve` of these, as `locked_payables`; the caller holds their payables locked."""
    return _locked(Kind.RESERVE, owners)


def _locked(kind: Kind, owners: Collection[tuple[int, str]]) -> dict[tuple[int, str], int]:
    if not owners:
        return {}
    names = {
        f"{kind}:{organisation_id}:{currency}": (organisation_id, currency) for organisation_id, currency in owners
    }
    named = Account.objects.filter(name__in=names)
    known = set(named.values_list("name", flat=True))
    Account.objects.bulk_create(
        [
            Account(
                name=name,
                kind=kind,
                currency=currency,
                organisation_id=organisation_id,
                has_floor=True,
                balance_minor=0,
            )
            for name, (organisation_id, currency) in sorted(names.items())
            if name not in known
        ],
        ignore_conflicts=True,
    )
    locked = named.order_by("pk").select_for_update(no_key=True)
    return {names[name]: pk for name, pk in locked.values_list("name", "pk")}


def receivable(organisation: Organisation, currency: str) -> Account:
    """What a member owes: a negative balance, set against what later clearings owe it."""
    return _open(f"receivable:{organisation.pk}:{currency}", Kind.RECEIVABLE, currency, organisation=organisation)


def refund_payable(refund: Refund) -> Account:
    """The money of one refund, from the moment it left escrow or suspense until it is sent."""
    return _open(f"refund:{refund.key}", Kind.REFUND, refund.currency, trade=refund.trade)


def suspense(gateway: str, payer_reference: str, currency: str) -> Account:
    """Money of one payer that fits no open trade exactly."""
    return _open(f"suspense:{gateway}:{payer_reference}:{currency}", Kind.SUSPENSE, currency)


def transfer(key: str, *, debit: Account, credit: Account, amount_minor: int) -> None:
    """Move money once per `key`, from `debit` to `credit`, in their common currency, in the caller's transaction.

    Repeating a key moves nothing. `amount_minor` is in minor units (cents).
    Raises CurrencyMismatch if the accounts differ, Overdrawn if `debit` would fall below zero, KeyMismatch if the key
    moved something else.
    """
    if debit.currency != credit.currency:
        raise CurrencyMismatch(
            _("%(debit)s is in %(currency)s, %(credit)s in %(currency_2)s."),
            debit=debit,
            currency=debit.currency,
            credit=credit,
            currency_2=credit.currency,
        )
    known = dict(
        Account.objects.filter(pk__in=[debit.pk, credit.pk], has_floor=True)
        .order_by("pk")
        .select_for_update(no_key=True)
        .values_list("pk", "balance_minor")
    )
    if debit.has_floor and (known[debit.pk] or 0) < amount_minor and not Transfer.objects.filter(key=key).exists():
        raise Overdrawn(
            _("%(debit)s holds %(held)s, not %(amount_minor)s minor units of %(currency)s."),
            debit=debit,
            held=known[debit.pk],
            amount_minor=amount_minor,
            currency=debit.currency,
        )
    with connection.cursor() as cursor:
        cursor.execute(INSERT_ONCE, [key, debit.pk, credit.pk, amount_minor, clock.now()])
        if cursor.fetchone():
            return
    moved = Transfer.objects.get(key=key)
    if (moved.debit_id, moved.credit_id, moved.amount_minor) != (debit.pk, credit.pk, amount_minor):
        raise KeyMismatch(_("The key %(key)s moved something else."), key=repr(key))


Move = tuple[str, int, int, int]  # (key, id of debit, id of credit, minor units)


def book(transfers: Sequence[Move]) -> None:
    """Move money for several new keys in one statement.

    For callers that have locked what their keys stand for; the database refuses an overdraft or a key used before.
    """
    if not transfers:
        return
    with connection.cursor() as cursor:
        cursor.execute(INSERT_MANY, [clock.now(), json.dumps(transfers)])


INSERT_MANY = """
    INSERT INTO settlement_transfer (key, debit_id, credit_id, amount_minor, at)
    SELECT row->>0, (row->>1)::bigint, (row->>2)::bigint, (row->>3)::bigint, %s FROM jsonb_array_elements(%s) AS row
"""
INSERT_ONCE = """
    INSERT INTO settlement_transfer (key, debit_id, credit_id, amount_minor, at) VALUES (%s, %s, %s, %s, %s)
    ON CONFLICT (key) DO NOTHING RETURNING id
"""


def balance(account: Account) -> int:
    """What the account holds now, in minor units; computed where no running total is kept."""
    if account.has_floor:
        return int(Account.objects.values_list("balance_minor", flat=True).get(pk=account.pk) or 0)
    credited = Transfer.objects.filter(credit=account).aggregate(total=Coalesce(Sum("amount_minor"), 0))["total"]
    debited = Transfer.objects.filter(debit=account).aggregate(total=Coalesce(Sum("amount_minor"), 0))["total"]
    return int(credited - debited)


def balances(accounts: QuerySet[Account]) -> list[tuple[Account, int]]:
    """Each of these accounts with what it holds, in minor units. One statement."""

    def moved(side: str) -> Subquery:
        rows = Transfer.objects.filter(**{side: OuterRef("pk")}).order_by().values(side)
        return Subquery(rows.annotate(total=Sum("amount_minor")).values("total"))

    computed = Coalesce(moved("credit"), 0) - Coalesce(moved("debit"), 0)
    rows = accounts.annotate(holds=Case(When(has_floor=True, then=F("balance_minor")), default=computed)).order_by("pk")
    return [(account, int(account.holds)) for account in rows]


def moved(account: Account, *kinds: Account.Kind) -> int:
    """What ever went from this account to accounts of these kinds, in minor units."""
    rows = Transfer.objects.filter(debit=account, credit__kind__in=kinds)
    return int(rows.aggregate(total=Coalesce(Sum("amount_minor"), 0))["total"])


def sum_of(keys: Collection[str]) -> int:
    """What the transfers of these keys moved together, in minor units; a key that moved nothing counts nothing."""
    return int(Transfer.objects.filter(key__in=keys).aggregate(total=Coalesce(Sum("amount_minor"), 0))["total"])


OF_SELLER, OF_EXCHANGE = ("owed", "owed-reserve"), ("fee",)  # parts of what a chargeback takes after clearing


def lost_after_clearing() -> QuerySet[Transfer]:
    """In a query of chargebacks: what each took after clearing from its trade's seller or from the exchange."""
    parts = (Value(f"-{part}") for part in (*OF_SELLER, *OF_EXCHANGE))
    number = Cast(OuterRef("pk"), CharField())
    return Transfer.objects.filter(key__in=[Concat(Value("chargeback-"), number, part) for part in parts])


def lost_by_seller(chargeback_ids: Iterable[int]) -> int:
    """What these chargebacks took from their trades' sellers after clearing, out of reserve or as a debt."""
    return sum_of([f"chargeback-{pk}-{part}" for pk in chargeback_ids for part in OF_SELLER])


def lost_by_exchange(chargeback_ids: Iterable[int]) -> int:
    """What these chargebacks took of buyers' fees after clearing, which is the exchange's loss."""
    return sum_of([f"chargeback-{pk}-{part}" for pk in chargeback_ids for part in OF_EXCHANGE])


@dataclass(frozen=True)
class Difference:
    """An account whose running total is not the sum of its transfers, in minor units."""

    account: str
    kept_minor: int
    computed_minor: int


def reconcile(accounts: Iterable[Account] | None = None) -> list[Difference]:
    """Every account whose running total differs from the sum of its transfers. Empty when the books are right."""
    rows = Account.objects.filter(has_floor=True) if accounts is None else accounts
    credited = dict(Transfer.objects.values_list("credit").annotate(total=Sum("amount_minor")))
    debited = dict(Transfer.objects.values_list("debit").annotate(total=Sum("amount_minor")))
    differences = []
    for account in rows:
        computed = credited.get(account.pk, 0) - debited.get(account.pk, 0)
        if account.has_floor and account.balance_minor != computed:
            differences.append(Difference(account.name, int(account.balance_minor or 0), computed))
    return differences


def totals() -> dict[str, dict[str, int]]:
    """Per currency, the balance of every kind of account; each currency sums to zero."""
    answer: dict[str, dict[str, int]] = {}
    for side, sign in (("credit", 1), ("debit", -1)):
        rows = Transfer.objects.values(currency=F(f"{side}__currency"), kind=F(f"{side}__kind")).annotate(
            total=Sum("amount_minor")
        )
        for row in rows:
            kinds = answer.setdefault(row["currency"], {})
            kinds[row["kind"]] = kinds.get(row["kind"], 0) + sign * row["total"]
    return answer


def owed_by_members(organisation_ids: Collection[int], *, locked: bool = True) -> dict[tuple[int, str], int]:
    """What these members owe the exchange, in minor units, by (organisation id, currency).

    Locks what is owed until the transaction ends, so that it is set off once: a receivable keeps no running total that
    another clearing would wait for. Who only looks asks for no lock.
    """
    rows = Account.objects.filter(kind=Kind.RECEIVABLE, organisation_id__in=organisation_ids).order_by("pk")
    receivables = list(rows.select_for_update(no_key=True) if locked else rows)
    debited, credited = (
        dict(
            Transfer.objects.filter(**{f"{side}__in": receivables})
            .order_by()
            .values_list(side)
            .annotate(total=Sum("amount_minor"))
        )
        for side in ("debit", "credit")
    )
    return {
        (int(account.organisation_id or 0), account.currency): max(
            debited.get(account.pk, 0) - credited.get(account.pk, 0), 0
        )
        for account in receivables
    }


def standings(owners: Collection[tuple[int, str]]) -> dict[tuple[int, str], tuple[int, int]]:
    """How each member stands, in minor units, by (organisation id, currency): what the exchange owes it, in reserve or
    to be paid, less what it owes the exchange; and what of it is in reserve."""
    members = {organisation_id for organisation_id, _currency in owners}
    rows = Account.objects.filter(organisation__in=members, kind__in=[Kind.PAYABLE, Kind.RESERVE])
    held = {
        (kind, int(owner or 0), currency): int(balance or 0)
        for kind, owner, currency, balance in rows.values_list("kind", "organisation", "currency", "balance_minor")
    }
    owed = owed_by_members(members, locked=False)
    reserves = {key: held.get((Kind.RESERVE, *key), 0) for key in owners}
    return {
        key: (held.get((Kind.PAYABLE, *key), 0) + reserves[key] - owed.get(key, 0), reserves[key]) for key in owners
    }


def last_id() -> int:
    """The id of the newest transfer."""
    return int(Transfer.objects.aggregate(last=Max("pk"))["last"] or 0)


def receivables_of(organisation_ids: Collection[int]) -> dict[tuple[int, str], int]:
    """The ids of what these members may owe the exchange, by (organisation id, currency), where they ever did."""
    rows = Account.objects.filter(kind=Kind.RECEIVABLE, organisation_id__in=organisation_ids)
    return {
        (int(owner or 0), currency): pk for owner, currency, pk in rows.values_list("organisation", "currency", "pk")
    }
