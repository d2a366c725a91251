"""Migrations that may run while the program before them still works: docs/deployment.md gives the rules.

What locks a large table, or cannot be undone, is refused in every migration after an app's first. What the program of
the release before cannot live with is refused in those after the newest release, which `RELEASED` names.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.contrib.postgres.operations import AddConstraintNotValid, AddIndexConcurrently
from django.db import migrations, models
from django.db.migrations.operations.base import Operation

from marketplace.together import Together
from tests.source import APPS, ROOT

# The newest migration of each app in the newest release. None is released yet, so no older program is running anywhere.
RELEASED: dict[str, str] = {}
NEWEST = "9999"
# They grow with every event, trade, use or request: an index on them takes minutes, and nobody could write meanwhile.
LARGE = {
    "event", "salt", "seal", "keyedcommand", "paper", "trade", "agreement", "payment", "notice", "grant", "receipt",
    "account", "transfer", "statement", "payout", "releasefile",
}  # fmt: skip


def own_migrations() -> list[tuple[str, str, Any]]:
    """Each migration after an app's first: app, name and class."""
    found = []
    for app in APPS:
        for path in sorted(Path(ROOT / app / "migrations").glob("[0-9]*.py")):
            if not path.stem.startswith("0001"):
                module = importlib.import_module(f"{app}.migrations.{path.stem}")
                found.append((app, path.stem, module.Migration))
    return found


def faults(operations: list[Operation], *, is_atomic: bool, meets_an_older_program: bool) -> Iterator[str]:
    """Why these operations must not run while the exchange works."""
    made = {one.name_lower for one in each(operations) if isinstance(one, migrations.CreateModel)}
    for one in each(operations):
        if getattr(one, "model_name", "").lower() in made:
            continue  # the table is as new as this: nobody waits for it, nobody knows it
        yield from _locks(one, is_atomic)
        yield from _cannot_be_undone(one)
        if meets_an_older_program:
            yield from _breaks_the_older_program(one)


def each(operations: Sequence[Operation]) -> Iterator[Operation]:
    """Every operation, those that are carried out together too."""
    for one in operations:
        if isinstance(one, Together):
            yield from each(one.operations)
        else:
            yield one


def _locks(one: Operation, is_atomic: bool) -> Iterator[str]:
    if isinstance(one, migrations.AddField):
        field = one.field
        if not (field.null or field.has_default() or field.has_db_default() or field.many_to_many):
            yield f"{one.describe()}: it may not be null and has no default"
    if isinstance(one, AddIndexConcurrently) and is_atomic:
        yield f"{one.describe()}: set `atomic = False`"
    if getattr(one, "model_name", "").lower() in LARGE:
        yield from _holds_up_writers(one)


def _holds_up_writers(one: Operation) -> Iterator[str]:
    if isinstance(one, migrations.AddIndex) and not isinstance(one, AddIndexConcurrently):
        yield f"{one.describe()}: use AddIndexConcurrently"
    elif isinstance(one, migrations.AddConstraint) and not isinstance(one, AddConstraintNotValid):
        how = "AddConstraintNotValid" if isinstance(one.constraint, models.CheckConstraint) else "a unique index first"
        yield f"{one.describe()}: use {how}"
    elif isinstance(one, migrations.AddField) and _makes_an_index(one.field):
        yield f"{one.describe()}: its index is made at once; add it by AddIndexConcurrently"


def _makes_an_index(field: Any) -> bool:
    """A reference to another table may: it is made while the column is empty, and no quicker way is known to Django."""
    return bool((field.unique or field.db_index) and not field.remote_field)


def _cannot_be_undone(one: Operation) -> Iterator[str]:
    if isinstance(one, (migrations.RunSQL, migrations.RunPython)) and not one.reversible:
        yield f"{one.describe()}: say how it is undone"


def _breaks_the_older_program(one: Operation) -> Iterator[str]:
    gone = (
        migrations.RemoveField, migrations.RenameField, migrations.DeleteModel, migrations.RenameModel,
        migrations.AlterModelTable,
    )  # fmt: skip
    if isinstance(one, gone):
        yield f"{one.describe()}: the program before still asks for it; take it away a release later"
    if isinstance(one, migrations.AddField) and not (
        one.field.null or one.field.has_db_default() or one.field.many_to_many
    ):
        yield f"{one.describe()}: the program before does not fill it; give it a db_default"


