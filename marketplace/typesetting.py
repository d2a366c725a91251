"""Papers as PDF: a plain record in, the same bytes out, in English, simplified or traditional Chinese.

A record is a JSON object (see `canonical`), kept with its digest; its PDF can be made again at any time and is then
byte for byte the same. Names end as everywhere: `…_at` is an ISO 8601 moment with its offset, `…_on` a day, `…_minor`
whole minor units of the record's `currency`. A text that exists in several languages is an object of language codes
(`titles`, `licence`, and where wanted `source_statement`, `governing_law`). An organisation is `{name, latin_name,
number_kind, registration_number, seat}`, the last four optional. What each kind holds:

every paper               number, issuer (the exchange's name), issued_at, schema (whose templates set it, see SCHEMAS)
registration_certificate  register_number, holder, titles, product_type, version, source_statement, classification,
                          rights {holding, use, operation: {held, basis}}, has_personal_data, release_digest,
                          registered_at; optional lawful_basis, objections_until_at, coverage_area, covers_from_on,
                          covers_until_on (null: it goes on)
listing_certificate       register_number, certificate_number (of the registration), holder, titles, product_type,
                          version, classification, listed_at, plans {prices, audiences, channels: [code],
                          territory {language: text}} or null
trade_contract            trade_number, register_number, seller, buyer, titles, product_type, version, release_digest,
                          licence {language: {may, may_not, must: [{text, kept}]}}, price_minor (0 is free), currency,
                          inspection_days, governing_law, agreements [{organisation, agreed_at}];
                          optional rules_digest (of the exchange rules both accepted), agreement_digest, channel and
                          articles {language: [{head, clauses: [text]}]} with contract_version, text_digest and forum,
                          purchase_order, list_price_minor with discount_percent (also in a certificate), quantity
                          with unit_price_minor (of each call; also in a certificate and an invoice), credit_minor with
                          full_price_minor and upgraded_trade_number (likewise), instalments [{percent, amount_minor,
                          due_days}] (also in a quote), metered_unit_minor (what each call costs that is billed
                          afterwards; also in a certificate), billed_trade_number with first_call (whose calls a bill
                          is of; also in a delivery record and a certificate), buyer_fee_minor (to the exchange) with
                          total_minor (price and fee; also in a quote); an agreement may say side, person, role
delivery_record           trade_number, contract_number, register_number, seller, buyer, titles, product_type, version,
                          channel, delivery_digest, files [{path, size_bytes, sha256}], total_bytes, funded_at,
                          delivered_at, access_ends_at (or null), inspect_ends_at; optional crossborder_digest
invoice, credit_note      invoice_number, supplier, customer, supplied (licence, fee, buyer_fee), trade_number, titles,
                          product_type, version, currency, gross_minor, net_minor, taxes [{tax, percent, amount_minor;
                          optional source {language: text}}], cleared_at; optional purchase_order; of a credit note also
                          corrects_number and corrects_paper_number
quote                     seller, buyer, titles, product_type, version, register_number, plan, currency, price_minor,
                          gross_minor, net_minor, taxes (as in an invoice), licence (as in the contract),
                          inspection_days, pay_within_days, quoted_by, valid_until_at; optional purpose,
                          list_price_minor with discount_percent, quantity with unit_price_minor
acceptance                trade_number, contract_number, delivery_number, register_number, seller, buyer, titles,
                          product_type, version, delivery_digest, delivered_at, inspection_days, inspect_ends_at,
                          accepted_at, how (buyer, silence, decision), accepted_by {person, role} (or null);
                          optional refund_minor with currency (what a decision gave back of the price) and
                          fee_back_minor (and of the buyer's fee)
settlement_statement      member, cycle, cleared_at, currency, lines [{trade_number, titles, gross_minor, fee_minor,
                          net_minor}], totals {gross_minor, fee_minor, net_minor}, payout_reference (or null);
                          optional shares [{kind, trade_number, titles, amount_minor}] of others' revenue, or below
                          zero passed on, with shares_minor (their sum) and cleared_minor (net and shares),
                          recovered_minor (set against what the member owes), reserved_minor (kept back) with
                          release_on, released_minor (the sum of released [{cycle, amount_minor}]), each of these with
                          payable_minor (the rest), reserve_minor (what of the balance is in reserve),
                          opening_minor and closing_minor (the balance) with movements [{kind, reference, moved_at,
                          amount_minor}]; payouts [{reference, kind (trade, net, reserve), amount_minor; of a trade also
                          trade_number}] (their sum is the payable); a line may say purchase_order, payout_reference,
                          and it and the totals taxes [{tax, amount_minor}] in the gross and fee_vat_minor
trade_certificate         trade_number, register_number, seller, buyer, titles, product_type, version, licence (as in
                          the contract), price_minor and currency (or price_minor null: withheld), delivery_digest,
                          proposed_at, agreed_at, delivered_at, accepted_at, cleared_at, settled_at (registered_at and
                          funded_at where there were any), journal {position, size, root};
                          optional contract_number, delivery_number, acceptance_number
"""

