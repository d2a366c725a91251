"""What a settlement statement says of tax: in each line and in all, on page, paper and CSV and by the API."""

from __future__ import annotations

import csv
import io

import pytest
from django.test import Client
from django.urls import reverse

from marketplace import documents
from marketplace.typesetting import CannotTypeset, typeset
from settlement import statements, taxes
from settlement.models import Invoice, Statement
from settlement.tasks import issue_invoices
from tests import trading
from tests.pdf_text import text_of
from tests.settlement.test_netting import sold

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def stated(db, settings) -> Statement:
    """Of a seller of the mainland that sold at home and abroad; no rule says what tax the price abroad includes."""
    settings.EXCHANGE_TAX_STATUS = "general"
    seller, buyer = (trading.make_verified(country="CN") for _one in range(2))
    taxes.state_status(seller, "general", by=seller.created_by)
    sold(seller, 10_600_000, buyer)
    sold(seller, 10_000, trading.make_verified(country="HK"))
    trading.clear_now()
    statements.issue_due()
    return Statement.objects.select_related("paper").get()


def test_each_line_and_all_say_what_is_tax_as_the_invoices_do(stated):
    home, abroad = stated.paper.record["lines"]
    assert (home["taxes"], home["fee_vat_minor"]) == ([{"tax": "vat_charged", "amount_minor": 600_000}], 15_000)
    assert "taxes" not in abroad and abroad["fee_vat_minor"] == 14  # of 250
    totals = stated.paper.record["totals"]
    assert (totals["taxes"], totals["fee_vat_minor"]) == (home["taxes"], 15_014)
    issue_invoices()
    fees = Invoice.objects.filter(kind="fee")
    assert sum(one.gross_minor - one.net_minor for one in fees) == totals["fee_vat_minor"]


def test_a_withheld_tax_is_named_as_one(settings):
    settings.EXCHANGE_TAX_STATUS = "general"
    seller, buyer = trading.make_verified(country="HK"), trading.make_verified(country="CN")
    sold(seller, 10_600_000, buyer)
    trading.clear_now()
    statements.issue_due()
    [line] = Statement.objects.get().paper.record["lines"]
    assert {one["tax"]: one["amount_minor"] for one in line["taxes"]} == {
        "vat_withheld": 600_000,
        "income_withheld": 1_000_000,
    }


def test_the_csv_has_the_taxes_in_its_last_columns(stated):
    rows = list(csv.reader(io.StringIO(statements.as_csv(stated).decode("utf-8-sig"))))
    assert rows[0][7:] == ["vat_charged", "vat_withheld", "income_tax_withheld", "vat_in_fee"]
    assert [row[7:] for row in rows[1:4]] == [
        ["6000.00", "0.00", "0.00", "150.00"],
        ["", "", "", "0.14"],
        ["6000.00", "0.00", "0.00", "150.14"],
    ]


def test_the_page_the_paper_and_the_api_show_them(stated):
    client = Client(headers={"accept-language": "en"})
    client.force_login(stated.organisation.created_by)
    page = client.get(reverse("statement", args=[stated.pk])).content.decode()
    assert page.count("VAT in the price") == 2 and page.count("VAT in it") == 3
    assert "6,000.00" in page and "150.14" in page
    shown = text_of(documents.pdf(stated.paper, language="en"))
    assert "VAT in the sum" in shown and "VAT in the fee" in shown and "150.14" in shown
    told = client.get("/api/v1/statements").json()
    one = told["results"][0]
    assert (one["taxes"], one["fee_vat_minor"]) == ([{"tax": "vat_charged", "amount_minor": 600_000}], 15_014)


def test_taxes_that_do_not_sum_are_never_printed(stated):
    record = stated.paper.record
    for totals in ({"fee_vat_minor": 1}, {"taxes": []}):
        wrong = {**record, "totals": {**record["totals"], **totals}}
        with pytest.raises(CannotTypeset):
            typeset("settlement_statement", wrong, language="en", verify_url="https://x.example", sandbox=False)
