"""What a bank writes, for tests: statements and status reports, as banks write them."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from marketplace import clock
from settlement.models import BankInstruction

ACCOUNTS = {
    "HKD": {"name": "Exchange Limited", "number": "012-345-678901", "bic": "BKCHHKHH"},
    "EUR": {"name": "Exchange Limited", "number": "DE89 3704 0044 0532 0130 00", "bic": "COBADEFFXXX"},
}
PAYER = "GB29NWBK60161331926819/NWBKGB2L/A Payer Limited"
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Line:
    """One entry of a statement; `minor` is negative for money that went, in a currency of two decimals."""

    minor: int
    text: str = ""
    end_to_end_id: str = ""
    reference: str = ""
    payer: str = PAYER
    on: dt.date | None = None
    status: str = "BOOK"
    currency: str = "HKD"

    def written(self) -> str:
        number, bank, holder = self.payer.split("/", 2)
        side = "Dbtr" if self.minor > 0 else "Cdtr"
        amount = f'<Amt Ccy="{self.currency}">{decimal(abs(self.minor))}</Amt>'
        way = f"<CdtDbtInd>{'CRDT' if self.minor > 0 else 'DBIT'}</CdtDbtInd>"
        on = self.on or clock.today()
        return f"""<Ntry>{amount}{way}<Sts><Cd>{self.status}</Cd></Sts><BookgDt><Dt>{on}</Dt></BookgDt>
            <AcctSvcrRef>{self.reference or next_reference()}</AcctSvcrRef><NtryDtls><TxDtls>
            <Refs><EndToEndId>{self.end_to_end_id or "NOTPROVIDED"}</EndToEndId></Refs>
            <RltdPties><{side}><Pty><Nm>{escape(holder)}</Nm></Pty></{side}>
            <{side}Acct><Id><IBAN>{number}</IBAN></Id></{side}Acct></RltdPties>
            <RltdAgts><{side}Agt><FinInstnId><BICFI>{bank}</BICFI></FinInstnId></{side}Agt></RltdAgts>
            <RmtInf><Ustrd>{escape(self.text)}</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>"""


def decimal(minor: int) -> str:
    return f"{minor // 100}.{minor % 100:02d}"


def next_reference() -> str:
    return f"BANK{next(_numbers):08d}"


def camt053(
    lines: Sequence[Line | str],
    *,
    number: str = "012345678901",
    currency: str = "HKD",
    balances: str = "",
    made: str = "",
) -> bytes:
    """A statement of one account; a line may also be written out."""
    entries = "".join(line if isinstance(line, str) else line.written() for line in lines)
    made = made or dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    return f"""<?xml version="1.0" encoding="UTF-8"?>
        <Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt>
        <GrpHdr><MsgId>M{next(_numbers)}</MsgId><CreDtTm>{made}</CreDtTm></GrpHdr>
        <Stmt><Id>S{next(_numbers)}</Id><CreDtTm>{made}</CreDtTm>
        <Acct><Id><Othr><Id>{number}</Id></Othr></Id><Ccy>{currency}</Ccy></Acct>{balances}{entries}
        </Stmt></BkToCstmrStmt></Document>""".encode()


def balance(code: str, minor: int, currency: str = "HKD") -> str:
    way = "CRDT" if minor >= 0 else "DBIT"
    return f"""<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy="{currency}">{decimal(abs(minor))}</Amt>
        <CdtDbtInd>{way}</CdtDbtInd><Dt><Dt>2026-01-01</Dt></Dt></Bal>"""


def pain002(statuses: Sequence[tuple[str, str]], *, file: str = "DX", group: str = "") -> bytes:
    """What the bank says of a file: (end-to-end id, status) of each, or a status of the whole."""
    whole = f"<GrpSts>{group}</GrpSts><StsRsnInf><AddtlInf>not signed</AddtlInf></StsRsnInf>" if group else ""
    each = "".join(
        f"<TxInfAndSts><OrgnlEndToEndId>{end_to_end_id}</OrgnlEndToEndId><TxSts>{status}</TxSts>"
        "<StsRsnInf><Rsn><Cd>AC04</Cd></Rsn><AddtlInf>closed account</AddtlInf></StsRsnInf></TxInfAndSts>"
        for end_to_end_id, status in statuses
    )
    return f"""<?xml version="1.0"?><Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"><CstmrPmtStsRpt>
        <GrpHdr><MsgId>R{next(_numbers)}</MsgId></GrpHdr>
        <OrgnlGrpInfAndSts><OrgnlMsgId>{file}</OrgnlMsgId>{whole}</OrgnlGrpInfAndSts>
        <OrgnlPmtInfAndSts><OrgnlPmtInfId>{file}</OrgnlPmtInfId>{each}</OrgnlPmtInfAndSts>
        </CstmrPmtStsRpt></Document>""".encode()


def debit_of(instruction: BankInstruction, **more: str) -> Line:
    """The statement's entry of money the bank sent for us."""
    return Line(-instruction.amount_minor, end_to_end_id=instruction.end_to_end_id, payer=instruction.payee, **more)
