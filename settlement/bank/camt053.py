"""ISO 20022 camt.053: a bank's statement of booked entries. Every version is read by the names they share."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from marketplace import clock
from settlement.bank import accounts
from settlement.bank.accounts import Account
from settlement.bank.entries import (
    LONGEST_TEXT,
    AtFault,
    DoesNotAddUp,
    Entry,
    FutureStatement,
    Told,
    WrongAccount,
    WrongStatementCurrency,
    amount,
    day,
    reference,
)
from settlement.bank.messages import Piece, Unreadable, pieces

_OPENING, _CLOSING = ("OPBD", "PRCD"), ("CLBD",)


@dataclass
class _Statement:
    """One statement of the file: its account, its balances, and what its booked entries sum to, None if unknown."""

    account: Account | None = None
    opening_minor: int | None = None
    closing_minor: int | None = None
    moved_minor: int | None = 0

    def require_whole(self) -> None:
        if self.account is None:
            raise Unreadable(_("The statement names no account."))
        if self.opening_minor is None or self.closing_minor is None or self.moved_minor is None:
            return
        if self.opening_minor + self.moved_minor != self.closing_minor:
            raise DoesNotAddUp()


def read(body: bytes) -> Told:
    """Every booked entry of the file. One at fault is left out, with its reason.

    Raises Unreadable, Unsafe, WrongAccount, WrongStatementCurrency, FutureStatement, DoesNotAddUp, TooManyEntries:
    then nothing of the file can be relied on.
    """
    told, statements = Told(), dict[int, _Statement]()
    for number, piece in pieces(body, message="camt.053", below=("Document", "BkToCstmrStmt", "Stmt")):
        statement = statements.setdefault(number, _Statement())
        if piece.name == "CreDtTm" and piece.text.strip()[:10] > clock.today().isoformat():
            raise FutureStatement()
        if piece.name == "Acct":
            statement.account = _account(piece)
        elif piece.name == "Bal":
            _weigh(statement, piece)
        elif piece.name == "Ntry":
            _take(told, statement, piece)
    if not statements:
        raise Unreadable(_("The message holds no statement."))
    for statement in statements.values():
        statement.require_whole()
    told.without_twins()
    return told


def _account(piece: Piece) -> Account:
    number = accounts.number_of(piece.said("Id/IBAN") or piece.said("Id/Othr/Id"))
    same = [account for account in accounts.ours().values() if account.number == number]
    if not same:
        raise WrongAccount()
    currency = piece.said("Ccy")
    same = [account for account in same if currency in ("", account.currency)]
    if len(same) != 1:
        raise WrongStatementCurrency()
    return same[0]


def _weigh(statement: _Statement, piece: Piece) -> None:
    """Keep the opening and the closing balance."""
    code, sum_of = piece.said("Tp/CdOrPrtry/Cd"), piece.one("Amt")
    if statement.account is None or sum_of is None or code not in _OPENING + _CLOSING:
        return
    if sum_of.attributes.get("Ccy", "") != statement.account.currency:
        raise WrongStatementCurrency()
    written = sum_of.text.strip()
    try:
        minor = 0 if not written.strip("0.") else amount(written, statement.account.currency, statement.account)
    except AtFault:
        raise Unreadable(_("A balance of the statement is no amount.")) from None
    minor = -minor if piece.said("CdtDbtInd") == "DBIT" else minor
    if code in _CLOSING:
        statement.closing_minor = minor
    elif code == "OPBD" or statement.opening_minor is None:
        statement.opening_minor = minor


def _take(told: Told, statement: _Statement, piece: Piece) -> None:
    account = statement.account
    if account is None:
        raise Unreadable(_("The statement names no account before its entries."))
    place = told.count()
    if (piece.said("Sts/Cd") or piece.said("Sts")) != "BOOK":
        told.unbooked += 1
        return
    minor = 0
    try:
        minor = _signed(piece, account)
        entries = _entries(piece, account, minor)
    except AtFault as fault:
        told.leave_out(place, fault.code, piece.said("AcctSvcrRef"))
    else:
        told.entries += entries
    if statement.moved_minor is not None:
        statement.moved_minor = statement.moved_minor + minor if minor else None


def _signed(piece: Piece, account: Account) -> int:
    """The entry's amount, negative for money that went. Raises AtFault."""
    sum_of = piece.one("Amt") or Piece("Amt")
    minor = amount(sum_of.text.strip(), sum_of.attributes.get("Ccy", ""), account)
    direction = piece.said("CdtDbtInd")
    if direction not in ("CRDT", "DBIT"):
        raise AtFault("no_direction")
    return minor if direction == "CRDT" else -minor


def _entries(piece: Piece, account: Account, signed_minor: int) -> list[Entry]:
    """The entry, or its parts where it gathers several transfers. Raises AtFault."""
    booked_on = day(piece.said("BookgDt/Dt") or piece.said("BookgDt/DtTm"))
    transfers = piece.all("NtryDtls/TxDtls")
    own = piece.said("AcctSvcrRef") or (transfers[0].said("Refs/AcctSvcrRef") if len(transfers) == 1 else "")
    bank_reference, is_credit = reference(own), signed_minor > 0
    if len(transfers) < 2:
        one = transfers[0] if transfers else Piece("TxDtls")
        names = _names(one, piece, is_credit=is_credit)
        return [Entry(account, bank_reference, is_credit, abs(signed_minor), booked_on, **names)]
    parts = []
    for number, one in enumerate(transfers, 1):
        sum_of = one.one("Amt") or one.one("AmtDtls/TxAmt/Amt") or Piece("Amt")
        minor = amount(sum_of.text.strip(), sum_of.attributes.get("Ccy", ""), account)
        names = _names(one, piece, is_credit=is_credit)
        parts.append(Entry(account, f"{bank_reference}-{number}", is_credit, minor, booked_on, **names))
    if sum(part.amount_minor for part in parts) != abs(signed_minor):
        raise AtFault("parts_differ")
    return parts


def _names(one: Piece, entry: Piece, *, is_credit: bool) -> dict[str, str]:
    """What the payer wrote, who it is, and the end-to-end id."""
    structured = [ref.text.strip() for ref in one.all("RmtInf/Strd/CdtrRefInf/Ref")]
    words = [*structured, *(line.text.strip() for line in one.all("RmtInf/Ustrd")), entry.said("AddtlNtryInf")]
    side = "Dbtr" if is_credit else "Cdtr"
    holder = one.said(f"RltdPties/{side}/Pty/Nm") or one.said(f"RltdPties/{side}/Nm")
    number = one.said(f"RltdPties/{side}Acct/Id/IBAN") or one.said(f"RltdPties/{side}Acct/Id/Othr/Id")
    agent = f"RltdAgts/{side}Agt/FinInstnId"
    end_to_end_id = one.said("Refs/EndToEndId")
    return {
        "text": " ".join(" ".join([*filter(None, words)]).split())[:LONGEST_TEXT],
        "payer": accounts.as_written(number, one.said(f"{agent}/BICFI") or one.said(f"{agent}/BIC"), holder),
        "end_to_end_id": "" if end_to_end_id == "NOTPROVIDED" else end_to_end_id[:35],
    }