@pytest.mark.parametrize(("app", "name", "migration"), own_migrations(), ids=lambda part: str(part)[:60])
def test_a_migration_may_run_while_the_exchange_works(app, name, migration):
    found = faults(
        migration.operations,
        is_atomic=migration.atomic,
        meets_an_older_program=name > RELEASED.get(app, NEWEST),
    )
    if getattr(migration, "safe_because", ""):
        return
    assert list(found) == [], f"{app}.{name}: see docs/deployment.md, or say `safe_because`"


SMALL = models.Index(fields=["state"], name="some_index")
CHECK = models.CheckConstraint(condition=models.Q(price__gte=0), name="some_check")
UNIQUE = models.UniqueConstraint(fields=["key"], name="some_unique")


@pytest.mark.parametrize(
    ("operation", "fault"),
    [
        (migrations.AddIndex("trade", SMALL), "AddIndexConcurrently"),
        (AddIndexConcurrently("trade", SMALL), "atomic = False"),
        (migrations.AddConstraint("trade", CHECK), "AddConstraintNotValid"),
        (migrations.AddConstraint("trade", UNIQUE), "a unique index first"),
        (migrations.AddField("trade", "size", models.IntegerField()), "no default"),
        (migrations.AddField("trade", "size", models.IntegerField(default=0)), "db_default"),
        (migrations.AddField("trade", "size", models.IntegerField(null=True, db_index=True)), "AddIndexConcurrently"),
        (migrations.RemoveField("trade", "size"), "a release later"),
        (migrations.RenameField("trade", "size", "bytes"), "a release later"),
        (migrations.RenameModel("Trade", "Deal"), "a release later"),
        (migrations.DeleteModel("Trade"), "a release later"),
        (migrations.RunSQL("SELECT 1"), "undone"),
        (Together([migrations.AddIndex("trade", SMALL)]), "AddIndexConcurrently"),
        (migrations.RunPython(lambda apps, schema_editor: None), "undone"),
    ],
    ids=lambda part: type(part).__name__ if isinstance(part, Operation) else "",
)
def test_an_unsafe_operation_is_recognised(operation, fault):
    (found, *_others) = faults([operation], is_atomic=True, meets_an_older_program=True)
    assert fault in found


@pytest.mark.parametrize(
    "operation",
    [
        AddConstraintNotValid("trade", CHECK),
        migrations.AddField("trade", "size", models.IntegerField(null=True)),
        migrations.AddField("trade", "size", models.IntegerField(db_default=0)),
        migrations.AddField("trade", "word", models.TextField(db_default="")),
        migrations.RunSQL("SELECT 1", migrations.RunSQL.noop),
        migrations.AlterModelOptions("trade", {"ordering": ["pk"]}),
    ],
    ids=lambda operation: type(operation).__name__,
)
def test_a_safe_one_is_let_through(operation):
    assert list(faults([operation], is_atomic=True, meets_an_older_program=True)) == []


def test_a_small_table_may_have_its_index_at_once():
    index = migrations.AddIndex("feeschedule", SMALL)
    assert list(faults([index], is_atomic=True, meets_an_older_program=True)) == []


def test_every_table_that_counts_as_large_is_one():
    known = {model._meta.model_name for app in APPS for model in apps.get_app_config(app).get_models()}
    assert sorted(LARGE - known) == []


def test_a_table_may_be_made_with_everything_it_needs():
    made = migrations.CreateModel("Parcel", [("id", models.BigAutoField(primary_key=True))])
    assert list(faults([made, migrations.AddIndex("parcel", SMALL)], is_atomic=True, meets_an_older_program=True)) == []


def test_concurrent_indexes_are_let_through_outside_a_transaction():
    assert list(faults([AddIndexConcurrently("trade", SMALL)], is_atomic=False, meets_an_older_program=True)) == []
