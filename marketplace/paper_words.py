"""A paper's record for the screen: the same labels, in the same three languages, as its PDF."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

from django.utils.translation import override, pgettext

from marketplace import marks
from marketplace.money import Money
from marketplace.typesetting import LANGUAGES, PAPERS, SCHEMA, in_language

# What of a record is shown, in this order: its key, the word for it, and the shape of its value.
_SHOWN = [
    ("invoice_number", "invoice_number", "code"),
    ("corrects_number", "corrects_number", "code"),
    ("supplied", "supplied", "supplied"),
    ("trade_number", "trade_number", "code"),
    ("register_number", "register_number", "code"),
    ("certificate_number", "certificate_number", "code"),
    ("contract_number", "contract_number", "code"),
    ("delivery_number", "delivery_number", "code"),
    ("acceptance_number", "acceptance_number", "code"),
    ("product_type", "product", "product"),
    ("holder", "holder", "party"),
    ("member", "member", "party"),
    ("supplier", "supplier", "party"),
    ("customer", "customer", "party"),
    ("net_minor", "net_of_vat", "sum"),
    ("taxes", "taxes", "taxes"),
    ("gross_minor", "gross", "sum"),
    ("seller", "seller", "party"),
    ("buyer", "buyer", "party"),
    ("plan", "plan", "text"),
    ("price_minor", "price", "price"),
    ("discount_percent", "discount", "discount"),
    ("quantity", "calls", "calls"),
    ("credit_minor", "credit", "credit"),
    ("buyer_fee_minor", "buyer_fees", "fee_beside"),
    ("total_minor", "total_to_pay", "sum"),
    ("purchase_order", "purchase_order", "text"),
    ("purpose", "purpose", "text"),
    ("valid_until_at", "valid_until", "time"),
    ("pay_within_days", "payment", "pay_within"),
    ("instalments", "instalments", "instalments"),
    ("quoted_by", "quoted_by", "text"),
    ("coverage_area", "covers", "covers"),
    ("rights", "rights", "rights"),
    ("source_statement", "source", "text"),
    ("lawful_basis", "lawful_basis", "basis"),
    ("classification", "classification", "classification"),
    ("plans", "plans", "plans"),
    ("channel", "channel", "channel"),
    ("inspection_days", "inspection", "days"),
    ("governing_law", "governing_law", "text"),
    ("forum", "forum", "text"),
    ("cycle", "cycle", "code"),
    ("payout_reference", "payout_reference", "payout"),
    ("agreements", "agreed", "agreements"),
    ("proposed_at", "course_proposed_at", "time"),
    ("agreed_at", "course_agreed_at", "time"),
    ("registered_at", "course_registered_at", "time"),
    ("objections_until_at", "objections_until", "time"),
    ("listed_at", "listed_at", "time"),
    ("funded_at", "course_funded_at", "time"),
    ("delivered_at", "course_delivered_at", "time"),
    ("access_ends_at", "access_ends", "end"),
    ("inspect_ends_at", "inspect_ends", "time"),
    ("accepted_at", "course_accepted_at", "time"),
    ("how", "accepted", "how"),
    ("accepted_by", "accepted_by", "person"),
    ("refund_minor", "given_back", "price"),
    ("fee_back_minor", "fee_back", "sum"),
    ("cleared_at", "course_cleared_at", "time"),
    ("settled_at", "course_settled_at", "time"),
    ("release_digest", "release_digest", "digest"),
    ("delivery_digest", "delivery_digest", "digest"),
    ("crossborder_digest", "crossborder_digest", "digest"),
    ("text_digest", "text_digest", "digest"),
    ("agreement_digest", "agreement_digest", "digest"),
    ("journal", "journal", "journal"),
]
_AMOUNTS = ("gross", "fee", "net")
FILES_SHOWN = 100  # of a manifest on a page; the paper names them all
SAID_WHEN_MISSING = ("price", "payout", "end", "plans")  # shapes for which nothing means something


@dataclass(frozen=True)
class Row:
    """One line of a paper: `shape` says how a template shows `value`: text, code, digest, party, money, time, lines."""

    label: str
    shape: str
    value: Any


@cache
def words(language: str) -> dict[str, str]:
    """The words of papers in one of `typesetting.LANGUAGES`; those of the newest schema, which has all of the older."""
    every = json.loads((PAPERS / str(SCHEMA) / "words.json").read_text("utf-8"))
    return {key: texts[language] for key, texts in every.items()}


class _Marks(NamedTuple):
    """What stands between two values: Chinese has marks of its own."""

    colon: str
    between_things: str
    in_sentence: str


@cache
def _marks(language: str) -> _Marks:
    with override(language):
        return _Marks(
            colon=pgettext("after a word, before what is said of it", ": "),
            between_things=pgettext("between things named", ", "),
            in_sentence=pgettext("between parts of a sentence", ", "),
        )


def language_of(code: str | None) -> str:
    """The language of papers nearest to a page's."""
    return code if code in LANGUAGES else "en"