from __future__ import annotations

import json
import re
import unicodedata
from datetime import UTC, date, datetime, timedelta, timezone
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import segno
import typst
from noto_cjk_sans_otc import FONT_PATH

from marketplace.canonical import digest_of
from marketplace.money import format_minor

LANGUAGES = ("en", "zh-hans", "zh-hant")
PAPERS = Path(__file__).parent / "papers"
# A folder of templates and words for each schema. A paper is set for ever by the schema its record names (1 where it
# names none), so templates of a schema that papers were issued under never change; what is new is a new folder.
# 2: a contract and a statement name the buyer's purchase order.
SCHEMAS = (1, 2)
SCHEMA = SCHEMAS[-1]

_EVERY_PAPER = "number issuer issued_at"
_REQUIRED: dict[str, str] = {
    "registration_certificate": "register_number holder titles product_type version rights source_statement "
    "classification has_personal_data release_digest registered_at",
    "listing_certificate": "register_number certificate_number holder titles product_type version classification "
    "listed_at plans",
    "trade_contract": "trade_number register_number seller buyer titles product_type version release_digest licence "
    "price_minor currency inspection_days governing_law agreements",
    "delivery_record": "trade_number contract_number register_number seller buyer titles product_type version channel "
    "delivery_digest files total_bytes funded_at delivered_at access_ends_at inspect_ends_at",
    "acceptance": "trade_number contract_number delivery_number register_number seller buyer titles product_type "
    "version delivery_digest delivered_at inspection_days inspect_ends_at accepted_at how accepted_by",
    "settlement_statement": "member cycle cleared_at currency lines totals payout_reference",
    "invoice": "invoice_number supplier customer supplied trade_number titles product_type version currency "
    "gross_minor net_minor taxes cleared_at",
    "credit_note": "invoice_number corrects_number corrects_paper_number supplier customer supplied trade_number "
    "titles product_type version currency gross_minor net_minor taxes cleared_at",
    "quote": "seller buyer titles product_type version register_number plan currency price_minor gross_minor net_minor "
    "taxes licence inspection_days pay_within_days quoted_by valid_until_at",
    "trade_certificate": "trade_number register_number seller buyer titles product_type version licence price_minor "
    "delivery_digest proposed_at agreed_at delivered_at accepted_at cleared_at settled_at journal",
}
_AMOUNTS = ("gross_minor", "fee_minor", "net_minor")

# The exchange's clock is that of Beijing and Hong Kong, which have known no summer time since 1991.
_EXCHANGE_CLOCK = timezone(timedelta(hours=8))
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)

# Signs that turn the direction of writing could make a name read as another one.
_DIRECTION_SIGNS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_LONG_RUN = re.compile(r"[!-~]{24}(?=[!-~])")


class CannotTypeset(ValueError):
    """The record is not one of its kind, or does not add up; the sentence says what is missing or wrong."""


