"""A role that owns no table cannot set the triggers aside, whatever it writes."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, connection, transaction

from marketplace import journal
from marketplace.models import Event, User

pytestmark = pytest.mark.django_db

IGNORE_ALL = "SELECT set_config('pgtrigger.ignore', array_agg(tgname)::text, true) FROM pg_trigger"
CHANGE = "UPDATE marketplace_event SET kind = 'person.other'"


@pytest.fixture
def event() -> Event:
    return journal.record("person.joined", User.objects.create_user("ann@example.com"), by=None)


def test_an_application_role_cannot_ignore_a_trigger(event):
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("CREATE ROLE the_application; GRANT ALL ON ALL TABLES IN SCHEMA public TO the_application")
        with pytest.raises(DatabaseError, match="can be forgotten, not changed"), transaction.atomic():
            cursor.execute("SET LOCAL SESSION AUTHORIZATION the_application")
            cursor.execute(IGNORE_ALL)
            cursor.execute(CHANGE)
    event.refresh_from_db()
    assert event.kind == "person.joined"


def test_the_owner_still_can_as_the_cleaning_of_test_databases_does(event):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(IGNORE_ALL)
        cursor.execute(CHANGE)
    event.refresh_from_db()
    assert event.kind == "person.other"
