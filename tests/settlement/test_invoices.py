"""Invoices of cleared trades: each once, numbered without gaps, right to the cent, credited when money goes back."""

from __future__ import annotations

import datetime as dt
import secrets

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from marketplace import clock, documents
from marketplace.errors import Refused, RoleNeeded, WrongState
from marketplace.models import Event, Paper
from settlement import invoices, tasks, tax_rules, taxes, trades
from settlement.gateways import sandbox_bank
from settlement.models import ElectronicInvoice, Invoice
from settlement.states import TradeState
from settlement.tax_rules import Case, again, part_of, tax_of
from tests import factories, trading
from tests.pdf_text import text_of
from tests.races import together

DAY = dt.date(2026, 11, 22)
ELECTRONIC = "26312000000123456789"


def numbers(issuer=None) -> list[int]:
    return list(Invoice.objects.filter(issuer=issuer).order_by("number").values_list("number", flat=True))


def delivered(offer, buyer, number: int = 1) -> list[trading.Deal]:
    deals = [trading.propose(offer, buyer=buyer) for _ in range(number)]
    trading.work()
    for deal in deals:
        sandbox_bank.act(deal.payment.reference, "pay")
    trading.work()
    assert {deal.state for deal in deals} == {TradeState.DELIVERED}
    return deals


@pytest.mark.parametrize("parts", [[1_000], [1, 999], [333, 333, 334], [9] * 111 + [1]])
def test_the_parts_of_a_sum_have_its_taxes_exactly_and_none_is_negative(parts):
    whole = again(tax_of(7, Case("HK", "CN", "licence"), on=DAY), 1_000)
    assert [line.amount_minor for line in whole.lines] == [57, 94] and whole.net_minor == 943
    before, summed = 0, [0, 0]
    for part in parts:
        tax = part_of(whole, before, part)
        assert all(line.amount_minor >= 0 for line in tax.lines) and 0 <= tax.net_minor <= part
        summed = [so_far + line.amount_minor for so_far, line in zip(summed, tax.lines, strict=True)]
        before += part
    assert (before, summed) == (1_000, [57, 94])


@pytest.fixture
def mainland(db):
    """A general taxpayer of the mainland sells a licence at 106,000.00 yuan."""
    seller = trading.make_verified("A Shanghai Company", country="CN")
    buyer = trading.make_verified("A Beijing Company", country="CN")
    taxes.state_status(seller, "general", by=seller.created_by)
    offer = trading.make_offer(trading.make_listed(seller), price_minor=10_600_000, currency="CNY")
    return seller, buyer, offer


def test_a_cleared_trade_has_one_invoice_of_the_licence_and_one_of_the_fee(mainland):
    seller, buyer, offer = mainland
    whole, partly, later = delivered(offer, buyer, 3)
    trades.accept(whole.trade, by=buyer.created_by)
    dispute = trades.dispute(partly.trade, reason="Half of it is missing.", by=buyer.created_by)
    judge = factories.make_staff("disputes")
    trades.resolve(dispute, refund_minor=5_300_000, resolution="Half goes back.", by=judge)
    trading.clear_now()
    tasks.issue_invoices()
    tasks.issue_invoices()

    found = {(one.trade_id, one.kind): one for one in Invoice.objects.all()}
    licence, fee = found[whole.trade.pk, "licence"], found[whole.trade.pk, "fee"]
    assert (licence.issuer, licence.recipient, fee.issuer, fee.recipient) == (seller, buyer, None, seller)
    assert (licence.gross_minor, licence.net_minor) == (10_600_000, 10_000_000)
    assert (fee.gross_minor, fee.net_minor) == (265_000, 250_000)
    half, half_fee = found[partly.trade.pk, "licence"], found[partly.trade.pk, "fee"]
    assert (half.gross_minor, half.net_minor, half_fee.gross_minor) == (5_300_000, 5_000_000, 132_500)
    assert len(found) == 4 and numbers() == numbers(seller) == [1, 2]
    assert not later.trade.invoices.exists() and invoices.cycles_due().count() == 0
    assert Event.objects.filter(kind="invoice.issued").count() == 4

    trades.accept(later.trade, by=buyer.created_by)
    trading.clear_now()
    tasks.issue_invoices()
    assert numbers() == numbers(seller) == [1, 2, 3]
    assert str(Invoice.objects.get(trade=later.trade, kind="fee")) == f"{clock.today().year}-000003"

    for language, said in (("en", "Invoice Record"), ("zh-hans", "开票记录"), ("zh-hant", "發票紀錄")):
        paper = Paper.objects.get(kind="invoice", subject_id=licence.pk)
        text = text_of(pdf := documents.pdf(paper, language=language))
        assert all(one in text for one in (said, "106,000.00", "100,000.00", "6,000.00", str(licence)))
    assert pdf == documents.pdf(paper, language="zh-hant")
    assert set(Paper.objects.get(kind="invoice", subject_id=fee.pk).readers.all()) == {seller}

    client = Client(headers={"accept-language": "en"})
    client.force_login(buyer.created_by)
    page = client.get(whole.trade.get_absolute_url()).content.decode()
    assert 'id="invoices"' in page and str(licence) in page and "2,650.00" not in page
    mine = client.get(reverse("api_invoices")).json()["results"]
    assert [one["kind"] for one in mine] == ["licence"] * 3
    assert mine[-1]["taxes"][0]["amount_minor"] == 600_000 and mine[-1]["paper"].startswith("NV-")
    record = client.get(reverse("paper", args=[mine[-1]["paper"]])).content.decode()
    assert "VAT in the sum 6 %: CNY 6,000.00" in record
    client.force_login(seller.created_by)
    assert len(client.get(reverse("api_invoices")).json()["results"]) == 6
    shown = client.get(reverse("invoices"), {"show": "received"}).content.decode()
    assert "2,650.00" in shown and "106,000.00" not in shown


