"""Announcements: who writes them, who reads them, in which language, until when, and at what cost."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation

from marketplace import announcements, clock, journal
from marketplace.announcements import put_on_pages, shown
from marketplace.errors import Invalid, RoleNeeded, WrongState
from marketplace.models import Announcement, AnnouncementDismissal, Event, Organisation
from tests import factories
from tests.factories import make_staff

pytestmark = pytest.mark.django_db

HOUR = dt.timedelta(hours=1)


def announce(**changes) -> Announcement:
    said = {
        "kind": "news",
        "severity": "info",
        "audience": "everybody",
        "titles": {"en": "Open on Sunday"},
        "texts": {},
        "starts_at": timezone.now() - HOUR,
        "ends_at": timezone.now() + HOUR,
        "why": "So that all know.",
        "by": make_staff("support"),
    }
    row = announcements.write(**said | changes)
    put_on_pages()
    return row


def page(person=None, url: str = "/market/") -> str:
    client = Client()
    if person:
        client.force_login(person)
    return client.get(url).content.decode()


def test_each_audience_reads_its_own_and_only_while_it_stands():
    titles = {audience: f"For {audience} alone" for audience in Announcement.Audience.values}
    for audience, title in titles.items():
        announce(audience=audience, titles={"en": title})
    seller, buyer = factories.make_organisation(), factories.make_organisation()
    Organisation.objects.filter(pk=seller.pk).update(kinds=["supplier"])
    Organisation.objects.filter(pk=buyer.pk).update(kinds=["buyer"])
    readers = {
        "nobody": (None, {"everybody"}),
        "stranger": (factories.make_user(), {"everybody"}),
        "seller": (seller.created_by, {"everybody", "members", "sellers"}),
        "buyer": (buyer.created_by, {"everybody", "members", "buyers"}),
        "staff": (make_staff("vetting"), {"everybody", "staff"}),
    }
    for who, (person, expected) in readers.items():
        for url in ("/market/", "/announcements/"):
            text = page(person, url)
            assert {audience for audience, title in titles.items() if title in text} == expected, (who, url)
    with clock.moved_to(timezone.now() + 2 * HOUR):
        assert "For everybody alone" not in page()
    with clock.moved_to(timezone.now() - 2 * HOUR):
        assert "For everybody alone" not in page()


def test_a_page_pays_no_statement_for_what_is_announced():
    client = Client()
    client.get("/market/")
    with CaptureQueriesContext(connection) as without:
        client.get("/market/")
    announce(severity="urgent")
    with CaptureQueriesContext(connection) as counted:
        assert "Open on Sunday" in client.get("/market/").content.decode()
    assert len(counted) == len(without)


def test_who_dismissed_it_sees_it_no_more_in_any_session_and_others_do():
    row, person = announce(), factories.make_user()
    client = Client()
    client.force_login(person)
    assert "Do not show again" in client.get("/market/").content.decode()
    url = f"/announcements/{row.public_id}/dismissal/"
    assert client.post(url, {"next": "https://elsewhere.example/"}).url == "/"
    assert client.post(url, {"next": "/market/"}).url == "/market/"
    assert "Open on Sunday" not in client.get("/market/").content.decode()
    assert "Open on Sunday" in client.get("/announcements/").content.decode()
    assert "Open on Sunday" not in page(person) and "Open on Sunday" in page(factories.make_user())
    assert "Do not show again" not in page()
    assert AnnouncementDismissal.objects.count() == 1


def test_a_missing_language_falls_back_to_the_nearest_and_says_so():
    row = announce(titles={"en": "Closed", "zh-hant": "休息"}, texts={"zh-hant": "明日休息。"})
    with translation.override("zh-hans"):
        said = shown(row)
        assert (said.title, said.text, said.lang) == ("休息", "明日休息。", "zh-Hant-HK")
    with translation.override("en"):
        assert (shown(row).title, shown(row).text, shown(row).lang) == ("Closed", "", "")


def test_what_makes_no_sense_is_refused_and_writes_nothing():
    now = timezone.now()
    wrong = [
        ({"titles": {"en": " "}}, Invalid, "title_missing"),
        ({"texts": {"zh-hans": "无标题"}}, Invalid, "title_missing"),
        ({"why": " "}, Invalid, "why_missing"),
        ({"kind": "rumour"}, Invalid, "unknown_choice"),
        ({"severity": "deadly"}, Invalid, "unknown_choice"),
        ({"audience": "nobody"}, Invalid, "unknown_choice"),
        ({"starts_at": now + HOUR, "ends_at": now}, Invalid, "until_before_from"),
        ({"ends_at": now - HOUR / 2}, Invalid, "until_before_from"),
        ({"by": make_staff("audit")}, RoleNeeded, "role_needed"),
    ]
    for changes, error, code in wrong:
        with pytest.raises(error) as refused:
            announce(**changes)
        assert refused.value.code == code
    assert not Announcement.objects.exists() and not Event.objects.filter(kind__startswith="announcement").exists()


def test_it_is_withdrawn_once_with_a_reason_and_never_changed():
    row, by = announce(), make_staff("administrator")
    with pytest.raises(Invalid):
        announcements.withdraw(row, why="", by=by)
    announcements.withdraw(row, why="A wrong day.", by=by)
    put_on_pages()
    with pytest.raises(WrongState):
        announcements.withdraw(row, why="Again.", by=by)
    assert "Open on Sunday" not in page() + page(url="/announcements/")
    assert list(journal.of(row).values_list("kind", flat=True)) == ["announcement.written", "announcement.withdrawn"]
    desk = page(make_staff("audit"), "/admin/desks/announcements/")
    assert "A wrong day." in desk and "So that all know." in desk and "Announce it" not in desk
    for forbidden, error in (({"titles": {"en": "Other"}}, ProgrammingError), ({"why": "x"}, ProgrammingError)):
        with pytest.raises(error), transaction.atomic():
            Announcement.objects.filter(pk=row.pk).update(**forbidden)
    with pytest.raises(ProgrammingError), transaction.atomic():
        Announcement.objects.all().delete()


def test_the_database_refuses_until_before_from_and_an_audience_there_is_not():
    now = timezone.now()
    facts = {
        "kind": "news",
        "severity": "info",
        "audience": "everybody",
        "titles": {"en": "x"},
        "texts": {},
        "why": "y",
        "starts_at": now,
        "ends_at": now + HOUR,
        "written_by": make_staff("support"),
    }
    of_known_words = "announcement_is_of_a_kind_for_an_audience"
    for wrong, rule in (
        ({"ends_at": now - HOUR}, "announced_from_before_until"),
        ({"audience": "nobody"}, of_known_words),
        ({"severity": "deadly"}, of_known_words),
        ({"kind": "rumour"}, of_known_words),
    ):
        with pytest.raises(IntegrityError, match=rule), transaction.atomic():
            Announcement.objects.create(**facts | wrong)


def test_the_desk_writes_one_in_three_languages():
    client = Client()
    client.force_login(make_staff("support"))
    said = {
        "key": "k" * 24,
        "kind": "maintenance",
        "severity": "warning",
        "audience": "members",
        "title_en": "Down on Sunday",
        "title_zh-hans": "周日停机维护",
        "title_zh-hant": "星期日停機維護",
        "text_en": "From two to four.",
        "starts_at": "2026-01-01T09:00",
        "ends_at": "2126-01-01T09:00",
        "why": "A new disk.",
    }
    assert client.post("/admin/desks/announcements/", said | {"ends_at": "2025-01-01T09:00"}).status_code == 422
    assert client.post("/admin/desks/announcements/", said).status_code == 302
    row = Announcement.objects.get()
    assert row.titles == {"en": "Down on Sunday", "zh-hans": "周日停机维护", "zh-hant": "星期日停機維護"}
    assert (row.kind, row.starts_at.isoformat()) == ("maintenance", "2026-01-01T01:00:00+00:00")
