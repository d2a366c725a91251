"""The search of the staff: what each role finds, by which words, at which cost."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from compliance import reviews
from listings import search_words
from marketplace.desks import staff_search
from marketplace.models import Paper
from settlement.models import Payment, Trade
from settlement.states import TradeState
from tests import factories
from tests.factories import make_staff
from tests.trading import make_trade

pytestmark = pytest.mark.django_db


PORT = {"zh-hant": "港口貨運", "en": "Port cargo"}


def found(text: str, by) -> dict[str, list[str]]:
    return {str(group.label): [hit.title for hit in group.hits] for group in staff_search.find(text, by)}


def test_numbers_names_people_and_titles_are_found_by_those_whose_desks_open_them():
    trade = make_trade(TradeState.SETTLED).trade
    trade = Trade.objects.select_related("version__registration", "seller").get(pk=trade.pk)
    house = factories.make_verified("珠江氣象科技有限公司")
    paper = Paper.objects.filter(subject_kind="trade", subject_id=trade.pk).latest("pk")
    payment = Payment.objects.get(trade=trade)
    everyone, vetting, clearing = make_staff("audit"), make_staff("vetting"), make_staff("clearing")
    assert found(trade.register_number.lower(), everyone) == {"Trades": [trade.register_number]}
    assert found(trade.register_number[:8], clearing) == {"Trades": [trade.register_number]}
    assert found(trade.public_id, vetting) == {"Trades": [trade.register_number]}
    assert found("气象", everyone)["Participants"] == found("氣象", vetting)["Participants"] == [house.shown_name]
    assert found(trade.seller.registration_number, clearing) == {"Participants": [trade.seller.shown_name]}
    assert found(paper.number, clearing) == {"Papers": [paper.number]} and found(paper.number, vetting) == {}
    assert found(payment.reference, everyone) == {"Payments": [payment.reference]}
    assert found(payment.reference, vetting) == {}
    number = trade.version.registration.number
    assert found(number, everyone)["Registrations"] == [number]
    assert found("departures", make_staff("review")) == {"Products": [trade.version.title]}
    email = trade.seller.created_by.email
    assert found(email.upper(), vetting) == {"People": [email]} and found(email, clearing) == {}
    exact = staff_search.find(trade.register_number, everyone)[0].hits[0]
    assert exact.is_exact and exact.url == f"/admin/desks/trades/{trade.public_id}/"


def test_an_undecided_review_is_found_by_its_title_in_either_script():
    version = factories.make_draft(factories.make_verified(), titles=PORT, summaries=PORT)
    reviews.submit(version, by=version.listing.seller.created_by)
    assert found("港口货运", make_staff("review")) == {"Reviews": ["Port cargo"]}


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ("", "Numbers are found"),
        ("x", "two characters"),
        ("%_'\\", "Nothing your desks open"),
        ("x" * 500, "Nothing"),
    ],
)
def test_odd_questions_are_answered_plainly(asked, says):
    client = Client()
    client.force_login(make_staff("administrator"))
    answer = client.get("/admin/desks/search/", {"q": asked})
    assert answer.status_code == 200 and says in answer.content.decode()


def test_the_search_walks_no_table_of_trades_papers_or_payments():
    by = make_staff("audit")
    with CaptureQueriesContext(connection) as asked:
        staff_search.find("TR-ABCD-EFGH", by)
    assert len(asked) < 15
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        for query in asked:
            cursor.execute("EXPLAIN " + query["sql"])
            plan = "\n".join(row[0] for row in cursor.fetchall())
            for table in ("settlement_trade", "marketplace_paper", "settlement_payment", "listings_registration"):
                assert f"Seq Scan on {table} " not in plan, plan


def test_characters_of_both_scripts_stand_beside_each_other():
    traditional, simplified = search_words.twins("气象")
    assert ("氣", "气") in list(zip(traditional, simplified, strict=True))
    assert search_words.twins("port") == ("", "")
