"""Operations of a migration that are carried out together."""

import pytest
from django.db import connection, migrations, models
from django.db.migrations.state import ProjectState

from marketplace.together import Together

MADE = migrations.CreateModel("Crate", [("id", models.BigAutoField(primary_key=True))])
ADDED = Together(
    [
        migrations.AddField("crate", "weight", models.IntegerField(default=0)),
        migrations.AddField("crate", "inside", models.ForeignKey("marketplace.crate", models.PROTECT, null=True)),
        migrations.AddConstraint(
            "crate", models.CheckConstraint(condition=models.Q(weight__gte=0), name="a_crate_weighs_something")
        ),
    ]
)


def columns() -> dict[str, str]:
    """The table's columns and constraints, each with what it is."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT attname, 'column' FROM pg_attribute WHERE attrelid = 'marketplace_crate'::regclass AND attnum > 0"
            " AND NOT attisdropped UNION ALL"
            " SELECT CASE contype WHEN 'f' THEN 'foreign key' ELSE conname END, 'constraint' FROM pg_constraint"
            " WHERE conrelid = 'marketplace_crate'::regclass AND contype IN ('c', 'f')"
        )
        return dict(cursor.fetchall())


@pytest.mark.django_db(transaction=True)
def test_what_is_added_together_is_there_and_can_be_taken_back() -> None:
    empty = ProjectState()
    made, added = empty.clone(), empty.clone()
    MADE.state_forwards("marketplace", made)
    MADE.state_forwards("marketplace", added)
    _ = added.apps  # rendered before, as it is when a migration's tables have just been made
    ADDED.state_forwards("marketplace", added)
    try:
        with connection.schema_editor() as editor:
            MADE.database_forwards("marketplace", editor, empty, made)
            ADDED.database_forwards("marketplace", editor, made, added)
        assert columns() == {
            "id": "column",
            "weight": "column",
            "inside_id": "column",
            "a_crate_weighs_something": "constraint",
            "foreign key": "constraint",
        }
        with connection.schema_editor() as editor:
            ADDED.database_backwards("marketplace", editor, added, made)
        assert columns() == {"id": "column"}
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE marketplace_crate")


def test_it_can_be_undone_only_when_each_of_them_can() -> None:
    assert ADDED.reversible
    assert not Together([*ADDED.operations, migrations.RunSQL("SELECT 1")]).reversible


def test_it_says_what_it_does() -> None:
    said = ADDED.describe().split("; ")
    assert said[0] == "Add field weight to crate" and len(said) == 3
