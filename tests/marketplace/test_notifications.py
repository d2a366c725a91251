"""Telling people: who, where, in which language, and what they chose; and what PostgreSQL refuses."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from marketplace import clock, journal, letter_html, letters, notifications, participants, roles, tasks, tokens
from marketplace.errors import Invalid
from marketplace.models import Letter, Notification, NotificationSwitch, Organisation, User
from marketplace.money import Money
from marketplace.notifications import Ways
from marketplace.roles import Role
from marketplace.told_facts import kept, shown
from tests import factories

pytestmark = pytest.mark.django_db

TITLES = {"en": "Flights", "zh-hans": "航班", "zh-hant": "航班（香港）"}


def ask(seller: Organisation, by: User | None = None) -> list[Notification]:
    return notifications.tell(
        "question.asked",
        organisation=seller.pk,
        path="/products/x/questions/#question-1",
        facts={"title": TITLES, "quote": "Since when?\nhttps://elsewhere.example/"},
        by=by,
    )


def reading(person: User, language: str) -> User:
    person.language = language
    person.save()
    return person


@pytest.fixture
def seller() -> Organisation:
    return factories.make_organisation("Example Limited")


def test_those_whose_role_may_act_are_told_once_each_and_whoever_did_it_is_not(seller):
    owner, steward = factories.owner_of(seller), factories.make_member(seller, "data_steward")
    factories.make_member(seller, "viewer")
    factories.make_member(factories.make_organisation("Another Limited"), "owner")
    assert [one.to for one in ask(seller)] == [owner, steward]
    assert sorted(Letter.objects.values_list("to", flat=True)) == sorted([owner.email, steward.email])
    assert [one.to for one in ask(seller, by=owner)] == [steward]


def test_a_notification_reads_in_the_language_of_the_moment_and_a_letter_in_its_readers(seller):
    reading(factories.owner_of(seller), "zh-hant")
    [told] = ask(seller)
    with translation.override("en"):
        assert notifications.words_of(told.kind, told.facts).subject == "A question about “Flights”"
    with translation.override("zh-hans"):
        assert "航班" in notifications.words_of(told.kind, told.facts).subject
    letter = Letter.objects.get()
    assert letter.language == "zh-hant" and "航班（香港）" in letter.subject
    assert "> Since when?" in letter.body and "http://127.0.0.1:8000/products/x/questions/#question-1" in letter.body


def test_what_a_person_switched_off_does_not_reach_them(seller):
    owner = factories.owner_of(seller)
    notifications.choose(owner, {"question.asked": Ways(in_app=True, by_mail=False)})
    assert len(ask(seller)) == 1 and not Letter.objects.exists()
    notifications.choose(owner, {"question.asked": Ways(in_app=False, by_mail=True)})
    assert ask(seller) == [] and Letter.objects.count() == 1
    assert notifications.ways_of(owner)["question.asked"] == Ways(in_app=False, by_mail=True)


def test_money_and_security_cannot_be_switched_off_and_tell_whoever_did_it_too(seller):
    owner = factories.owner_of(seller)
    with pytest.raises(Invalid) as refusal:
        notifications.choose(owner, {"payout_account.named": Ways(in_app=True, by_mail=False)})
    assert refusal.value.code == "always_told"
    with pytest.raises(Invalid) as refusal:
        notifications.choose(owner, {"no.such": Ways(in_app=True, by_mail=True)})
    assert refusal.value.code == "no_such_kind"
    assert not NotificationSwitch.objects.exists()
    facts = {"organisation": seller, "account": "a", "named_by": "b", "by": "b", "at": ""}
    told = notifications.tell("payout_account.named", organisation=seller.pk, path="/money/", facts=facts, by=owner)
    assert [one.to for one in told] == [owner] and Letter.objects.get().to == owner.email


def test_who_left_the_organisation_no_longer_reads_its_notifications(seller):
    steward = factories.make_member(seller, "data_steward")
    ask(seller)
    notifications.tell("report.dismissed", people=[steward], path="/", facts={"title": "x", "report": "y"})
    assert Notification.objects.visible_to(steward).count() == 2
    participants.end_membership(factories.membership_of(steward, seller), by=factories.owner_of(seller))
    assert [one.kind for one in Notification.objects.visible_to(steward)] == ["report.dismissed"]
    assert notifications.unread_count(steward, []) == 1


def test_reading_marks_ones_own_and_no_others(seller):
    steward = factories.make_member(seller, "data_steward")
    of_owner, of_steward = ask(seller)
    assert notifications.mark_read(steward, only=of_owner.pk) == 0
    assert notifications.mark_read(steward) == 1 and notifications.mark_read(steward) == 0
    of_owner.refresh_from_db()
    of_steward.refresh_from_db()
    assert of_owner.read_at is None and of_steward.read_at is not None


def test_what_is_told_goes_with_the_act_that_told_it(seller):
    with pytest.raises(RuntimeError), transaction.atomic():
        ask(seller)
        raise RuntimeError("the act failed after all")
    assert not Notification.objects.exists() and not Letter.objects.exists()


def test_the_database_refuses_what_no_command_does(seller):
    [told] = ask(seller)
    mine = Notification.objects.filter(pk=told.pk)
    with pytest.raises(DatabaseError), transaction.atomic():
        mine.update(facts={})
    with pytest.raises(DatabaseError), transaction.atomic():
        mine.delete()
    notifications.mark_read(told.to)
    with pytest.raises(DatabaseError), transaction.atomic():
        mine.update(read_at=None)
    mine.delete()


@pytest.mark.parametrize(
    ("value", "english", "chinese"),
    [
        (TITLES, "Flights", "航班"),
        (Money(125_000, "HKD"), "HKD 1,250.00", "HKD 1,250.00"),
        (Organisation(name="例子有限公司", latin_name="Example Limited"), "Example Limited", "例子有限公司"),
        (Role.FINANCE, "Finance", "财务"),
        (7, "7", "7"),
    ],
)
def test_a_fact_is_kept_as_json_and_shown_in_the_readers_language(value, english, chinese):
    fact = kept(value)
    with translation.override("en"):
        assert shown(fact) == english
    with translation.override("zh-hans"):
        assert shown(fact) == chinese


# --- letters as HTML -----------------------------------------------------------------------------------------------


def test_html_says_what_the_plain_text_says_and_presses_only_our_own_addresses(seller, mailoutbox):
    reading(factories.owner_of(seller), "zh-hans")
    ask(seller)
    tasks.send_letters()
    [letter] = mailoutbox
    [(drawn, mime)] = [(part.content, part.mimetype) for part in letter.alternatives]
    assert mime == "text/html" and '<html lang="zh-Hans">' in drawn
    kinds = [block.kind for block in letter_html.blocks(letter.body)]
    assert kinds == ["text", "quote", "text", "button", "text", "link"]
    for block in letter_html.blocks(letter.body):
        for line in block.text.splitlines():
            assert line in drawn.replace("&#x27;", "'")
    assert 'href="https://elsewhere' not in drawn and "<img" not in drawn and "<script" not in drawn
    assert set(re.findall(r'href="(http[^"]*?)"', drawn)) == {
        "http://127.0.0.1:8000/products/x/questions/#question-1",
        "http://127.0.0.1:8000/notifications/settings/",
        "http://127.0.0.1:8000/",
    }


def test_markup_in_somebodys_words_stays_words():
    drawn = letter_html.drawn("<b>Subject</b>", "Hello\n\n> <script>alert(1)</script>\n\nDatabourse\n")
    assert "<script>" not in drawn and "&lt;script&gt;" in drawn and "&lt;b&gt;" in drawn


def test_an_invitation_and_an_account_letter_are_html_too(mailoutbox, client, seller):
    invitation, secret = participants.invite(
        seller, email="new@example.com", role="viewer", by=factories.owner_of(seller)
    )
    letters.send_invitation(invitation, secret)
    client.post("/accounts/signup/", {"email": "other@example.com", "password1": "a long enough passphrase"})
    for letter in mailoutbox:
        [part] = letter.alternatives
        assert part.mimetype == "text/html" and part.content.count('class="press"') == 1


# --- pages ---------------------------------------------------------------------------------------------------------


def test_the_bell_counts_what_is_unread_and_reading_leads_on_to_the_object(seller, client):
    owner = factories.owner_of(seller)
    other = factories.make_organisation("Another Limited", owner=owner)
    [told] = ask(seller)
    client.force_login(owner)
    client.post("/act-for/", {"organisation": other.public_id})
    page = client.get("/notifications/").content.decode()
    assert '<span class="bell-count">1' in page and "A question about “Flights”" in page and "is-unread" in page
    answer = client.post(f"/notifications/{told.pk}/reading/")
    assert answer.url == told.path and client.session["acting"] == seller.public_id
    page = client.get("/notifications/?show=unread").content.decode()
    assert "bell-count" not in page and "You have read everything" in page
    assert client.post(f"/notifications/{told.pk}/reading/", {"stay": "1", "next": "//evil.example"}).url == (
        "/notifications/"
    )


def test_the_bell_costs_one_statement_and_a_visitor_none(seller, client, django_assert_num_queries):
    with django_assert_num_queries(0):
        client.get("/design/")
    client.force_login(factories.owner_of(seller))
    with CaptureQueriesContext(connection) as asked:
        client.get("/design/")
    assert sum("marketplace_notification" in one["sql"] for one in asked.captured_queries) == 1


def test_the_settings_page_switches_each_kind_and_leaves_the_required_alone(seller, client):
    owner = factories.owner_of(seller)
    client.force_login(owner)
    client.post("/notifications/settings/", {"app-question.asked": "on", "mail-trade.cleared": "on"})
    ways = notifications.ways_of(owner)
    assert ways["question.asked"] == Ways(in_app=True, by_mail=False)
    assert ways["trade.cleared"] == Ways(in_app=False, by_mail=True)
    assert ways["payout.paid"] == Ways(in_app=True, by_mail=True)
    assert not NotificationSwitch.objects.filter(kind="payout.paid").exists()


def test_what_was_read_long_ago_is_forgotten_and_what_was_not_is_kept(seller, settings):
    [told] = ask(seller)
    with clock.moved_to(clock.now() + dt.timedelta(days=91)):
        assert notifications.forget_read() == 0
    notifications.mark_read(told.to)
    with clock.moved_to(clock.now() + dt.timedelta(days=89)):
        assert notifications.forget_read() == 0
    with clock.moved_to(clock.now() + dt.timedelta(days=91)):
        assert notifications.forget_read() == 1
    assert not Notification.objects.exists()


def test_people_are_told_of_a_role_a_removal_and_a_key(seller):
    owner, member = factories.owner_of(seller), factories.make_member(seller, "viewer")
    membership = factories.membership_of(member, seller)
    participants.change_role(membership, "finance", by=owner)
    tokens.create_token(user=owner, organisation=seller, name="Script", scopes=["read"], lapses_at=None, by=owner)
    participants.end_membership(membership, by=owner)
    while journal.seal():
        pass
    journal.follow()
    shown = [notifications.words_of(one.kind, one.facts).subject for one in Notification.objects.filter(to=member)]
    assert shown == [
        "Your role in Example Limited is now: Finance",
        "You no longer belong to Example Limited",
    ]
    assert "token.created" in Notification.objects.filter(to=owner).values_list("kind", flat=True)


def test_every_kind_has_words_in_each_language_and_an_act_there_is():
    for kind in notifications.kinds():
        assert kind.act in roles.MEMBER_ACTS, kind.code
        english = {}
        for language in ("en", "zh-hans", "zh-hant"):
            with translation.override(language):
                said = (str(kind.label), str(kind.subject), str(kind.text), str(kind.next_step))
            english.setdefault("said", said)
            named = [set(re.findall(r"%\((\w+)\)s", part)) for part in said]
            assert named == [set(re.findall(r"%\((\w+)\)s", part)) for part in english["said"]], kind.code
        assert kind.group != notifications.Group.MONEY or kind.is_required, kind.code
