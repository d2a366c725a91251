"""What a trade leaves on paper: contract, certificate and statement, each from its record and to the cent."""

from __future__ import annotations

import csv
import datetime as dt
import io
import threading

import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction
from django.test.utils import CaptureQueriesContext

from listings import licence_contract
from marketplace import clock, documents, journal, spreadsheets
from marketplace.canonical import digest_of
from marketplace.merkle import inclusion_proof, verify_inclusion
from marketplace.models import Event, Paper, Seal
from marketplace.typesetting import LANGUAGES
from settlement import contracts, papers, statements, tasks, trades
from settlement.models import Agreement, Statement, Trade
from tests import factories, trading
from tests.pdf_text import text_of

pytestmark = pytest.mark.django_db


def paper_of(trade: Trade, kind: str) -> Paper:
    return Paper.objects.get(kind=kind, subject_kind="trade", subject_id=trade.pk)


def statement_of(trade: Trade) -> Statement:
    tasks.issue_statements()
    return Statement.objects.select_related("paper", "cycle", "organisation").get(
        cycle=trade.cycle, organisation=trade.seller
    )


def test_contract_and_statement_name_the_purchase_order_where_there_is_one():
    offer = trading.make_offer()
    buyer = trading.make_verified()
    trade = trades.propose(offer, buyer=buyer, purpose="Research", purchase_order="PO-8842", by=buyer.created_by)
    deal = trading.Deal(trade, buyer.created_by, offer.listing.seller.created_by)
    trading.work()
    assert paper_of(trade, "trade_contract").record["purchase_order"] == "PO-8842"
    trading.pay(deal)
    trades.accept(deal.reload(), by=deal.buyer)
    trading.clear_now()
    (line,) = statement_of(deal.reload()).paper.record["lines"]
    assert (line["trade_number"], line["purchase_order"]) == (deal.trade.register_number, "PO-8842")
    bare = trading.make_trade("registered").trade
    assert "purchase_order" not in paper_of(bare, "trade_contract").record


def test_the_contract_names_both_parties_what_binds_them_and_when_they_agreed():
    trade = trading.make_trade("registered").reload()
    contract = paper_of(trade, "trade_contract")
    record = contract.record
    assert record["trade_number"] == trade.register_number
    assert record["register_number"] == trade.version.registration.number
    assert record["seller"] == documents.party(trade.seller)
    assert record["buyer"] == documents.party(trade.buyer)
    assert record["terms"] == trade.terms
    assert (record["price_minor"], record["currency"], record["inspection_days"]) == (125_000, "HKD", 7)
    assert record["release_digest"] == trade.release.digest
    assert record["agreement_digest"] == trade.agreement.digest == digest_of(contracts.bound(trade))
    agreement = trade.agreement
    assert record["agreements"] == [
        {
            "side": "buyer",
            "organisation": trade.buyer.name,
            "person": str(agreement.buyer_by),
            "role": "owner",
            "agreed_at": trade.proposed_at.isoformat(),
        },
        {
            "side": "seller",
            "organisation": trade.seller.name,
            "person": str(agreement.seller_by),
            "role": "owner",
            "agreed_at": agreement.seller_agreed_at.isoformat(),
        },
    ]
    assert record["governing_law"]["en"] == "The law of the Hong Kong Special Administrative Region"
    assert record["forum"]["zh-hant"] == "提交香港特別行政區法院訴訟解決"
    assert record["text_digest"] == trade.text_digest == agreement.text_digest
    assert digest_of({"version": "2026-11", "articles": record["articles"]}) == trade.text_digest
    assert [len(articles) for articles in record["articles"].values()] == [16, 16, 16]
    assert set(contract.readers.all()) == {trade.buyer, trade.seller}
    assert contract.is_sandbox
    text = text_of(documents.pdf(contract, language="en"))
    assert "HKD 1,250.00" in text
    assert "No money moves" in text


def test_many_contracts_take_as_many_statements_as_one():
    offer = trading.make_offer()
    agreed = [trading.propose(offer).trade for _one in range(4)]
    for number, trade in enumerate(agreed):
        trade.register_number, trade.registered_at = f"TR-0000-0000-000{number}", trade.agreed_at
        trade.version.release, trade.release  # noqa: B018  as the command has them
    counts = []
    for together in (agreed[:1], agreed[1:]):
        with CaptureQueriesContext(connection) as statements:
            issued = contracts.issue_contracts(together)
        assert {pk: paper.record["trade_number"] for pk, paper in issued.items()} == {
            trade.pk: trade.register_number for trade in together
        }
        counts.append(len([one for one in statements if "SAVEPOINT" not in one["sql"]]))
    assert counts == [7, 7]