def test_a_chargeback_lost_after_clearing_is_credited_once_and_never_beyond_the_invoice(mainland):
    seller, buyer, offer = mainland
    (deal,) = delivered(offer, buyer)
    trades.accept(deal.trade, by=buyer.created_by)
    trading.clear_now()
    for what in ("charge_back", "lose_chargeback"):
        sandbox_bank.act(deal.payment.reference, what)
        trading.work()
    tasks.issue_invoices()
    tasks.issue_invoices()
    licence = Invoice.objects.get(kind="licence", corrects=None)
    credit = Invoice.objects.get(corrects=licence)
    assert (credit.gross_minor, credit.net_minor, str(credit)[5:]) == (10_600_000, 10_000_000, "000002")
    assert numbers(seller) == [1, 2] and not Invoice.objects.filter(kind="fee").exclude(corrects=None).exists()
    paper = Paper.objects.get(kind="credit_note")
    assert paper.record["corrects_number"] == str(licence) and str(licence) in text_of(
        documents.pdf(paper, language="en")
    )
    fields = {field.attname: getattr(credit, field.attname) for field in Invoice._meta.concrete_fields}
    for changes in (
        {"gross_minor": 1, "net_minor": 1},  # nothing is left to credit
        {"corrects_id": credit.pk},  # a credit note is not credited
        {"kind": "fee", "issuer_id": None},  # of another kind
        {"corrects_id": None},  # a second invoice of the licence
        {"recipient_id": seller.pk},
        {"currency": "HKD"},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            Invoice.objects.create(**fields | {"id": None, "key": "x"} | changes)
    for change in (
        lambda: Invoice.objects.update(number=9),
        lambda: Invoice.objects.all().delete(),
        lambda: Invoice.objects.filter(pk=credit.pk).update(gross_minor=1),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()
    assert numbers(seller) == [1, 2]


def test_the_issuer_gives_the_number_of_its_electronic_invoice(mainland):
    seller, buyer, offer = mainland
    (deal,) = delivered(offer, buyer)
    trades.accept(deal.trade, by=buyer.created_by)
    trading.clear_now()
    tasks.issue_invoices()
    licence, fee = (Invoice.objects.get(kind=kind) for kind in ("licence", "fee"))
    for wrong in ("2631200000012345678", ELECTRONIC + "1", "2631200000012345678x", "٢" * 20, "9" * 20, "1" * 20, ""):
        with pytest.raises(Refused) as refusal:
            invoices.refer(licence, wrong, by=seller.created_by)
        assert refusal.value.code == "wrong_electronic_number", wrong
    with pytest.raises(RoleNeeded):
        invoices.refer(licence, ELECTRONIC, by=buyer.created_by)
    with pytest.raises(WrongState):
        invoices.refer(fee, ELECTRONIC, by=seller.created_by)
    assert not ElectronicInvoice.objects.exists()
    client = Client(headers={"accept-language": "en"})
    client.force_login(seller.created_by)
    url = reverse("invoice_electronic", args=[licence.pk])
    spaced = " ".join(ELECTRONIC[start : start + 5] for start in range(0, 20, 5))
    assert client.post(url, {"number": spaced, "key": secrets.token_urlsafe(18)}).status_code == 302
    assert client.post(url, {"number": ELECTRONIC, "key": secrets.token_urlsafe(18)}).status_code == 409
    assert client.post(reverse("invoice_electronic", args=[fee.pk]), {"number": ELECTRONIC}).status_code == 404
    client.force_login(buyer.created_by)
    assert ELECTRONIC in client.get(reverse("invoices")).content.decode()
    assert client.get(reverse("api_invoices")).json()["results"][0]["electronic"] == ELECTRONIC
    with pytest.raises(IntegrityError), transaction.atomic():
        ElectronicInvoice.objects.create(invoice=licence, number="2631", by=seller.created_by)


@pytest.mark.django_db(transaction=True)
def test_numbers_have_no_gap_when_many_issue_at_once_and_some_roll_back():
    deal = trading.make_trade(TradeState.ACCEPTED)
    trading.clear_now()
    assert together([tasks.issue_invoices] * 2) == ["done"] * 2
    licence = Invoice.objects.get(kind="licence")
    seller, tax = licence.issuer, tax_rules.Tax(1, (), is_known=False)

    def crediting(place: int):
        def one() -> None:
            with transaction.atomic():
                more = {"key": f"test-{place}", "corrects": licence}
                invoices._issue([invoices._new(deal.trade, Invoice.Kind.LICENCE, tax, clock.now(), **more)])
                if place in (1, 3):
                    raise WrongState("it went wrong after the number was given")

        return one

    deal.reload()
    answers = together([crediting(place) for place in range(6)])
    assert sorted(answers) == ["done"] * 4 + ["wrong_state"] * 2
    assert (numbers(), numbers(seller)) == ([1], [1, 2, 3, 4, 5])
    assert Invoice.objects.count() == Paper.objects.filter(kind__in=["invoice", "credit_note"]).count() == 6
