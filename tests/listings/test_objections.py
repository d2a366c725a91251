"""The publicity window: what is registered is public before it is listed, and an objection keeps it off sale."""

from __future__ import annotations

import datetime as dt
import threading

import pytest
from django.db import IntegrityError, ProgrammingError, connections, transaction

from listings import objections, publishing, registration
from listings import tasks as listings_tasks
from listings.models import Listing, Objection
from listings.states import ListingState, ObjectionState
from marketplace import clock, documents
from marketplace.errors import Invalid, Refused, RoleNeeded, WrongState
from marketplace.models import Annotation, Event, Letter, Paper
from tests import factories

DAYS = 20


@pytest.fixture
def window(settings):
    settings.PUBLICITY_DAYS = DAYS


@pytest.fixture
def entry(db, window):
    """A registration whose window has just opened."""
    factories.make_approved(factories.make_draft(factories.make_verified("Harbour Data")))
    return registration.register_next()


def after_the_window():
    return clock.moved_to(clock.now() + dt.timedelta(days=DAYS, seconds=1))


def state_of(entry) -> str:
    return Listing.objects.get(versions=entry.version_id).state


def test_without_days_a_product_is_listed_as_it_is_registered(db):
    listing = factories.make_listed_product()
    assert listing.state == ListingState.LISTED
    assert listing.current_version.registration.objections_until is None


def test_a_registered_product_waits_for_its_window_and_is_then_listed_by_a_worker(entry):
    assert state_of(entry) == ListingState.REGISTERED
    assert entry.objections_until - entry.registered_at >= dt.timedelta(days=DAYS) - dt.timedelta(seconds=5)
    listings_tasks.publish_products()
    assert state_of(entry) == ListingState.REGISTERED
    assert not Paper.objects.filter(kind="listing_certificate").exists()
    with after_the_window():
        listings_tasks.publish_products()
        listings_tasks.publish_products()
    assert state_of(entry) == ListingState.LISTED
    assert Paper.objects.filter(kind="listing_certificate", subject_id=entry.pk).count() == 1
    assert Event.objects.filter(kind="listing.published").count() == 1


def test_the_certificate_names_the_end_of_the_window(entry):
    record = Paper.objects.get(kind="registration_certificate").record
    assert record["objections_until_at"] == entry.objections_until.isoformat(timespec="seconds")


def test_an_open_objection_keeps_the_product_from_being_listed_until_it_is_dismissed(entry):
    by = factories.make_user()
    filed = objections.file(entry, reason="This is our data.", evidence="Contract 7 of 2024.", by=by)
    with after_the_window():
        listings_tasks.publish_products()
        assert state_of(entry) == ListingState.REGISTERED
        decided = objections.dismiss(filed, decision="The contract ended.", by=factories.make_staff("review"))
        assert (decided.state, decided.decision) == (ObjectionState.DISMISSED, "The contract ended.")
        listings_tasks.publish_products()
    assert state_of(entry) == ListingState.LISTED
    kinds = Event.objects.filter(subject_kind="objection", subject_id=filed.pk).order_by("pk")
    assert list(kinds.values_list("kind", flat=True)) == ["objection.filed", "objection.dismissed"]


def test_a_dismissed_objection_does_not_shorten_the_window(entry):
    filed = objections.file(entry, reason="Ours.", by=factories.make_user())
    objections.dismiss(filed, decision="It is not.", by=factories.make_staff("disputes"))
    listings_tasks.publish_products()
    assert state_of(entry) == ListingState.REGISTERED


def test_an_upheld_objection_marks_the_registration_and_only_a_new_version_can_be_listed(entry):
    filed = objections.file(entry, reason="Ours.", by=factories.make_user())
    objections.uphold(filed, decision="It is theirs.", by=factories.make_staff("review"))
    certificate = Paper.objects.get(kind="registration_certificate")
    assert list(certificate.annotations.values_list("code", flat=True)) == [Annotation.Code.OBJECTED]
    assert documents.revocation_of(certificate) is None
    with after_the_window():
        listings_tasks.publish_products()
        assert state_of(entry) == ListingState.REGISTERED
    listing = Listing.objects.get()
    by = factories.owner_of(listing.seller)
    changes = {"titles": {"en": "Ours alone"}, "summaries": {"en": "Without theirs."}}
    factories.make_approved(publishing.edit(publishing.draft(listing, by=by), by=by, **changes))
    second = registration.register_next()
    assert second.objections_until is not None
    with after_the_window():
        listings_tasks.publish_products()
    assert state_of(second) == ListingState.LISTED