def title(record: dict[str, Any], otherwise: str, language: str) -> str:
    """The product's title in this language; of a statement, its cycle and currency."""
    if "cycle" in record:
        return f"{words(language)['cycle']} {record['cycle']} · {record['currency']}"
    return str(in_language(record["titles"], language)) if record.get("titles") else otherwise


def rows(record: dict[str, Any], language: str) -> list[Row]:
    """What a record says, line by line; its licence and the lines of a statement apart."""
    said = words(language)
    return [
        Row(said[word], *_row(shape, record[key], record, language))
        for key, word, shape in _SHOWN
        if key in record
        and (record[key] is not None or shape in SAID_WHEN_MISSING)
        and (shape != "pay_within" or "instalments" not in record)
    ]


def _row(shape: str, value: Any, record: dict[str, Any], language: str) -> tuple[str, Any]:
    said = words(language)
    match shape:
        case "price":
            return _price(value, record, said)
        case "calls":
            unit = Money(record["unit_price_minor"], record["currency"])
            return "text", said["calls_at"].replace("{quantity}", f"{value:,}").replace("{unit}", str(unit))
        case "discount":
            listed = Money(record["list_price_minor"], record["currency"])
            return "text", said["discount_of"].replace("{percent}", str(value)).replace("{list}", str(listed))
        case "pay_within":
            return "text", said["pay_within"].replace("{days}", str(value))
        case "instalments":
            return "lines", [_instalment(one, record, said) for one in value]
        case "credit":
            credit, full = (Money(record[key], record["currency"]) for key in ("credit_minor", "full_price_minor"))
            text = said["credit_of"].replace("{credit}", str(credit)).replace("{full}", str(full))
            return "text", text.replace("{trade}", record["upgraded_trade_number"])
        case "fee_beside":
            return "text", said["fee_beside"].replace("{fee}", str(Money(value, record["currency"])))
        case "sum":
            return "money", Money(value, record["currency"])
        case "supplied":
            return "text", said[f"supplied_{value}"]
        case "taxes":
            return "lines", _taxes(value, record, language) or [said["taxes_unknown"]]
        case "time":
            return "time", dt.datetime.fromisoformat(value)
        case "product":
            return "text", f"{said[f'type_{value}']} · {said['version']} {record['version']}"
        case "party":
            return "party", value | {"seat": in_language(value.get("seat", {}), language)}
        case "covers":
            return "lines", _covers(record, said, language)
        case "basis":
            return "text", said.get(f"basis_{value}", value)
        case "classification":
            personal = said["personal_data_yes" if record.get("has_personal_data") else "personal_data_no"]
            return "lines", [said.get(f"class_{value}", value), personal]
        case "days":
            return "text", said["inspection_days"].replace("{days}", str(value))
        case "end":
            return ("time", dt.datetime.fromisoformat(value)) if value else ("text", said["access_without_end"])
        case "channel":
            return "text", said.get(f"channel_{value}", value)
        case "plans":
            return "lines", _plans(value, said, language)
        case "how":
            return "text", said[f"accepted_by_{value}"]
        case "person":
            role = said.get(f"role_{value['role']}", value["role"])
            return "text", _marks(language).in_sentence.join([value["person"], role])
        case "payout":
            return ("code", value) if value else ("text", said["payout_none"])
        case "rights":
            return "lines", [_right(name, value.get(name, {}), language) for name in ("holding", "use", "operation")]
        case "agreements":
            return "agreements", [
                {
                    "organisation": one["organisation"],
                    "person": one.get("person", ""),
                    "at": dt.datetime.fromisoformat(one["agreed_at"]),
                }
                for one in value
            ]
        case "journal":
            place = said["journal_entry"].replace("{position}", str(value["position"]))
            return "journal", {"place": place.replace("{size}", str(value["size"])), "root": value["root"]}
    return shape, in_language(value, language) if isinstance(value, dict) and set(value) <= set(LANGUAGES) else value


def _price(value: int | None, record: dict[str, Any], said: dict[str, str]) -> tuple[str, Any]:
    if value is None:
        return "text", said["price_withheld"]
    if "metered_unit_minor" in record:
        unit = Money(record["metered_unit_minor"], record["currency"])
        return "text", said["calls_billed"].replace("{unit}", str(unit))
    return ("money", Money(value, record["currency"])) if value else ("text", said["price_free"])