def typeset(kind: str, record: dict[str, Any], *, language: str, verify_url: str, sandbox: bool) -> bytes:
    """The PDF of a paper, as PDF/A-2b; the same record, language, address and `sandbox` give the same bytes.

    `verify_url` goes into the QR code and is printed; `sandbox` prints on the paper's face that no money moved.
    Raises CannotTypeset.
    """
    _require_whole(kind, record, language)
    paper = {
        "language": language,
        "record": _shown(record, language, record.get("currency")),
        "digest": digest_of(record),
        "is_free": record.get("price_minor") == 0,
        "verify_url": verify_url,
        "qr": _qr_code(verify_url),
        "sandbox": sandbox,
    }
    issued_at = int(_moment(record["issued_at"], "issued_at").timestamp())
    try:
        return _compiled(kind, paper, issued_at, archival=True)
    except typst.TypstError:
        # PDF/A refuses signs our fonts lack, such as emoji; a paper with an empty box in it is better than none.
        try:
            return _compiled(kind, paper, issued_at, archival=False)
        except typst.TypstError as error:
            raise CannotTypeset(f"The record of {record['number']} could not be typeset: {error}") from error


def _compiled(kind: str, paper: dict[str, Any], issued_at: int, *, archival: bool) -> bytes:
    folder = PAPERS / str(paper["record"].get("schema", 1))
    return typst.compile(
        str(folder / f"{kind}.typ"),
        root=str(folder),
        font_paths=_fonts(),
        sys_inputs={"paper": json.dumps(paper, ensure_ascii=False)},
        timestamp=issued_at,
        pdf_standards="a-2b" if archival else None,
        format="pdf",
    )


@cache
def _fonts() -> typst.Fonts:
    """The fonts of our wheels only, so that every machine sets the same page."""
    return typst.Fonts(
        include_system_fonts=False, include_embedded_fonts=True, font_paths=[str(Path(str(FONT_PATH)).parent)]
    )


def _require_whole(kind: str, record: dict[str, Any], language: str) -> None:
    if kind not in _REQUIRED:
        raise CannotTypeset(f"There is no paper of the kind {kind!r}.")
    if language not in LANGUAGES:
        raise CannotTypeset(f"Papers are typeset in {', '.join(LANGUAGES)}, not in {language!r}.")
    if record.get("schema", 1) not in SCHEMAS:
        raise CannotTypeset(f"There are no templates for schema {record['schema']!r}.")
    missing = [key for key in f"{_EVERY_PAPER} {_REQUIRED[kind]}".split() if key not in record]
    if missing:
        raise CannotTypeset(f"The record of a {kind} lacks {', '.join(missing)}.")
    if kind == "settlement_statement":
        _require_sums(record)
    if "taxes" in record and record["gross_minor"] - record["net_minor"] != sum(
        tax["amount_minor"] for tax in record["taxes"] if tax["tax"].startswith("vat_")
    ):
        raise CannotTypeset(f"The tax of {record['number']} is not the gross less the net.")