def test_a_seller_who_publishes_to_all_agreed_then_and_one_who_is_asked_agrees_now():
    published = trading.propose().reload()
    assert published.agreement.seller_agreed_at == published.offer.created_at < published.agreement.agreed_at
    assert published.agreement.seller_by == published.offer.created_by
    asked = trading.make_trade("agreed").reload()
    assert asked.agreement.buyer_agreed_at == asked.proposed_at < asked.agreement.seller_agreed_at


def test_nobody_agrees_to_another_text_than_the_one_they_read():
    offer, buyer = trading.make_offer(), trading.make_verified()
    text = licence_contract.digest(offer, offer.listing.current_version)
    with pytest.raises(trades.ContractChanged):
        trades.propose(offer, buyer=buyer, text_digest="sha256:" + "0" * 64, by=buyer.created_by)
    assert not Trade.objects.exists()
    assert trades.propose(offer, buyer=buyer, text_digest=text, by=buyer.created_by).text_digest == text


def test_the_database_refuses_an_agreement_to_another_text_and_a_change_of_the_proposed_one():
    trade = trading.make_trade("proposed").reload()
    facts = {"trade": trade, "terms": trade.terms, "digest": "sha256:1"}
    facts |= {"buyer_by": trade.proposed_by, "seller_by": trade.proposed_by}
    facts |= {"buyer_agreed_at": clock.now(), "seller_agreed_at": clock.now()}
    with pytest.raises(IntegrityError, match="has another text"), transaction.atomic():
        Agreement.objects.create(text_digest="sha256:other", **facts)
    for change in ({"text_digest": ""}, {"jurisdiction": "cn_court"}, {"contract_version": "2026-10"}):
        with pytest.raises(ProgrammingError), transaction.atomic():
            Trade.objects.filter(pk=trade.pk).update(**change)


def test_a_contract_is_never_printed_with_another_text_than_was_agreed(monkeypatch):
    trade = trading.make_trade("agreed").reload()
    monkeypatch.setattr(licence_contract, "digest", lambda *_facts: "sha256:changed")
    trade.register_number, trade.registered_at = "TR-0000-0000-0000", trade.agreed_at
    with pytest.raises(contracts.TextChanged):
        contracts.issue_contracts([trade])
    assert not Paper.objects.filter(kind="trade_contract").exists()


def test_a_delivery_leaves_a_record_of_every_file_that_anyone_can_add_up():
    trade = trading.make_trade("delivered").reload()
    record = paper_of(trade, "delivery_record").record
    assert digest_of(record["files"]) == record["delivery_digest"] == trade.release.digest
    assert [one["path"] for one in record["files"]] == ["flights.csv"]
    assert record["total_bytes"] == sum(one["size_bytes"] for one in record["files"])
    assert record["contract_number"] == paper_of(trade, "trade_contract").number
    assert record["channel"] == "files"
    assert record["delivered_at"] == trade.delivered_at.isoformat()
    assert record["access_ends_at"] == trade.grant.ends_at.isoformat()
    assert record["inspect_ends_at"] == trade.inspect_until.isoformat()
    assert record["crossborder_digest"] == digest_of(trade.crossborder)
    assert set(paper_of(trade, "delivery_record").readers.all()) == {trade.buyer, trade.seller}
    assert not Paper.objects.filter(kind="acceptance").exists()


def test_an_acceptance_names_the_person_who_accepted_and_the_certificate_names_all_papers():
    deal = trading.make_trade("settled")
    trade = deal.reload()
    acceptance = paper_of(trade, "acceptance")
    assert acceptance.record["how"] == "buyer"
    assert acceptance.record["accepted_by"] == {"person": str(deal.buyer), "role": "owner"}
    assert acceptance.record["accepted_at"] == trade.accepted_at.isoformat()
    assert acceptance.record["delivery_number"] == paper_of(trade, "delivery_record").number
    certified = paper_of(trade, "trade_certificate").record
    assert certified["contract_number"] == paper_of(trade, "trade_contract").number
    assert certified["delivery_number"] == paper_of(trade, "delivery_record").number
    assert certified["acceptance_number"] == acceptance.number


def test_silence_and_a_decision_accept_without_a_person():
    silent = trading.make_trade("delivered").reload()
    with clock.moved_to(clock.now() + dt.timedelta(days=8)):
        trades.deem_accepted(silent)
    assert paper_of(silent, "acceptance").record | {"how": "silence", "accepted_by": None} == (
        paper_of(silent, "acceptance").record
    )
    deal = trading.make_trade("delivered")
    opened = trades.dispute(deal.trade, reason="Rows are missing.", by=deal.buyer)
    officer = factories.make_staff("disputes")
    trades.resolve(opened, refund_minor=25_000, resolution="A fifth is missing.", by=officer)
    record = paper_of(deal.trade, "acceptance").record
    assert (record["how"], record["accepted_by"]) == ("decision", None)
    assert (record["refund_minor"], record["currency"]) == (25_000, "HKD")