def _instalment(one: dict[str, Any], record: dict[str, Any], said: dict[str, str]) -> str:
    words = said["instalment_within" if one["due_days"] else "instalment_at_once"].replace(
        "{days}", str(one["due_days"])
    )
    amount = str(Money(one["amount_minor"], record["currency"]))
    return words.replace("{percent}", one["percent"]).replace("{amount}", amount)


def _taxes(taxes: list[dict[str, Any]], record: dict[str, Any], language: str) -> list[str]:
    said, colon = words(language), _marks(language).colon
    with override(language):
        return [
            f"{said['tax_' + tax['tax']]} {marks.percent(tax['percent'])}"
            f"{colon}{Money(tax['amount_minor'], record['currency'])}"
            for tax in taxes
        ]


def _covers(record: dict[str, Any], said: dict[str, str], language: str) -> list[str]:
    """The area and the period that a registered product covers."""
    start, end = record.get("covers_from_on"), record.get("covers_until_on")
    period = f"{start} – {end}" if end else said["covers_since"].replace("{start}", start) if start else ""
    return [line for line in (in_language(record["coverage_area"], language), period) if line]


def _plans(plans: dict[str, Any] | None, said: dict[str, str], language: str) -> list[str]:
    """On what kind of plans a product is listed, a line each for prices, buyers, channels and territory."""
    if plans is None:
        return [said["plans_none"]]
    comma = _marks(language).between_things
    coded = (("price", plans["prices"]), ("audience", plans["audiences"]), ("channel", plans["channels"]))
    return [
        *(comma.join(said.get(f"{prefix}_{code}", code) for code in codes) for prefix, codes in coded),
        in_language(plans["territory"], language),
    ]


def _right(name: str, claim: dict[str, Any], language: str) -> str:
    said, colon = words(language), _marks(language).colon
    what = said[f"right_{name}"]
    if not claim.get("held"):
        return f"{what}{colon}{said['right_not_claimed']}"
    return f"{what}{colon}{claim['basis']}" if claim.get("basis") else what


def licence(record: dict[str, Any], language: str) -> list[dict[str, Any]]:
    """What the buyer may, may not and must do: `{part, label, items}`, nothing for papers without a licence."""
    whole = in_language(record["licence"], language) if record.get("licence") else {}
    return [
        {"part": part, "label": words(language)[part], "items": whole[part]}
        for part in ("may", "may_not", "must")
        if part in whole
    ]


def manifest(record: dict[str, Any], language: str) -> dict[str, Any] | None:
    """The files of a delivery record, as far as a page shows them; None for other papers."""
    if "files" not in record:
        return None
    said = words(language)
    count = len(record["files"]) + record.get("files_left_out", 0)
    summed = said["manifest_sum"].replace("{files}", f"{count:,}").replace("{bytes}", f"{record['total_bytes']:,}")
    return {
        "title": said["manifest"],
        "sum": summed,
        "labels": [said["file"], said["bytes"], said["sha256"]],
        "files": record["files"][:FILES_SHOWN],
        "left_out": count - len(record["files"][:FILES_SHOWN]),
    }


def articles(record: dict[str, Any], language: str) -> list[dict[str, Any]]:
    """The articles of a contract: `{head, clauses}`; nothing for papers without."""
    return in_language(record["articles"], language) if record.get("articles") else []


def statement(record: dict[str, Any], language: str) -> dict[str, Any] | None:
    """The lines and sums of a settlement statement as amounts; None for other papers."""
    if "lines" not in record:
        return None
    currency = record["currency"]

    def amounts(line: dict[str, Any]) -> list[Money]:
        return [Money(line[f"{part}_minor"], currency) for part in _AMOUNTS]

    said = words(language)
    return {
        "labels": [said[part] for part in ("trade", "product", *_AMOUNTS)],
        "lines": [
            {
                "number": line["trade_number"],
                "title": in_language(line["titles"], language),
                "amounts": amounts(line),
            }
            for line in record["lines"]
        ],
        "total": said["total"],
        "totals": amounts(record["totals"]),
        "after": [
            {"label": said[part], "money": Money(record[f"{part}_minor"], currency)}
            for part in ("shares", "recovered", "reserved", "released", "payable")
            if f"{part}_minor" in record
        ]
        + [
            {"label": said[f"balance_{part}"], "money": Money(record[f"{part}_minor"], currency)}
            for part in ("opening", "closing")
            if f"{part}_minor" in record
        ]
        + (
            [{"label": said["reserve"], "money": Money(record["reserve_minor"], currency)}]
            if "reserve_minor" in record
            else []
        ),
    }


def sandbox(kind: str, language: str) -> str:
    """What stands on the face of a paper behind which no money moves."""
    said = words(language)
    return said.get(f"sandbox_{kind}", said["sandbox"])