def _require_sums(record: dict[str, Any]) -> None:
    """A statement that does not add up must never be printed."""
    for line in record["lines"]:
        if line["gross_minor"] - line["fee_minor"] != line["net_minor"]:
            raise CannotTypeset(f"In the line of trade {line['trade_number']} the net is not the gross less the fee.")
    for amount in _AMOUNTS:
        if sum(line[amount] for line in record["lines"]) != record["totals"][amount]:
            raise CannotTypeset(f"The lines of {amount} do not sum to their total.")
    if sum(line.get("fee_vat_minor", 0) for line in record["lines"]) != record["totals"].get("fee_vat_minor", 0):
        raise CannotTypeset("The tax in the fees does not sum to its total.")
    taxes = [one["amount_minor"] for line in record["lines"] for one in line.get("taxes", [])]
    if sum(taxes) != sum(one["amount_minor"] for one in record["totals"].get("taxes", [])):
        raise CannotTypeset("The taxes of the lines do not sum to their totals.")
    shares = sum(one["amount_minor"] for one in record.get("shares", []))
    if shares != record.get("shares_minor", 0):
        raise CannotTypeset("The revenue shares do not sum to their total.")
    cleared = record["totals"]["net_minor"] + shares
    if cleared != record.get("cleared_minor", record["totals"]["net_minor"]):
        raise CannotTypeset("What was cleared is not the net and the shares.")
    released = record.get("released_minor", 0)
    if sum(one["amount_minor"] for one in record.get("released", [])) != released:
        raise CannotTypeset("What was released of the reserve does not sum to its total.")
    remains = cleared - record.get("recovered_minor", 0) - record.get("reserved_minor", 0) + released
    if remains != record.get("payable_minor", cleared):
        raise CannotTypeset("What is paid out is not the net and the shares less what was set off or kept back.")
    if "payouts" in record and sum(one["amount_minor"] for one in record["payouts"]) != remains:
        raise CannotTypeset("The payouts do not sum to what is paid out.")
    if "closing_minor" in record:
        moved = sum(one["amount_minor"] for one in record["movements"])
        if record["opening_minor"] + moved + cleared != record["closing_minor"]:
            raise CannotTypeset("The balance does not run from its opening to its closing.")


def _shown(value: Any, language: str, currency: str | None, key: str = "") -> Any:
    """The record as it is printed: texts in one language and without unsafe signs, moments and amounts written out."""
    if isinstance(value, dict):
        if value and value.keys() <= set(LANGUAGES):
            return _shown(in_language(value, language), language, currency, key)
        return {name: _shown(item, language, currency, name) for name, item in value.items()}
    if isinstance(value, list):
        return [_shown(item, language, currency, key) for item in value]
    if isinstance(value, str):
        if key.endswith("_at"):
            return _written_moment(_moment(value, key), language)
        if key.endswith("_on"):
            return _written_day(date.fromisoformat(value), language)
        text = _plain(value)
        return text if key.endswith(("digest", "number", "root", "sha256")) else _LONG_RUN.sub("\\g<0>\u200b", text)
    if key.endswith("_minor") and value is not None:
        if currency is None:
            raise CannotTypeset(f"The record has the amount {key} but no currency.")
        return format_minor(value, currency)
    if key.endswith("_bytes"):
        return f"{value:,}"
    return value


def in_language(texts: dict[str, Any], language: str) -> Any:
    """The text in this language; failing that the other Chinese for Chinese, then whatever there is."""
    nearest = [language, *(("zh-hans", "zh-hant") if language != "en" else ()), *LANGUAGES]
    return next((texts[one] for one in nearest if texts.get(one)), "")


def _plain(text: str) -> str:
    """Text without control characters and signs of direction; line ends are kept."""
    without_signs = _DIRECTION_SIGNS.sub("", text)
    return "".join(one for one in without_signs if one == "\n" or unicodedata.category(one) not in ("Cc", "Cs"))


def _moment(text: str, key: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        raise CannotTypeset(f"{key} is {text!r}, not a moment in ISO 8601.") from None
    if moment.tzinfo is None:
        raise CannotTypeset(f"{key} is {text!r}, which does not say its offset from UTC.")
    return moment.astimezone(UTC)


def _written_moment(moment: datetime, language: str) -> str:
    """`21 November 2026, 16:05` or `2026年11月21日 16:05`, by the exchange's clock, as each paper's foot says."""
    there = moment.astimezone(_EXCHANGE_CLOCK)
    return f"{_written_day(there, language)}{',' if language == 'en' else ''} {there:%H:%M}"


def _written_day(day: date, language: str) -> str:
    if language == "en":
        return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"
    return f"{day.year}年{day.month}月{day.day}日"


def _qr_code(address: str) -> str:
    svg = BytesIO()
    segno.make(address, error="m", micro=False).save(svg, kind="svg", border=4, xmldecl=False, dark="#14293d", nl=False)
    return svg.getvalue().decode()
