"""What must be true of the money after every step, written from the definitions and read from the rows alone.

Nothing here calls the code that books: the rows are read by SQL and added up anew. Amounts are in minor units.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

from django.db import connection

NEVER_BELOW_ZERO = {"escrow", "payable", "refund", "suspense", "fee", "reserve"}
HOLDS_ITS_PRICE = {"funded", "delivered", "disputed"}
OPENED = {"delivered", "disputed", "accepted", "cleared", "settled"}
FAILED = {"declined", "cancelled", "expired", "refunded"}
PAID_TO_THE_SELLER = {"cleared", "settled"}

ROWS = {
    "accounts": """
        SELECT a.id, a.name, a.kind, a.currency, a.organisation_id, a.trade_id, a.balance_minor,
               (SELECT coalesce(sum(amount_minor), 0) FROM settlement_transfer WHERE credit_id = a.id)
             - (SELECT coalesce(sum(amount_minor), 0) FROM settlement_transfer WHERE debit_id = a.id) AS summed
        FROM settlement_account a ORDER BY a.id""",
    "transfers": """
        SELECT t.key, t.amount_minor, t.debit_id, t.credit_id, d.kind AS debit, c.kind AS credit,
               d.name AS debit_name, c.name AS credit_name, d.currency, c.currency AS credit_currency,
               d.trade_id AS debit_trade, c.trade_id AS credit_trade, d.organisation_id AS debit_member
        FROM settlement_transfer t
        JOIN settlement_account d ON d.id = t.debit_id JOIN settlement_account c ON c.id = t.credit_id
        ORDER BY t.id""",
    "trades": """
        SELECT t.id, t.state, t.price_minor, t.buyer_fee_minor, t.currency, t.buyer_id, t.seller_id, t.listing_id,
               t.cycle_id, t.funded_at, t.is_frozen, f.seller_basis_points, coalesce(d.refund_minor, 0) AS award,
               f.buyer_basis_points, f.buyer_least_minor, f.buyer_most_minor,
               (SELECT coalesce(sum(amount_minor), 0) FROM settlement_instalment i
                WHERE i.trade_id = t.id AND i.paid_at IS NOT NULL) AS instalments_paid,
               b.country = 'CN' AND s.country = 'CN' AS is_domestic
        FROM settlement_trade t JOIN marketplace_organisation b ON b.id = t.buyer_id
        JOIN marketplace_organisation s ON s.id = t.seller_id JOIN settlement_feeschedule f ON f.id = t.fee_schedule_id
        LEFT JOIN settlement_dispute d ON d.trade_id = t.id ORDER BY t.id""",
    "payments": "SELECT id, key, trade_id, amount_minor, currency, state FROM settlement_payment ORDER BY id",
    "refunds": """
        SELECT r.id, r.key, r.trade_id, r.payment_id, r.unmatched_id, r.replaces_id, r.amount_minor, r.currency,
               r.state, EXISTS (SELECT FROM settlement_refund n WHERE n.replaces_id = r.id) AS is_replaced
        FROM settlement_refund r ORDER BY r.id""",
    "unmatched": """
        SELECT u.id, u.event_id, u.payer_reference, u.amount_minor, u.currency, u.decided_at, u.decision, p.trade_id,
               u.payment_id
        FROM settlement_unmatched u LEFT JOIN settlement_payment p ON p.id = u.payment_id ORDER BY u.id""",
    "payouts": """
        SELECT p.id, p.key, p.cycle_id, p.organisation_id, p.replaces_id, p.amount_minor, p.currency, p.state,
               p.kind, p.trade_id, p.paid_at,
               EXISTS (SELECT FROM settlement_payout n WHERE n.replaces_id = p.id) AS is_replaced
        FROM settlement_payout p ORDER BY p.id""",
    "statements": """
        SELECT cycle_id, organisation_id, currency, gross_minor, fee_minor, shares_received_minor, shares_given_minor,
            recovered_minor, reserved_minor, released_minor, net_minor, opening_minor, closing_minor, reserve_minor
        FROM settlement_statement ORDER BY id""",
    "shares": """
        SELECT f.trade_id, f.share_id, p.listing_id, l.seller_id, s.upstream_id, s.payee_id, s.basis_points
        FROM settlement_tradeshare f JOIN settlement_revenueshare s ON s.id = f.share_id
        JOIN settlement_revenuesplit p ON p.id = s.split_id JOIN listings_listing l ON l.id = p.listing_id
        ORDER BY f.id""",
    "chargebacks": """
        SELECT c.id, c.trade_id, c.payment_id, c.amount_minor, c.currency, c.state, p.state = 'paid' OR EXISTS (
            SELECT FROM settlement_unmatched u WHERE u.payment_id = p.id AND u.decision = 'applied') AS is_spent
        FROM settlement_chargeback c JOIN settlement_payment p ON p.id = c.payment_id ORDER BY c.id""",
    "cycles": "SELECT id, currency FROM settlement_clearingcycle ORDER BY id",
    "netted": """
        SELECT c.id AS cycle_id, n.organisation_id FROM settlement_clearingcycle c JOIN settlement_netting n
            ON n.granted_at <= c.closed_at AND coalesce(n.stopped_at, 'infinity') > c.closed_at
        JOIN marketplace_organisation o ON o.id = n.organisation_id AND o.country = 'CN' ORDER BY c.id""",
    "reserves": """
        SELECT r.id, r.cycle_id, r.organisation_id, r.currency, r.amount_minor, r.drawn_minor, r.released_minor,
            r.released_in_id, r.release_on, r.released_on, t.basis_points, t.days, t.begins_on, t.ends_on,
            t.currency AS terms_currency
        FROM settlement_reserve r JOIN settlement_reserveterms t ON t.id = r.terms_id ORDER BY r.id""",
    "upgrades": """
        SELECT u.id, u.state, u.price_minor, u.credit_minor, o.price_minor AS listed_minor, u.upgrades_id,
               t.price_minor + t.credit_minor AS worth_minor, g.state AS old_access, g.is_close_due AS old_ended
        FROM settlement_trade u JOIN listings_offer o ON o.id = u.offer_id
        JOIN settlement_trade t ON t.id = u.upgrades_id JOIN settlement_grant g ON g.trade_id = t.id ORDER BY u.id""",
    "heard": "SELECT body FROM settlement_notice WHERE read_at IS NOT NULL ORDER BY id",
    "said": "SELECT body FROM settlement_sandboxnotice ORDER BY id",
    "orders": "SELECT kind, key, payer_reference FROM settlement_sandboxorder ORDER BY id",
    "mended": "SELECT payer_reference FROM settlement_refundmending WHERE confirmed_at IS NOT NULL",
    "errors": """
        SELECT key, error FROM settlement_payment UNION ALL SELECT key, error FROM settlement_refund
        UNION ALL SELECT key, error FROM settlement_payout UNION ALL SELECT event_id, error FROM settlement_notice
        UNION ALL SELECT public_id, error FROM settlement_trade
        UNION ALL SELECT 'access of ' || trade_id, error FROM settlement_grant""",
}


class Books:
    """The rows of the money at one moment."""

    accounts: list[Any]
    transfers: list[Any]
    trades: list[Any]
    payments: list[Any]
    refunds: list[Any]
    unmatched: list[Any]
    payouts: list[Any]
    statements: list[Any]
    cycles: list[Any]
    netted: list[Any]
    reserves: list[Any]
    shares: list[Any]
    chargebacks: list[Any]
    upgrades: list[Any]
    heard: list[Any]
    said: list[Any]
    orders: list[Any]
    mended: list[Any]
    errors: list[Any]

    def __init__(self) -> None:
        with connection.cursor() as cursor:
            for name, query in ROWS.items():
                cursor.execute(query)
                columns = [column.name for column in cursor.description]
                found = [SimpleNamespace(**dict(zip(columns, row, strict=True))) for row in cursor.fetchall()]
                setattr(self, name, found)
        self.by_key = {one.key: int(one.amount_minor) for one in self.transfers}
        self.by_name = {account.name: int(account.summed) for account in self.accounts}

    def minor_of(self, key: str) -> int:
        """What the transfer of this key moved; nothing where there is none."""
        return self.by_key.get(key, 0)

    def fees(self, trade_id: int) -> int:
        """What of a trade's escrow became the exchange's, of both sides."""
        return self.minor_of(f"fee-{trade_id}") + self.minor_of(f"buyer-fee-{trade_id}")

    def moved(self, debit: str, *credits: str) -> Counter[int]:
        """What moved from accounts of one kind to these kinds, by the trade of the debited account."""
        found: Counter[int] = Counter()
        for one in self.transfers:
            if one.debit == debit and one.credit in credits:
                found[one.debit_trade] += one.amount_minor
        return found


def each_currency_sums_to_zero(books: Books) -> None:
    sums: Counter[str] = Counter()
    for account in books.accounts:
        sums[account.currency] += account.summed
    assert not any(sums.values()), sums
    assert all(one.currency == one.credit_currency for one in books.transfers)


def no_account_is_overdrawn_and_kept_balances_are_the_sums(books: Books) -> None:
    for account in books.accounts:
        if account.kind in NEVER_BELOW_ZERO:
            assert account.summed >= 0, f"{account.name} is overdrawn: {account.summed}"
        if account.kind == "receivable":
            assert account.summed <= 0, f"more was taken off than owed: {account.name} {account.summed}"
        if account.balance_minor is not None:
            assert account.balance_minor == account.summed, f"{account.name}: {account.balance_minor} kept"


def each_buyer_fee_is_by_its_schedule(books: Books) -> None:
    """By its definition: a share rounded half up, within its limits, at most the price, no third decimal of dinars."""
    for trade in books.trades:
        fee = int(Fraction(trade.price_minor * trade.buyer_basis_points, 10_000) + Fraction(1, 2))
        fee = max(fee, trade.buyer_least_minor or 0)
        fee = min(fee, trade.price_minor, fee if trade.buyer_most_minor is None else trade.buyer_most_minor)
        fee -= fee % _step(trade)
        assert trade.buyer_fee_minor == fee, f"trade {trade.id}: {trade.buyer_fee_minor} of {trade.price_minor}"


def _step(trade: Any) -> int:
    return 10 if trade.currency == "KWD" else 1


def _fee_back(trade: Any) -> int:
    """What of the buyer's fee goes back with the award: the same share, rounded up to what can be paid."""
    if not trade.award:
        return 0
    steps = Fraction(trade.buyer_fee_minor * trade.award, trade.price_minor * _step(trade))
    return min(-int(-steps // 1) * _step(trade), trade.buyer_fee_minor)


def _waits_for_its_bank(books: Books) -> Counter[int]:
    """What contested payments brought and is not gone, by trade: where a trade was refunded it waits for the bank."""
    left: Counter[int] = Counter()
    for one in books.payments:
        left[one.id] += books.minor_of(f"paid-{one.key}")
    for row in books.unmatched:
        left[row.payment_id] += books.minor_of(f"applied-{row.id}")
    for refund in books.refunds:
        if refund.unmatched_id is None and refund.replaces_id is None:
            left[refund.payment_id] -= refund.amount_minor
    for lost in books.chargebacks:
        left[lost.payment_id] -= books.minor_of(f"chargeback-{lost.id}-escrow")
    contested = {one.payment_id: one.trade_id for one in books.chargebacks if one.state == "open" and one.is_spent}
    found: Counter[int] = Counter()
    for payment_id, trade_id in contested.items():
        found[trade_id] += left[payment_id]
    return found


def each_trades_escrow_is_explained(books: Books) -> None:
    """What came in is the total, once, or the instalments that were paid of it; what is held follows from the state,
    of a trade that was refunded it is what contested payments brought; what left adds up to what came."""
    came: Counter[int] = Counter()
    for one in books.transfers:
        if one.credit == "escrow":
            assert one.debit in ("outside", "suspense"), f"{one.key}: escrow is filled from {one.debit}"
            came[one.credit_trade] += one.amount_minor
    fees, nets = books.moved("escrow", "fee"), books.moved("escrow", "payable")
    refunds, lost = books.moved("escrow", "refund"), books.moved("escrow", "outside")
    awarded, waits = Counter[int](), _waits_for_its_bank(books)
    for refund in books.refunds:
        if refund.unmatched_id is None and refund.replaces_id is None:
            awarded[refund.trade_id] += refund.amount_minor
    for trade in books.trades:
        holds, where = books.by_name.get(f"escrow:{trade.id}", 0), f"trade {trade.id}, {trade.state}"
        price, rest = trade.price_minor + trade.buyer_fee_minor, trade.price_minor - trade.award
        beside = trade.buyer_fee_minor - _fee_back(trade)
        due = price if trade.funded_at else trade.instalments_paid
        assert came[trade.id] == due, f"{where}: {came[trade.id]} of {price} came, not {due}"
        assert trade.instalments_paid in (0, due), f"{where}: {trade.instalments_paid} of {price} in instalments"
        assert refunds[trade.id] == awarded[trade.id], where
        expected = {"accepted": rest + beside, "registered": due, "refunded": waits[trade.id]} | dict.fromkeys(
            HOLDS_ITS_PRICE, price
        )
        assert holds == expected.get(trade.state, 0), f"{where} holds {holds} of {price}, award {trade.award}"
        if trade.state in PAID_TO_THE_SELLER:
            fee = int(Fraction(rest * trade.seller_basis_points, 10_000) + Fraction(1, 2))  # half a unit rounds up
            assert (books.minor_of(f"fee-{trade.id}"), nets[trade.id]) == (fee, rest - fee), f"{where}: {rest}"
            assert books.minor_of(f"buyer-fee-{trade.id}") == beside, where
            assert fees[trade.id] == fee + beside == books.fees(trade.id), where
            assert refunds[trade.id] == trade.award + _fee_back(trade) and not lost[trade.id], where
        else:
            assert not fees[trade.id] and not nets[trade.id], f"{where} paid its seller"
        assert came[trade.id] == holds + fees[trade.id] + nets[trade.id] + refunds[trade.id] + lost[trade.id], where


def each_share_is_of_what_its_product_got(books: Books) -> None:
    """By its definition: of what a product got of a trade, rounded down; between its seller and who is named."""
    nets = books.moved("escrow", "payable")
    trades = {trade.id: trade for trade in books.trades}

    def got(trade_id: int, listing_id: int) -> int:
        own = nets[trade_id] if listing_id == trades[trade_id].listing_id else 0
        fed = (one for one in books.shares if (one.trade_id, one.upstream_id) == (trade_id, listing_id))
        return own + sum(due(one) for one in fed)

    def due(one: Any) -> int:
        return int(Fraction(got(one.trade_id, one.listing_id) * one.basis_points, 10_000))

    moved = {one.key: one for one in books.transfers if one.key.startswith("share-")}
    for share in books.shares:
        found = moved.pop(f"share-{share.trade_id}-{share.share_id}", None)
        assert (found.amount_minor if found else 0) == due(share), f"share {share.share_id} of trade {share.trade_id}"
        if found is not None:
            sides = [f"payable:{one}:{found.currency}" for one in (share.seller_id, share.payee_id)]
            assert [found.debit_name, found.credit_name] == sides, found.key
    assert not moved, "a share that no trade froze"


def what_waits_is_what_the_rows_say(books: Books) -> None:
    """Suspense, refunds and what members are due: each account is the rows that wait, and nothing else."""
    waiting: Counter[str] = Counter()
    for row in books.unmatched:
        waiting[f"suspense:sandbox:{row.payer_reference}:{row.currency}"] += 0 if row.decided_at else row.amount_minor
    for row in books.refunds:
        waits = row.state == "due" or (row.state == "bounced" and not row.is_replaced)
        waiting[f"refund:{row.key}"] += row.amount_minor if waits else 0
    for row in books.payouts:
        waits = row.state == "due" or (row.state == "bounced" and not row.is_replaced)
        waiting[f"payable:{row.organisation_id}:{row.currency}"] += row.amount_minor if waits else 0
    for row in books.reserves:
        left = row.amount_minor - row.drawn_minor - row.released_minor
        waiting[f"reserve:{row.organisation_id}:{row.currency}"] += left
    for account in books.accounts:
        if account.kind in ("suspense", "refund", "payable", "reserve"):
            assert account.summed == waiting.pop(account.name, 0), f"{account.name} holds {account.summed}"
    assert not any(waiting.values()), waiting


def what_came_astray_is_decided_whole(books: Books) -> None:
    """Of every sum in suspense nothing left before it was decided on, and then all of it."""
    left: Counter[int] = Counter()
    for one in books.transfers:
        if found := re.fullmatch(r"applied-(\d+)|chargeback-\d+-suspense-(\d+)", one.key):
            left[int(found[1] or found[2])] += one.amount_minor
    for refund in books.refunds:
        if refund.unmatched_id and not refund.replaces_id:
            left[refund.unmatched_id] += refund.amount_minor
    for row in books.unmatched:
        assert left[row.id] == (row.amount_minor if row.decided_at else 0), f"{row.id}: {row.decision} {left[row.id]}"


def money_in_is_money_out_and_held(books: Books) -> None:
    """By what the bank said and what left: everything but the outside is held, or owed to the exchange."""
    held: Counter[str] = Counter()
    for account in books.accounts:
        if account.kind != "outside":
            held[account.currency] += account.summed
    moved: Counter[str] = Counter()
    for told in _bodies(books.heard):
        if told["type"] in ("paid", "dispute_closed"):
            moved[told["currency"]] += told["moved_minor"]
    for row in (*books.refunds, *books.payouts):
        moved[row.currency] -= row.amount_minor if row.state in ("sent", "paid") else 0
    for currency in held.keys() | moved.keys():
        assert held[currency] == moved[currency], f"{currency}: {held[currency]} held, {moved[currency]} stayed"


def _bodies(rows: Iterable[Any]) -> list[dict[str, Any]]:
    """What was said, each event once."""
    told = [json.loads(row.body) for row in rows]
    return list({one["event_id"]: one for one in told}.values())


def statements_add_up_to_the_ledger(books: Books) -> None:
    """Every line a statement sums up is in the ledger, every line of the ledger in a statement; its net is paid out."""
    cycles = {trade.id: (trade.cycle_id, trade.seller_id, trade.currency) for trade in books.trades}
    fees: Counter[Any] = Counter()
    gross: Counter[Any] = Counter()
    for trade_id, minor in books.moved("escrow", "payable").items():
        gross[cycles[trade_id]] += minor
    for trade in books.trades:
        if minor := books.minor_of(f"fee-{trade.id}"):  # a statement is the seller's: the buyer's fee is none of it
            fees[cycles[trade.id]] += minor
            gross[cycles[trade.id]] += minor
    received: Counter[Any] = Counter()
    given: Counter[Any] = Counter()
    for share in books.shares:
        if passed := books.minor_of(f"share-{share.trade_id}-{share.share_id}"):
            cycle, _seller, currency = cycles[share.trade_id]
            given[cycle, share.seller_id, currency] += passed
            received[cycle, share.payee_id, currency] += passed
    recovered = {one.key: one.amount_minor for one in books.transfers if one.credit == "receivable"}
    reserved: Counter[Any] = Counter()
    released: Counter[Any] = Counter()
    for row in books.reserves:
        reserved[row.cycle_id, row.organisation_id, row.currency] += books.minor_of(f"reserved-{row.id}")
        if row.released_in_id:
            released[row.released_in_id, row.organisation_id, row.currency] += books.minor_of(f"released-{row.id}")
    chains: defaultdict[Any, defaultdict[Any, list[Any]]] = defaultdict(lambda: defaultdict(list))
    for payout in books.payouts:
        of_member = chains[payout.cycle_id, payout.organisation_id, payout.currency]
        of_member[payout.kind, payout.trade_id].append(payout)
    brought = _brought(books)
    netted = {(row.cycle_id, row.organisation_id) for row in books.netted}
    domestic = {trade.id for trade in books.trades if trade.is_domestic}
    shares_kept = {(row.cycle_id, row.organisation_id, row.currency): row.basis_points for row in books.reserves}
    closed: Counter[tuple[int, str]] = Counter()
    for one in books.statements:
        assert one.opening_minor == closed[one.organisation_id, one.currency]
        closed[one.organisation_id, one.currency] = one.closing_minor
        key = (one.cycle_id, one.organisation_id, one.currency)
        assert (one.gross_minor, one.fee_minor) == (gross.pop(key, 0), fees.pop(key, 0)), key
        assert (one.shares_received_minor, one.shares_given_minor) == (received.pop(key, 0), given.pop(key, 0)), key
        shared = one.shares_received_minor - one.shares_given_minor
        assert one.recovered_minor == recovered.pop("recovered-{}-{}-{}".format(*key), 0), key
        assert (one.reserved_minor, one.released_minor) == (reserved.pop(key, 0), released.pop(key, 0)), key
        kept = one.reserved_minor - one.released_minor
        assert one.net_minor == one.gross_minor - one.fee_minor + shared - one.recovered_minor - kept >= 0, key
        together = domestic if key[:2] in netted else None
        paid = _paid_for(one, brought.pop(key, {}), shares_kept.get(key, 0), together)
        assert sum(paid.values()) == one.net_minor, key
        for what, chain in chains.pop(key, {}).items():
            assert [payout.amount_minor for payout in chain] == [paid.pop(what, 0)] * len(chain), (key, what)
            assert sum(not payout.is_replaced for payout in chain) == 1, (key, what)
        assert not any(paid.values()), f"{key}: {paid} is not paid out"
    assert not (gross or fees or received or given or recovered or reserved or released or chains), (
        "a movement of a member that no statement explains"
    )


def each_cycle_is_of_one_currency(books: Books) -> None:
    """What is in a cycle, stated, paid, kept back or released by it, is of its currency."""
    currencies = {cycle.id: cycle.currency for cycle in books.cycles}
    for one in (*books.trades, *books.statements, *books.payouts, *books.reserves):
        assert one.cycle_id is None or one.currency == currencies[one.cycle_id], one
    for row in books.reserves:
        assert row.released_in_id is None or row.currency == currencies[row.released_in_id], row


def _brought(books: Books) -> dict[Any, Counter[int]]:
    """What each trade brought each member: out of its escrow and by shares, by cycle, member and currency."""
    trades = {trade.id: trade for trade in books.trades}
    found: defaultdict[Any, Counter[int]] = defaultdict(Counter)
    for trade_id, minor in books.moved("escrow", "payable").items():
        trade = trades[trade_id]
        found[trade.cycle_id, trade.seller_id, trade.currency][trade_id] += minor
    for share in books.shares:
        trade = trades[share.trade_id]
        minor = books.minor_of(f"share-{share.trade_id}-{share.share_id}")
        found[trade.cycle_id, share.seller_id, trade.currency][trade.id] -= minor
        found[trade.cycle_id, share.payee_id, trade.currency][trade.id] += minor
    return found


def _paid_for(one: Any, brought: Counter[int], basis_points: int, together: set[int] | None) -> Counter[Any]:
    """What a statement pays for each trade, by its definition: debts from the first trades, then its part in reserve.

    What is kept of the first so many trades is the reserve's part of all of them together, rounded down. For a member
    with netting the trades `together` and what is released are one sum.
    """
    owes, remained, kept = one.recovered_minor, 0, 0
    paid: Counter[Any] = Counter()
    for trade_id in sorted(brought):
        taken = min(owes, brought[trade_id])
        owes -= taken
        remained += brought[trade_id] - taken
        now_kept = int(Fraction(remained * basis_points, 10_000))
        is_alone = together is None or trade_id not in together
        what = ("trade", trade_id) if is_alone else ("net", None)
        paid[what] += brought[trade_id] - taken - (now_kept - kept)
        kept = now_kept
    assert (owes, kept) == (0, one.reserved_minor)
    paid["reserve" if together is None else "net", None] += one.released_minor
    return +paid


def a_trade_is_settled_by_its_own_payout(books: Books) -> None:
    """Once that, or the net one that covers it, reached the seller, and not before; at once where there is none. No
    net one covers a trade across the border."""
    own: defaultdict[tuple[int, int], list[Any]] = defaultdict(list)
    net: defaultdict[tuple[int, int, str], list[Any]] = defaultdict(list)
    for payout in books.payouts:
        if payout.kind == "net":
            net[payout.cycle_id, payout.organisation_id, payout.currency].append(payout)
        elif payout.trade_id:
            own[payout.trade_id, payout.organisation_id].append(payout)
    paid = books.moved("escrow", "payable", "fee")
    for trade in books.trades:
        if trade.state in PAID_TO_THE_SELLER:
            is_netted = paid[trade.id] and trade.is_domestic
            covering = net[trade.cycle_id, trade.seller_id, trade.currency] if is_netted else []
            chain = own[trade.id, trade.seller_id] or covering
            arrived = not chain or any(payout.paid_at for payout in chain)
            assert (trade.state == "settled") == arrived, f"trade {trade.id} is {trade.state}"


def debts_are_what_the_bank_took_from_those_who_have_it(books: Books) -> None:
    """Of money the bank took back, whoever has it owes it: a seller never more than it was cleared, and the exchange
    bears the part that was the buyer's fee."""
    trades = {trade.id: trade for trade in books.trades}
    lost = {one.id: one for one in books.chargebacks if one.state == "lost"}
    taken: Counter[int] = Counter()
    lost_fee: Counter[int] = Counter()
    debts: Counter[tuple[int, int]] = Counter()
    lost_by: Counter[tuple[int, int]] = Counter()
    for one in books.transfers:
        if found := re.match(r"chargeback-(\d+)-", one.key):
            taken[int(found[1])] += one.amount_minor
            if one.debit == "fee":
                lost_fee[lost[int(found[1])].trade_id] += one.amount_minor
            if one.debit in ("receivable", "reserve"):
                lost_by[lost[int(found[1])].trade_id, one.debit_member] += one.amount_minor
            if one.debit == "receivable":
                debts[lost[int(found[1])].trade_id, one.debit_member] += one.amount_minor
    assert taken == {key: one.amount_minor for key, one in lost.items()}, "a loss is booked whole and once"
    cleared = books.moved("escrow", "fee", "payable")
    for (trade_id, member), minor in lost_by.items():
        trade = trades[trade_id]
        assert member in (trade.seller_id, trade.buyer_id)
        if member == trade.seller_id:
            got = cleared[trade_id] - books.minor_of(f"buyer-fee-{trade_id}")
            assert minor <= got, f"trade {trade_id}: its seller lost {minor} and got {got}"
    for trade in books.trades:
        fee, came = books.minor_of(f"buyer-fee-{trade.id}"), cleared[trade.id]
        gone = lost_fee[trade.id] + lost_by[trade.id, trade.seller_id]
        share = int(Fraction(gone * fee, came)) if came else 0
        assert lost_fee[trade.id] == share, f"trade {trade.id}: {lost_fee[trade.id]} of {fee} was lost, not {share}"
    owed_by: Counter[tuple[int, str]] = Counter()
    for (trade_id, member), owed in debts.items():
        owed_by[member, trades[trade_id].currency] += owed
    for statement in books.statements:
        owed_by[statement.organisation_id, statement.currency] -= statement.recovered_minor
    for account in books.accounts:
        if account.kind == "receivable":
            assert -account.summed == owed_by[account.organisation_id, account.currency], account.name


def each_reserve_is_by_its_terms_and_drawn_before_anybody_owes(books: Books) -> None:
    """Kept back of what remained once debts were set off, released on its day or later, in a later cycle."""
    stated = {(one.cycle_id, one.organisation_id, one.currency): one for one in books.statements}
    drawn: Counter[str] = Counter()
    for row in books.reserves:
        one, where = stated[row.cycle_id, row.organisation_id, row.currency], f"reserve {row.id}"
        got = one.gross_minor - one.fee_minor + one.shares_received_minor - one.shares_given_minor
        assert row.amount_minor == int(Fraction((got - one.recovered_minor) * row.basis_points, 10_000)), where
        day = row.release_on - dt.timedelta(days=row.days)
        assert row.begins_on <= day and (row.ends_on is None or day <= row.ends_on), where
        assert row.terms_currency in ("", row.currency), where
        assert books.minor_of(f"reserved-{row.id}") == row.amount_minor, where
        assert books.minor_of(f"released-{row.id}") == row.released_minor, where
        if row.released_in_id:
            assert row.released_minor + row.drawn_minor == row.amount_minor and row.released_on >= row.release_on, where
            assert row.released_in_id != row.cycle_id, where
        drawn[f"reserve:{row.organisation_id}:{row.currency}"] += row.drawn_minor
    for transfer in books.transfers:
        if transfer.debit == "reserve" and transfer.credit == "outside":
            assert re.fullmatch(r"chargeback-\d+-owed(-by-payer)?-reserve", transfer.key), transfer.key
            drawn[transfer.debit_name] -= transfer.amount_minor
    assert not any(drawn.values()), drawn
    for account in books.accounts:
        if account.kind == "receivable" and account.summed < 0:
            name = account.name.replace("receivable", "reserve")
            assert not books.by_name.get(name, 0), f"{account.name} owes while {name} holds something"


def an_upgrade_pays_its_price_less_what_was_unused_and_one_access_ends(books: Books) -> None:
    """No credit is more than its licence cost, none is given twice, and of the two accesses one is open."""
    in_force = [one for one in books.upgrades if one.state not in FAILED]
    assert len({one.upgrades_id for one in in_force}) == len(in_force), "a licence was credited twice"
    for one in books.upgrades:
        assert one.price_minor + one.credit_minor == one.listed_minor > one.worth_minor, one
        assert 0 <= one.credit_minor <= one.worth_minor, one
        if one.state in OPENED:
            assert one.old_ended or one.old_access == "closed", f"trade {one.id} opened beside what it replaces"


def no_contested_trade_goes_on(books: Books) -> None:
    """While the bank decides, a trade that holds the money it may take stands still, and no other."""
    open_trades = {one.trade_id for one in books.chargebacks if one.state == "open" and one.is_spent}
    for trade in books.trades:
        if trade.state in HOLDS_ITS_PRICE | {"registered", "accepted"}:
            assert trade.is_frozen == (trade.id in open_trades), f"trade {trade.id}, {trade.state}"


def each_posting_has_a_cause(books: Books) -> None:
    """The row it names exists, is in a state that allows it, and is of the same amount between the right accounts."""
    payments = {row.key: row for row in books.payments}
    outgoing = {row.key: row for row in (*books.refunds, *books.payouts)}
    events = {row.event_id: row for row in books.unmatched}
    unmatched = {str(row.id): row for row in books.unmatched}
    trades = {str(row.id): row for row in books.trades}
    chargebacks = {str(row.id): row for row in books.chargebacks}
    for one in books.transfers:
        sides = (one.debit, one.credit)
        if found := re.fullmatch(r"paid-(.+)", one.key):
            row = payments[found[1]]
            assert row.state == "paid" and one.amount_minor == row.amount_minor, one.key
            assert one.credit_name == f"escrow:{row.trade_id}" and one.debit == "outside", one.key
        elif found := re.fullmatch(r"suspense-sandbox-(.+)", one.key):
            assert events[found[1]].amount_minor == one.amount_minor and sides == ("outside", "suspense"), one.key
        elif found := re.fullmatch(r"applied-(\d+)", one.key):
            row = unmatched[found[1]]
            assert row.decision == "applied" and one.credit_trade == row.trade_id, one.key
        elif found := re.fullmatch(r"((?:refund|return|payout)-.+)-(due|sent|bounced)", one.key):
            row, what = outgoing[found[1]], found[2]
            assert one.amount_minor == row.amount_minor, one.key
            assert row.state in {"sent": ("sent", "paid", "bounced"), "bounced": ("bounced",)}.get(what, row.state)
            own = "payable" if one.key.startswith("payout") else "refund"
            if what == "due":
                source = "refund" if row.replaces_id else "suspense" if row.unmatched_id else "escrow"
                assert sides == (source, "refund"), one.key
            else:
                assert sides == ((own, "outside") if what == "sent" else ("outside", own)), one.key
        elif found := re.fullmatch(r"(fee|net|buyer-fee)-(\d+)", one.key):
            assert trades[found[2]].state in PAID_TO_THE_SELLER and one.debit_trade == int(found[2]), one.key
        elif found := re.fullmatch(r"share-(\d+)-\d+", one.key):
            assert trades[found[1]].state in PAID_TO_THE_SELLER and sides == ("payable", "payable"), one.key
        elif found := re.fullmatch(r"(reserved|released)-\d+", one.key):
            assert sides == (("payable", "reserve") if found[1] == "reserved" else ("reserve", "payable")), one.key
        elif found := re.fullmatch(r"chargeback-(\d+)-.+", one.key):
            assert chargebacks[found[1]].state == "lost" and one.credit == "outside", one.key
        else:
            assert re.fullmatch(r"recovered-\d+-\d+-[A-Z]{3}", one.key), f"{one.key} has no cause"
            assert sides == ("payable", "receivable"), one.key


def refunds_go_to_those_who_paid(books: Books) -> None:
    """Money back goes to an account money came from, unless two people named another."""
    known = {order.payer_reference for order in books.orders if order.kind == "payment"} - {""}
    known |= {told["payer"] for told in _bodies(books.said) if told["type"] == "paid"}  # one order, several accounts
    known |= {row.payer_reference for row in books.mended}
    for order in books.orders:
        if order.kind == "refund":
            assert order.payer_reference in known, f"{order.key} went to {order.payer_reference!r}"


def no_worker_met_a_fault(books: Books) -> None:
    """What a worker puts off was refused to it; a ledger that refuses a worker is a fault."""
    fault = re.compile(r"(\w*(Error|Exception|DoesNotExist)|Overdrawn|KeyMismatch|CurrencyMismatch): ")
    for row in books.errors:
        assert not fault.match(row.error), f"{row.key}: {row.error}"


PROOFS: tuple[Callable[[Books], None], ...] = (
    each_currency_sums_to_zero,
    no_account_is_overdrawn_and_kept_balances_are_the_sums,
    each_buyer_fee_is_by_its_schedule,
    each_trades_escrow_is_explained,
    each_share_is_of_what_its_product_got,
    what_waits_is_what_the_rows_say,
    what_came_astray_is_decided_whole,
    money_in_is_money_out_and_held,
    statements_add_up_to_the_ledger,
    each_cycle_is_of_one_currency,
    a_trade_is_settled_by_its_own_payout,
    debts_are_what_the_bank_took_from_those_who_have_it,
    each_reserve_is_by_its_terms_and_drawn_before_anybody_owes,
    an_upgrade_pays_its_price_less_what_was_unused_and_one_access_ends,
    no_contested_trade_goes_on,
    each_posting_has_a_cause,
    refunds_go_to_those_who_paid,
    no_worker_met_a_fault,
)


def prove() -> Books:
    """Every proof, on the rows as they are now."""
    books = Books()
    for proof in PROOFS:
        proof(books)
    return books


def prove_all_is_paid() -> None:
    """When everything was worked off: nothing is held, and the bank's own list of movements is what the ledger says."""
    books = prove()
    for account in books.accounts:
        if account.kind in ("escrow", "suspense", "refund", "payable", "reserve"):
            assert not account.summed, f"{account.name} still holds {account.summed}"
    moved: Counter[str] = Counter()
    for told in _bodies(books.said):
        moved[told["currency"]] += told["moved_minor"]
    for account in books.accounts:
        if account.kind == "outside":
            assert moved.pop(account.currency, 0) == -account.summed, account.name
    assert not any(moved.values()), moved
