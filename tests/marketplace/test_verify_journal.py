"""The journal is recomputed from its beginning, and whatever was done to it is named at its place."""

from __future__ import annotations

import datetime as dt
import tracemalloc
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from marketplace import journal, journal_audit
from marketplace.journal_audit import Audit
from marketplace.models import Event, Seal, TreeHead, User

pytestmark = pytest.mark.django_db


@pytest.fixture
def person() -> User:
    return User.objects.create_user("ann@example.com")


@pytest.fixture
def events(person) -> list[Event]:
    """Thirty events in three runs of sealing: tree heads of size 10, 20 and 30."""
    for run in range(3):
        journal.record_many((("trade.agreed", person, {"number": 10 * run + one}) for one in range(10)), by=person)
        assert journal.seal() == 10
    return list(Event.objects.order_by("seal__position"))


def tampered(statement: str, *parameters: object) -> None:
    """Do as somebody with all rights to the database would: no trigger and no foreign key stands in the way."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET session_replication_role = replica")
        cursor.execute(statement, parameters)
        cursor.execute("SET session_replication_role = origin")
        assert cursor.rowcount != 0


def found(**options: object) -> list[tuple[str, int | None, int | None]]:
    return [(one.code, one.position, one.event) for one in Audit(**options).findings()]  # type: ignore[arg-type]


def verified(*arguments: str) -> str:
    out = StringIO()
    call_command("verify_journal", *arguments, stdout=out)
    return out.getvalue()


def refused(*arguments: str) -> str:
    """What the command says when something is wrong; it must end with status 1."""
    out = StringIO()
    with pytest.raises(CommandError) as failure:
        call_command("verify_journal", *arguments, stdout=out)
    assert failure.value.returncode == 1
    return out.getvalue()


def test_a_whole_journal_is_found_whole_and_its_head_is_named(events):
    root = bytes(TreeHead.objects.get(size=30).root).hex()
    assert (
        verified() == f"30 events sealed, 0 of them forgotten; 3 tree heads.\nThe journal is whole. Head: 30:{root}\n"
    )


def test_an_empty_journal_is_whole():
    assert "0 events sealed" in verified()


@pytest.mark.parametrize(
    "change",
    [
        "facts = '{\"number\": 99}'",
        "facts = '{\"number\": 0.5}'",
        "kind = 'trade.declined'",
        "at = at + interval '1 second'",
        "by_id = NULL",
        "subject_id = subject_id + 1",
    ],
)
def test_a_changed_event_is_named_at_its_position(events, change):
    event = events[13]
    tampered(f"UPDATE marketplace_event SET {change} WHERE id = %s", event.pk)  # noqa: S608
    assert found() == [("leaf_differs", 13, event.pk)]
    said = refused()
    assert f"position 13: event {event.pk} (" in said
    assert "The journal is whole" not in said


def test_a_changed_salt_is_named_at_its_position(events):
    tampered("UPDATE marketplace_salt SET value = %s WHERE event_id = %s", b"x" * 32, events[0].pk)
    assert found() == [("leaf_differs", 0, events[0].pk)]


def test_an_event_rewritten_with_its_leaf_is_found_by_the_root(events):
    event = events[13]
    event.facts = {"number": 99}
    leaf = journal.leaf_of(event, bytes(event.salt.value))
    tampered("UPDATE marketplace_event SET facts = '{\"number\": 99}' WHERE id = %s", event.pk)
    tampered("UPDATE marketplace_seal SET leaf_hash = %s WHERE position = 13", leaf)
    assert found() == [("root_differs", 19, None)]
    assert "the root of size 20 differs: it was changed, or a leaf hash of positions 10 to 19" in refused()


def test_a_changed_leaf_hash_is_found_at_its_position_and_by_the_root(events):
    tampered("UPDATE marketplace_seal SET leaf_hash = %s WHERE position = 25", b"y" * 32)
    assert found() == [("leaf_differs", 25, events[25].pk), ("root_differs", 29, None)]
    tampered("UPDATE marketplace_seal SET leaf_hash = 'short' WHERE position = 25")
    assert ("leaf_differs", 25, events[25].pk) in found()


def test_a_changed_root_is_named_and_what_follows_is_still_checked(events):
    tampered("UPDATE marketplace_treehead SET root = %s WHERE size = 10", b"z" * 32)
    tampered("UPDATE marketplace_event SET kind = 'x' WHERE id = %s", events[22].pk)
    assert found() == [("root_differs", 9, None), ("leaf_differs", 22, events[22].pk)]


def test_a_changed_frontier_is_named(events):
    tampered("UPDATE marketplace_treehead SET frontier = '[]' WHERE size = 20")
    assert found() == [("frontier_differs", 19, None)]


def test_swapped_events_are_named_at_both_positions(events):
    for position, event in ((4, -1), (3, events[4].pk), (4, events[3].pk)):  # the index lets no event stand twice
        tampered("UPDATE marketplace_seal SET event_id = %s WHERE position = %s", event, position)
    assert found() == [("leaf_differs", 3, events[4].pk), ("leaf_differs", 4, events[3].pk)]


def test_a_removed_event_is_named(events):
    tampered("DELETE FROM marketplace_event WHERE id = %s", events[7].pk)
    assert found() == [("event_missing", 7, events[7].pk)]


def test_a_gap_is_named_and_so_is_the_event_that_lost_its_seal(events):
    tampered("DELETE FROM marketplace_seal WHERE position BETWEEN 14 AND 16")
    later = timezone.now() + dt.timedelta(minutes=2)
    assert found(seal_within=timezone.now() - later) == [("gap", 14, None), ("unsealed", None, events[14].pk)]
    assert "positions 14 to 16 are missing" in refused()


def test_a_journal_cut_short_is_named(events):
    tampered("DELETE FROM marketplace_seal WHERE position >= 28")
    assert found() == [("gap", 28, None)]
    tampered("DELETE FROM marketplace_treehead WHERE size = 30")
    assert found() == [("head_missing", 20, None)]


def test_a_journal_rewritten_whole_is_found_by_a_head_known_elsewhere(events):
    known = {20: bytes(TreeHead.objects.get(size=20).root)}
    assert found(known_heads=known) == []
    tampered("UPDATE marketplace_event SET facts = '{\"number\": 99}' WHERE id = %s", events[13].pk)
    tampered("DELETE FROM marketplace_seal")
    tampered("DELETE FROM marketplace_treehead")
    tampered("INSERT INTO marketplace_unsealed (event_id) SELECT id FROM marketplace_event")
    assert journal.seal() == 30
    assert found() == []  # consistent in itself, by somebody who may do anything to this database
    assert found(known_heads=known) == [("known_head_differs", 19, None)]
    assert "as was known elsewhere" in refused("--head", f"20:{known[20].hex()}")
    assert found(known_heads={31: known[20]}) == [("gap", 30, None)]


def test_a_head_that_cannot_be_read_is_refused(events):
    for text in ("20", "20:abcd", "0:" + "00" * 32, "x:" + "00" * 32):
        with pytest.raises(CommandError, match="SIZE:ROOT"):
            call_command("verify_journal", "--head", text)


def test_forgotten_events_are_forgotten_not_broken(events):
    journal.forget(events[5])
    journal.forget(events[21])
    said = verified("-v", "2")
    assert "30 events sealed, 2 of them forgotten; 3 tree heads." in said
    assert "forgotten: position 5\nforgotten: position 21\n" in said
    assert "The journal is whole." in said


def test_an_event_that_lost_only_its_facts_or_only_its_salt_is_broken(events):
    tampered("UPDATE marketplace_event SET facts = NULL WHERE id = %s", events[5].pk)
    tampered("DELETE FROM marketplace_salt WHERE event_id = %s", events[6].pk)
    assert found() == [("half_forgotten", 5, events[5].pk), ("half_forgotten", 6, events[6].pk)]


def test_an_event_that_waits_too_long_for_its_seal_is_named(events, person):
    late = journal.record("trade.agreed", person, by=None)
    assert found() == []
    tampered("UPDATE marketplace_event SET at = at - interval '2 minutes' WHERE id = %s", late.pk)
    assert found() == [("unsealed", None, late.pk)]
    assert f"1 events older than 60 s have no seal: {late.pk}" in refused()
    assert "The journal is whole" in verified("--sealed-within", "600")


def test_positions_are_checked_across_the_borders_of_what_is_read_at_once(events, monkeypatch):
    monkeypatch.setattr(journal_audit, "AT_ONCE", 7)
    assert found() == []
    tampered("DELETE FROM marketplace_seal WHERE position BETWEEN 5 AND 15")
    assert found() == [("gap", 5, None)]


def test_a_long_journal_is_read_in_a_bounded_amount_of_memory(person, monkeypatch):
    monkeypatch.setattr(journal_audit, "AT_ONCE", 200)
    facts = {"text": "x" * 4000}
    for _run in range(4):
        journal.record_many((("trade.agreed", person, facts) for _one in range(1000)), by=None)
        journal.seal()
    assert Seal.objects.count() == 4000
    tracemalloc.start()
    assert found() == []
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8_000_000  # the facts alone are 16 MB


@pytest.mark.django_db(transaction=True)
def test_the_journal_is_read_as_of_one_moment(person):
    journal.record("trade.agreed", person, by=None)
    journal.seal()
    with journal_audit._one_view_of_the_database(), connection.cursor() as cursor:
        cursor.execute("SHOW transaction_isolation")
        assert cursor.fetchone() == ("repeatable read",)
        cursor.execute("SHOW transaction_read_only")
        assert cursor.fetchone() == ("on",)
    assert found() == []