def test_a_change_of_what_is_on_sale_opens_no_window(db, settings):
    listing = factories.make_listed_product()
    settings.PUBLICITY_DAYS = DAYS
    by = factories.owner_of(listing.seller)
    changes = {"titles": {"en": "Arrivals"}, "summaries": {"en": "Every arrival."}}
    factories.make_approved(publishing.edit(publishing.draft(listing, by=by), by=by, **changes))
    second = registration.register_next()
    assert (second.objections_until, state_of(second)) == (None, ListingState.LISTED)
    first = Paper.objects.filter(kind="registration_certificate").earliest("pk")
    assert list(first.annotations.values_list("code", flat=True)) == [Annotation.Code.SUPERSEDED]


@pytest.mark.parametrize("case", ["own", "twice", "empty", "late", "listed"])
def test_who_may_not_object_is_told_why_and_nothing_is_filed(entry, case):
    by = factories.make_user()
    code, reason = {
        "own": ("own_product", "x"),
        "twice": ("objected_already", "x"),
        "empty": ("reason_needed", "  "),
        "late": ("window_over", "x"),
        "listed": ("window_over", "x"),
    }[case]
    if case == "own":
        by = factories.owner_of(entry.holder)
    if case == "twice":
        objections.file(entry, reason="First.", by=by)
    before = Objection.objects.count()
    moment = clock.now() + (dt.timedelta(days=DAYS, seconds=1) if case in ("late", "listed") else dt.timedelta())
    with clock.moved_to(moment), pytest.raises(Refused) as refusal:
        if case == "listed":
            listings_tasks.publish_products()
        objections.file(entry, reason=reason, by=by)
    assert refusal.value.code == code
    assert Objection.objects.count() == before


def test_one_person_files_five_objections_a_day(db, window):
    by = factories.make_user()
    seller = factories.make_verified()
    entries = []
    for number in range(6):
        titles = {"titles": {"en": f"Number {number}"}, "summaries": {"en": "Words."}}
        factories.make_approved(factories.make_draft(seller, **titles))
        entries.append(registration.register_next())
    for one in entries[:5]:
        objections.file(one, reason="Ours.", by=by)
    with pytest.raises(objections.TooManyObjections):
        objections.file(entries[5], reason="Ours.", by=by)
    assert Objection.objects.count() == 5
    with clock.moved_to(clock.now() + dt.timedelta(days=1, minutes=1)):
        objections.file(entries[5], reason="Ours.", by=by)


def test_only_staff_without_an_interest_decide_once_and_say_why(entry):
    member = factories.make_staff("review")
    filed = objections.file(entry, reason="Ours.", by=member)
    for by, error, decision in [
        (factories.make_user(), RoleNeeded, "Because."),
        (factories.make_staff("payments"), RoleNeeded, "Because."),
        (member, RoleNeeded, "Because."),
        (factories.make_staff("review"), Invalid, " "),
    ]:
        with pytest.raises(error):
            objections.dismiss(filed, decision=decision, by=by)
    assert Objection.objects.get().state == ObjectionState.OPEN
    objections.dismiss(filed, decision="Because.", by=factories.make_staff("review"))
    with pytest.raises(WrongState):
        objections.uphold(filed, decision="Because.", by=factories.make_staff("review"))