def test_a_refunded_trade_was_never_accepted_on_paper():
    deal = trading.make_trade("delivered")
    opened = trades.dispute(deal.trade, reason="Nothing is there.", by=deal.buyer)
    officer = factories.make_staff("disputes")
    trades.resolve(opened, refund_minor=125_000, resolution="Nothing was delivered.", by=officer)
    assert deal.state == "refunded"
    assert not Paper.objects.filter(kind="acceptance").exists()


@pytest.mark.parametrize("kind", ["delivery_record", "acceptance", "trade_contract", "trade_certificate"])
def test_every_paper_of_a_trade_is_rendered_alike_in_three_languages_whenever_it_is_asked_for(kind):
    trade = trading.make_trade("settled").reload()
    paper = paper_of(trade, kind)
    for language in LANGUAGES:
        first = documents.pdf(paper, language=language)
        with clock.moved_to(clock.now() + dt.timedelta(days=400)):
            assert documents.pdf(Paper.objects.get(pk=paper.pk), language=language) == first
        assert paper.digest in text_of(first)


def test_what_binds_changes_with_every_part_of_the_bargain():
    trade = trading.make_trade("agreed").reload()
    digest = digest_of(contracts.bound(trade))
    assert digest == trade.agreement.digest
    for part, value in [("price_minor", 1), ("currency", "USD"), ("inspection_days", 8), ("terms", {})]:
        other = trading.Deal(trade, trade.proposed_by, trade.proposed_by).reload()
        setattr(other, part, value)
        assert digest_of(contracts.bound(other)) != digest


def test_the_contract_of_a_free_trade_is_no_sandbox_paper():
    trade = trading.propose(trading.make_offer(price_minor=0)).trade
    trading.work()
    contract = paper_of(trade, "trade_contract")
    assert not contract.is_sandbox
    assert "Free of charge" in text_of(documents.pdf(contract, language="en"))


def test_a_settled_trade_gets_its_certificate_only_once_its_settlement_is_sealed():
    deal = trading.make_trade("accepted")
    trading.ROAD["cleared"](deal)
    tasks.pay_members()
    trading.hand_over_notices()
    tasks.read_notices()
    assert deal.state == "settled"
    assert papers.issue_certificates([deal.trade]) == 0
    assert deal.reload().certificate is None
    journal.seal()
    assert papers.issue_certificates([deal.trade]) == 1
    trade = deal.reload()
    record = trade.certificate.record
    seals = list(Seal.objects.order_by("position"))
    settled = Event.objects.get(kind="trade.settled", subject_id=trade.pk)
    place = record["journal"]
    assert place["position"] == settled.seal.position
    leaves = [bytes(seal.leaf_hash) for seal in seals][: place["size"]]
    leaf = journal.leaf_of(settled, bytes(settled.salt.value))
    proof = inclusion_proof(place["position"], leaves)
    assert verify_inclusion(leaf, place["position"], place["size"], proof, bytes.fromhex(place["root"]))
    for moment in papers.COURSE:
        assert record[f"{moment}_at"] == getattr(trade, f"{moment}_at").isoformat()
    assert record["delivery_digest"] == trade.release.digest
    assert record["contract_number"] == paper_of(trade, "trade_contract").number
    assert record["trade_number"] != record["register_number"]
    assert trade.certificate.is_sandbox
    text = text_of(documents.pdf(trade.certificate, language="en"))
    assert "No money moved" in text
    assert f"entry {place['position']}, in a tree of {place['size']}" in text
    assert papers.issue_certificates([trade]) == 0
    assert Paper.objects.filter(kind="trade_certificate").count() == 1


def settled_trades(count: int) -> list[Trade]:
    """Settled and sealed free trades without their certificates."""
    offer = trading.make_offer(price_minor=0)
    deals = [trading.propose(offer) for _one in range(count)]
    tasks.register_trades()
    tasks.open_grants()
    for deal in deals:
        trading.ROAD["accepted"](deal)
    officer = factories.make_staff("clearing")
    trading.trades.release(trading.close_now(by=officer), by=officer)
    journal.seal()
    return [deal.reload() for deal in deals]


def test_no_certificate_is_of_two_trades():
    first, second = settled_trades(2)
    papers.issue_certificates([first])
    first.refresh_from_db()
    with pytest.raises(IntegrityError, match="certificate_is_of_one_trade"), transaction.atomic():
        Trade.objects.filter(pk=second.pk).update(certificate=first.certificate)


