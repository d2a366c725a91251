"""Reports of products: who may make them, how many, and what the review desk decides."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import IntegrityError, ProgrammingError, transaction
from django.test import Client

from listings import listing_reports, publishing
from listings.models import Listing, ListingReport
from marketplace import clock
from marketplace.errors import Invalid, Refused, RoleNeeded, WrongState
from marketplace.models import Event, Letter
from tests import factories
from tests.races import together

pytestmark = pytest.mark.django_db


@pytest.fixture
def listing() -> Listing:
    return factories.make_listed_product()


def report(listing, by=None, category="rights", text="It is ours."):
    return listing_reports.report(listing, category=category, text=text, by=by or factories.make_user())


def signed_in(person) -> Client:
    client = Client()
    client.force_login(person)
    return client


def test_somebody_reports_by_page_the_desk_decides_and_the_reporter_reads_why(listing):
    by, staff = factories.make_user(), factories.make_staff("review")
    browser, desk = signed_in(by), signed_in(staff)
    here = f"/products/{listing.public_id}/report/"
    assert here in browser.get(listing.get_absolute_url()).content.decode()
    before = Letter.objects.count()
    for _sent in range(2):
        answer = browser.post(here, {"key": "a" * 20, "category": "personal_data", "text": "Names in column 3."})
        assert answer.status_code == 302
    made = ListingReport.objects.get()
    assert Letter.objects.count() == before
    assert f"/admin/desks/reports/{made.pk}/" in desk.get("/admin/desks/reports/").content.decode()
    assert "Names in column 3." in desk.get(f"/admin/desks/reports/{made.pk}/").content.decode()
    assert ">Reports to decide</a></th>" in desk.get("/admin/").content.decode()
    decided = {"key": "b" * 20, "act": "act_upon", "decision": "The product is suspended."}
    assert desk.post(f"/admin/desks/reports/{made.pk}/act/", decided).status_code == 302
    made.refresh_from_db()
    assert (made.state, made.decided_by, made.decision) == ("acted_upon", staff, "The product is suspended.")
    letter = Letter.objects.get(to=by.email)
    assert letter.subject == f"Your report of “{listing.current_version.titles['en']}” is decided"
    assert "The product is suspended." in letter.body and "Names in column 3." in letter.body
    assert f"/admin/desks/reports/{made.pk}/" not in desk.get("/admin/desks/reports/").content.decode()
    assert f"/admin/desks/reports/{made.pk}/" in desk.get("/admin/desks/reports/?show=decided").content.decode()
    kinds = Event.objects.filter(kind__startswith="listing_report.").order_by("pk").values_list("kind", flat=True)
    assert list(kinds) == ["listing_report.made", "listing_report.acted_upon"]


def test_nobody_reports_twice_their_own_or_what_is_not_on_sale(listing):
    by = factories.make_user()
    report(listing, by)
    for who, code in ((by, "reported_already"), (factories.owner_of(listing.seller), "own_product")):
        with pytest.raises(Refused) as refusal:
            report(listing, who)
        assert refusal.value.code == code
    publishing.suspend(listing, reason="Looked into.", by=factories.make_staff("review"))
    with pytest.raises(listing_reports.NotOnSale):
        report(listing)
    assert ListingReport.objects.count() == 1


@pytest.mark.parametrize(
    ("category", "text"), [("rights", " "), ("rights", "x" * 2001), ("rights", "a\x00b"), ("taste", "Ugly.")]
)
def test_a_report_has_a_category_and_a_bounded_text(listing, category, text):
    with pytest.raises(Invalid):
        report(listing, category=category, text=text)
    assert not ListingReport.objects.exists()


def test_one_person_makes_ten_reports_a_day(listing):
    by, staff = factories.make_user(), factories.make_staff("review")
    for _number in range(listing_reports.MOST_A_DAY):
        listing_reports.dismiss(report(listing, by), decision="No.", by=staff)
    with pytest.raises(listing_reports.TooManyReports):
        report(listing, by)
    assert ListingReport.objects.count() == listing_reports.MOST_A_DAY
    with clock.moved_to(clock.now() + dt.timedelta(days=1, minutes=1)):
        report(listing, by)


@pytest.mark.django_db(transaction=True)
def test_of_one_persons_reports_at_once_one_is_made_and_of_two_decisions_one_stands(listing):
    by = factories.make_user()
    assert sorted(together([lambda: report(listing, by)] * 3)) == ["done", "reported_already", "reported_already"]
    made, staff = ListingReport.objects.get(), factories.make_staff("review")
    decide = [
        lambda: listing_reports.dismiss(made, decision="No.", by=staff),
        lambda: listing_reports.act_upon(made, decision="Yes.", by=staff),
    ]
    assert sorted(together(decide)) == ["done", "wrong_state"]
    assert Letter.objects.filter(to=by.email).count() == 1


def test_only_the_review_desk_without_an_interest_decides_once_and_says_why(listing):
    staff = factories.make_staff("review")
    made = report(listing, staff)
    for by, decision, error in [
        (factories.make_user(), "No.", RoleNeeded),
        (factories.make_staff("disputes"), "No.", RoleNeeded),
        (staff, "No.", RoleNeeded),
        (factories.make_staff("review"), " ", Invalid),
    ]:
        with pytest.raises(error):
            listing_reports.dismiss(made, decision=decision, by=by)
    assert ListingReport.objects.get().state == "open"
    listing_reports.dismiss(made, decision="No.", by=factories.make_staff("review"))
    with pytest.raises(WrongState):
        listing_reports.act_upon(made, decision="Yes.", by=factories.make_staff("review"))
    assert ListingReport.objects.get().decision == "No."


def test_the_database_refuses_to_change_or_lose_a_report(listing):
    made = report(listing)
    for change in ({"text": "Other."}, {"category": "other"}, {"by": factories.make_user()}):
        with pytest.raises(ProgrammingError), transaction.atomic():
            ListingReport.objects.update(**change)
    with pytest.raises(IntegrityError, match="open_report_is_not_decided"), transaction.atomic():
        ListingReport.objects.update(state="dismissed")
    with pytest.raises(IntegrityError, match="one_open_report_per_person"), transaction.atomic():
        ListingReport.objects.create(listing=listing, category="other", text="Again.", by=made.by)
    with pytest.raises(ProgrammingError), transaction.atomic():
        made.delete()
    listing_reports.dismiss(made, decision="No.", by=factories.make_staff("review"))
    for change in ({"decision": "Yes."}, {"state": "acted_upon"}):
        with pytest.raises(ProgrammingError), transaction.atomic():
            ListingReport.objects.update(**change)