def test_the_database_refuses_to_list_against_an_objection_and_to_change_one(entry):
    filed = objections.file(entry, reason="Ours.", by=factories.make_user())
    listing = Listing.objects.filter(versions=entry.version_id)
    with pytest.raises(IntegrityError, match="an objection stands"), transaction.atomic():
        listing.update(state="listed", listed_at=clock.now())
    for change in ({"reason": "x"}, {"by": filed.registration.holder.created_by_id}):
        with pytest.raises(ProgrammingError), transaction.atomic():
            Objection.objects.filter(pk=filed.pk).update(**change)
    with pytest.raises(IntegrityError), transaction.atomic():
        Objection.objects.filter(pk=filed.pk).update(state="dismissed")
    with pytest.raises(ProgrammingError), transaction.atomic():
        filed.delete()
    with transaction.atomic():
        objections.dismiss(filed, decision="No.", by=factories.make_staff("review"))
    with after_the_window():
        listings_tasks.publish_products()
    with pytest.raises(IntegrityError, match="takes no objections"), transaction.atomic():
        Objection.objects.create(registration=entry, reason="Late.", by=filed.by)


@pytest.mark.django_db(transaction=True)
def test_an_objection_at_the_instant_of_publication_either_stops_it_or_is_told_it_is_over(window):
    """Both lock the listing: there is never a listed product with an open objection."""
    for _round in range(3):
        factories.make_approved(factories.make_draft(factories.make_verified()))
        entry = registration.register_next()
        by, gate, answers = factories.make_user(), threading.Barrier(2), []

        def publish(gate=gate, entry=entry):
            gate.wait()
            with transaction.atomic():
                listing = Listing.objects.select_for_update().get(versions=entry.version_id)
                if not Objection.objects.filter(registration=entry, state="open").exists():
                    publishing.publish(listing)

        def file(gate=gate, entry=entry, by=by, answers=answers):
            gate.wait()
            try:
                objections.file(entry, reason="Ours.", by=by)
                answers.append("filed")
            except objections.WindowOver:
                answers.append("over")

        def closing(command):
            try:
                command()
            finally:
                connections.close_all()

        threads = [threading.Thread(target=closing, args=(one,)) for one in (publish, file)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        expected = ListingState.REGISTERED if answers == ["filed"] else ListingState.LISTED
        assert state_of(entry) == expected
        assert Objection.objects.filter(registration=entry).count() == (answers == ["filed"])


def letters_to(person) -> list[tuple[str, str]]:
    return list(Letter.objects.filter(to=person.email).order_by("pk").values_list("subject", "body"))


def test_the_seller_is_written_to_about_an_objection_and_not_told_who_objected(entry):
    seller, by = factories.owner_of(entry.holder), factories.make_user(name="Somebody Else")
    trader, viewer = factories.make_member(entry.holder, "trader"), factories.make_member(entry.holder, "viewer")
    trader.language = "zh-hans"
    trader.save()
    before = {person: len(letters_to(person)) for person in (seller, trader)}
    objections.file(entry, reason="This is our data.", by=by)
    [(subject, body)] = letters_to(seller)[before[seller] :]
    assert subject == "An objection to the registration of “Departures of New York”"
    assert "This is our data." in body and f"/register/{entry.number}/" in body
    assert by.email not in body and "Somebody Else" not in body
    [(subject, _body)] = letters_to(trader)[before[trader] :]
    assert subject == "“纽约航班离港数据”的登记收到异议"
    assert letters_to(viewer) == letters_to(by) == []


@pytest.mark.parametrize(
    ("decide", "told"),
    [(objections.uphold, "upheld the objection"), (objections.dismiss, "dismissed the objection")],
)
def test_both_sides_are_written_to_when_an_objection_is_decided(entry, decide, told):
    seller, by = factories.owner_of(entry.holder), factories.make_user()
    filed = objections.file(entry, reason="This is our data.", by=by)
    decide(filed, decision="The contract says so.", by=factories.make_staff("review"))
    [(subject, body)] = letters_to(by)
    assert subject == "The objection to “Departures of New York” is decided"
    assert told in body and "The contract says so." in body and "new version" not in body
    _subject, body = letters_to(seller)[-1]
    assert told in body and ("new version" in body) == (decide is objections.uphold)


def test_a_refused_decision_writes_no_letter(entry):
    filed = objections.file(entry, reason="This is our data.", by=factories.make_user())
    before = Letter.objects.count()
    with pytest.raises(Invalid):
        objections.dismiss(filed, decision=" ", by=factories.make_staff("review"))
    assert Letter.objects.count() == before
