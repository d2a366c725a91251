"""ISO 20022 pain.002: what the bank says of a file of payments, before its statement shows the money."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.utils.translation import gettext_lazy as _

from settlement.bank.entries import MOST_ENTRIES, TooManyEntries
from settlement.bank.messages import Piece, Unreadable, pieces

REFUSED, SETTLED = ("RJCT",), ("ACSC", "ACCC")


@dataclass(frozen=True)
class Answer:
    """What became of one instruction: settled, or refused with a reason."""

    end_to_end_id: str
    is_settled: bool
    reason: str = ""


@dataclass
class Answers:
    """Final answers; files refused whole, with the reason, by message id; and how many are still on the way."""

    all: list[Answer] = field(default_factory=list)
    refused_files: dict[str, str] = field(default_factory=dict)
    pending: int = 0


def read(body: bytes) -> Answers:
    """Raises Unreadable, Unsafe, TooManyEntries."""
    answers, is_answer = Answers(), False
    for _number, piece in pieces(body, message="pain.002", below=("Document", "CstmrPmtStsRpt")):
        if piece.name == "OrgnlGrpInfAndSts":
            is_answer = True
            if piece.said("GrpSts") in REFUSED:
                answers.refused_files[piece.said("OrgnlMsgId")[:35]] = _reason(piece)
        elif piece.name == "OrgnlPmtInfAndSts":
            for one in piece.all("TxInfAndSts"):
                _take(answers, one)
    if not is_answer:
        raise Unreadable(_("The message answers no file of payments."))
    return answers


def _take(answers: Answers, one: Piece) -> None:
    status = one.said("TxSts")
    if status in REFUSED + SETTLED:
        answers.all.append(Answer(one.said("OrgnlEndToEndId")[:35], status in SETTLED, _reason(one)))
    else:
        answers.pending += 1
    if len(answers.all) > MOST_ENTRIES:
        raise TooManyEntries()


def _reason(piece: Piece) -> str:
    """The reason's code and words, such as `AC04 closed account`."""
    told = [piece.said(f"StsRsnInf/{path}") for path in ("Rsn/Cd", "Rsn/Prtry", "AddtlInf")]
    return " ".join(part for part in told if part)[:200]
