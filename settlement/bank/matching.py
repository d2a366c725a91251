"""What an entry of a statement means: money for a payment, money we sent, money that came back, or neither.

A payer is known by one creditor reference that is ours. Money with none, or with several, names no payment: it goes
the way of every payment that fits no trade.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from settlement.bank import references
from settlement.bank.entries import Entry
from settlement.bank.pain002 import Answers
from settlement.models import BankEntry, BankInstruction, BankReference, BankReport

READING = BankEntry.Reading
AT_ONCE = 1_000


def enter(report: BankReport, entries: Sequence[Entry]) -> list[bytes]:
    """Write these entries down, each with what it means; what is to be told of them, as notices."""
    quoted = {entry.name: references.found_in(entry.text, entry.end_to_end_id) for entry in entries if entry.is_credit}
    ours = {
        row.reference: row
        for row in BankReference.objects.filter(
            reference__in={one for found in quoted.values() for one in found}
        ).select_related("payment")
    }
    sent = {
        row.end_to_end_id: row
        for row in BankInstruction.objects.filter(
            end_to_end_id__in={entry.end_to_end_id for entry in entries if entry.end_to_end_id}, file__isnull=False
        )
    }
    rows, notices = [], []
    for entry in entries:
        row = BankEntry(
            report=report,
            account=entry.account.number,
            bank_reference=entry.bank_reference,
            is_credit=entry.is_credit,
            amount_minor=entry.amount_minor,
            currency=entry.account.currency,
            booked_on=entry.booked_on,
            text=entry.text,
            payer=entry.payer,
        )
        _read(row, sent.get(entry.end_to_end_id), [ours[one] for one in quoted.get(entry.name, ()) if one in ours])
        rows.append(row)
        if told := _told(row):
            notices.append(json.dumps(told, sort_keys=True).encode())
    BankEntry.objects.bulk_create(rows, batch_size=AT_ONCE)
    return notices


def _read(row: BankEntry, instruction: BankInstruction | None, named: Sequence[BankReference]) -> None:
    """Say what the entry means; what we sent, and what came back of it, is known by its exact amount too."""
    if instruction and (instruction.amount_minor, instruction.currency) == (row.amount_minor, row.currency):
        row.instruction, row.reading = instruction, READING.RETURNED if row.is_credit else READING.SENT
    elif not row.is_credit:
        row.reading = READING.OTHER
    elif len(named) == 1:
        row.payment, row.reading = named[0].payment, READING.PAYMENT
    else:
        row.reading = READING.UNKNOWN


def event_id_of(row: BankEntry) -> str:
    """What the entry is called wherever it is told of."""
    return f"{row.account}-{row.currency}-{row.bank_reference}"


def _told(row: BankEntry) -> dict[str, Any]:
    event: dict[str, Any] = {
        "event_id": event_id_of(row),
        "amount_minor": row.amount_minor,
        "currency": row.currency,
        "booked_on": row.booked_on.isoformat(),
    }
    if row.instruction:
        what = "returned" if row.is_credit else "sent"
        return event | {
            "told": f"{row.instruction.kind}_{what}",
            "key": row.instruction.key,
            "reason": row.text or "the bank returned it",
        }
    if not row.is_credit:
        return {}
    payer = row.payer or f"entry {row.bank_reference}"  # each its own, as nobody knows whether they are the same
    return event | {"told": "paid", "key": row.payment.key if row.payment else "", "payer": payer}


def answered(answers: Answers) -> tuple[list[bytes], list[dict[str, Any]]]:
    """What is to be told of the bank's answers to our files, and those that answer nothing of ours."""
    instructions = BankInstruction.objects.filter(file__isnull=False)
    whole = {row.pk: row for row in instructions.filter(file__message_id__in=answers.refused_files)}
    named = {
        row.end_to_end_id: row
        for row in instructions.filter(end_to_end_id__in={one.end_to_end_id for one in answers.all})
    }
    told = {
        row.end_to_end_id: ("returned", answers.refused_files[row.file.message_id])
        for row in whole.values()
        if row.file
    }
    rows = named | {row.end_to_end_id: row for row in whole.values()}
    refused = []
    for place, one in enumerate(answers.all, 1):
        if one.end_to_end_id in named:
            told[one.end_to_end_id] = ("sent" if one.is_settled else "returned", one.reason)
        else:
            refused.append({"entry": place, "code": "unknown_instruction", "reference": one.end_to_end_id})
    notices = []
    for end_to_end_id, (what, reason) in told.items():
        row = rows[end_to_end_id]
        event = {"event_id": f"status-{end_to_end_id}-{what}", "told": f"{row.kind}_{what}", "key": row.key}
        notices.append(json.dumps(event | {"reason": reason or "the bank refused it"}, sort_keys=True).encode())
    return notices, refused