def test_a_hundred_certificates_take_as_many_statements_as_one():
    one, *many = settled_trades(6)
    papers._licence.cache_clear()
    with CaptureQueriesContext(connection) as few:
        assert papers.issue_certificates([one]) == 1
    with CaptureQueriesContext(connection) as more:
        assert papers.issue_certificates(many) == 5
    assert len(more) == len(few) <= 16
    assert Trade.objects.filter(certificate__isnull=False).count() == 6
    assert not Paper.objects.filter(kind="trade_certificate", is_sandbox=True).exists()
    for trade in Trade.objects.select_related("certificate"):
        assert trade.certificate.record["trade_number"] == trade.register_number


def test_a_trade_that_cannot_be_certified_backs_off_alone():
    good, bad = settled_trades(2)
    Trade.objects.filter(pk=bad.pk).update(register_number=None, registered_at=None)
    tasks.issue_certificates()
    assert Trade.objects.get(pk=good.pk).certificate is not None
    stuck = Trade.objects.get(pk=bad.pk)
    assert stuck.certificate is None
    assert (stuck.tries, stuck.error.split(":")[0]) == (1, "NotReady")
    assert not Trade.objects.without_certificate().exists()


@pytest.mark.django_db(transaction=True)
def test_two_workers_issue_each_certificate_once():
    trades = settled_trades(4)
    start, issued = threading.Barrier(2), []

    def work() -> None:
        start.wait()
        try:
            issued.append(papers.issue_certificates(trades))
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _one in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sum(issued) == 4
    assert Paper.objects.filter(kind="trade_certificate").count() == 4
    assert Event.objects.filter(kind="paper.issued", facts__kind="trade_certificate").count() == 4


def test_the_statement_adds_up_to_the_cent_and_only_the_seller_reads_it():
    deal = trading.make_trade("settled", price_minor=99_999)
    statement = statement_of(deal.reload())
    record = statement.paper.record
    fee = 2_500  # 2.5 % of 999.99, rounded half up
    assert record["lines"] == [
        {
            "trade_number": deal.trade.register_number,
            "titles": deal.trade.version.titles,
            "gross_minor": 99_999,
            "fee_minor": fee,
            "net_minor": 99_999 - fee,
            "payout_reference": (reference := statement.cycle.payouts.get().key),
        }
    ]
    assert record["totals"] == {"gross_minor": 99_999, "fee_minor": fee, "net_minor": 99_999 - fee}
    assert statement.net_minor == 99_999 - fee
    assert record["payout_reference"] == reference
    assert record["payouts"] == [
        {
            "reference": reference,
            "kind": "trade",
            "trade_number": deal.trade.register_number,
            "amount_minor": 99_999 - fee,
        }
    ]
    assert "recovered_minor" not in record
    assert list(statement.paper.readers.all()) == [deal.trade.seller]
    assert statement.paper.is_sandbox
    assert "974.99" in text_of(documents.pdf(statement.paper, language="en"))
    assert statements.issue([statement]) == 0 and statement_of(deal.reload()) == statement


def test_the_csv_says_the_same_in_plain_decimals():
    deal = trading.make_trade("settled", price_minor=12_345_678)
    statement = statement_of(deal.reload())
    written = statements.as_csv(statement)
    assert written.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(written.decode("utf-8-sig"))))
    number, title = deal.trade.register_number, "Departures of New York"
    reference = deal.trade.payouts.get().key
    assert rows == [
        ["trade", "product", "currency", "gross", "fee", "net", "payout", *statements.TAX_COLUMNS],
        [number, title, "HKD", "123456.78", "3086.42", "120370.36", reference, *[""] * 4],
        ["total", "", "HKD", "123456.78", "3086.42", "120370.36", *[""] * 5],
        ["opening", "", "HKD", "", "", "0.00"],
        ["cleared", "", "HKD", "", "", "120370.36"],
        ["closing", "", "HKD", "", "", "120370.36"],
        ["payout trade", number, "HKD", "", "", "120370.36", reference],
    ]


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r", "＝"])
def test_no_cell_of_a_csv_is_taken_for_a_formula(sign):
    assert spreadsheets.safe_cell(f"{sign}1+1") == f"'{sign}1+1"
    assert spreadsheets.safe_cell(f"1{sign}1") == f"1{sign}1"


def test_a_hostile_title_reaches_the_csv_as_text():
    title = {"en": '=HYPERLINK("https://evil.example","x")'}
    listing = trading.make_listed(titles=title, summaries={"en": "A file."})
    offer = trading.make_offer(listing, audience="on_request")
    deal = trading.propose(offer)
    for step, walk in trading.ROAD.items():
        walk(deal)
        assert deal.state == step
    rows = list(csv.reader(io.StringIO(statements.as_csv(statement_of(deal.reload())).decode("utf-8-sig"))))
    assert rows[1][1] == '\'=HYPERLINK("https://evil.example","x")'
