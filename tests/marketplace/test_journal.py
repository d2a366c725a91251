"""The journal: recorded with the change, sealed in a tree, followed at least once, forgotten whole."""

import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction
from django.test.utils import CaptureQueriesContext

from marketplace import journal
from marketplace.models import Event, Follower, Salt, Seal, TreeHead, User

pytestmark = pytest.mark.django_db


@pytest.fixture
def person() -> User:
    return User.objects.create_user("ann@example.com")


def test_sealing_gives_each_event_the_next_position(person):
    for number in range(3):
        journal.record("person.joined", person, by=None, number=number)
    assert journal.seal() == 3
    journal.record("person.left", person, by=person)
    assert journal.seal() == 1
    assert list(Seal.objects.order_by("position").values_list("position", "event__kind")) == [
        (0, "person.joined"),
        (1, "person.joined"),
        (2, "person.joined"),
        (3, "person.left"),
    ]
    assert list(TreeHead.objects.order_by("size").values_list("size", flat=True)) == [3, 4]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE marketplace_event SET kind = 'person.other'",
        "UPDATE marketplace_event SET facts = '{}'",
        "DELETE FROM marketplace_event",
        "TRUNCATE marketplace_event CASCADE",
        "UPDATE marketplace_seal SET position = 9",
        "DELETE FROM marketplace_seal",
        "TRUNCATE marketplace_seal",
        "DELETE FROM marketplace_salt",
        "TRUNCATE marketplace_salt",
        "TRUNCATE marketplace_unsealed",
        "UPDATE marketplace_treehead SET size = 9",
        "TRUNCATE marketplace_treehead",
    ],
)
def test_database_refuses_to_change_the_journal(person, statement):
    journal.record("person.joined", person, by=None)
    journal.seal()
    with pytest.raises((IntegrityError, ProgrammingError)), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(statement)
    assert Event.objects.get().facts == {}
    assert Seal.objects.get().position == 0


def test_an_event_leaves_the_queue_only_with_its_seal(person):
    journal.record("person.joined", person, by=None)
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM marketplace_unsealed")
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    assert journal.seal() == 1 and journal.seal() == 0


def test_forgetting_removes_facts_and_salt_and_keeps_the_leaf(person):
    event = journal.record("person.joined", person, by=None, reason="x")
    journal.seal()
    leaf = bytes(Seal.objects.get().leaf_hash)
    journal.forget(event)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    assert Event.objects.get().facts is None
    assert not Salt.objects.exists()
    assert bytes(Seal.objects.get().leaf_hash) == leaf


HEARD: list[tuple[int, str]] = []


def hear_all_but_the_fourth(event: Event) -> None:
    if event.facts["number"] == 3:
        raise ValueError("not this one")
    User.objects.filter(pk=event.subject_id).update(name=f"heard {event.facts['number']}")
    HEARD.append((event.facts["number"], event.kind))


def test_a_follower_reads_on_in_one_savepoint_and_stops_alone_before_what_it_cannot_handle(person, settings):
    settings.FOLLOWERS = {"ears": f"{__name__}.hear_all_but_the_fourth"}
    HEARD.clear()
    for number in range(30):
        journal.record("person.joined", person, by=None, number=number % 3)
    journal.seal()
    with CaptureQueriesContext(connection) as said:
        assert journal.follow() == 30
    assert sum(query["sql"].startswith("SAVEPOINT") for query in said.captured_queries) <= 5
    for number in range(3, 5):
        journal.record("person.joined", person, by=None, number=number)
    journal.record("person.joined", person, by=None, number=2)
    journal.seal()
    assert journal.follow() == 0
    person.refresh_from_db()
    ears = Follower.objects.get(name="ears")
    assert (person.name, ears.position, ears.tries) == ("heard 2", 29, 1)
    assert "ValueError: not this one" in ears.error
    assert [number for number, _kind in HEARD] == [0, 1, 2] * 10
