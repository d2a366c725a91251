"""Triggers every app uses: what PostgreSQL refuses, said once.

A map of moves is `{state: {act: next state}}`. The same map feeds the trigger, the buttons and the API's
"possible next", so they cannot disagree.
"""

from __future__ import annotations

from collections.abc import Mapping

import pgtrigger
from django.db import models

Moves = Mapping[str, Mapping[str, str]]


def pairs(moves: Moves) -> list[tuple[str, str]]:
    """Every (state before, state after) the map allows."""
    return sorted({(str(before), str(after)) for before, acts in moves.items() for after in acts.values()})


def only_moves(moves: Moves, *, field: str = "state") -> pgtrigger.Trigger:
    """Refuse every change of `field`, which is never null, that the map does not name.

    Its condition knows the map, so a row that moves as it may calls no function.
    """
    declared = ", ".join(f"('{before}', '{after}')" for before, after in pairs(moves))
    return pgtrigger.Trigger(
        name="only_declared_moves",
        operation=pgtrigger.Update,
        when=pgtrigger.Before,
        condition=pgtrigger.Condition(
            f'OLD."{field}" IS DISTINCT FROM NEW."{field}" AND (OLD."{field}", NEW."{field}") NOT IN ({declared})'
        ),
        func=f"RAISE 'no row moves from % to %', OLD.{field}, NEW.{field} USING ERRCODE = 'check_violation';",
    )


def born_in(state: str, *, field: str = "state") -> pgtrigger.Trigger:
    """Refuse rows that do not begin their life in `state`."""
    return pgtrigger.Trigger(
        name="born_in_first_state",
        operation=pgtrigger.Insert,
        when=pgtrigger.Before,
        condition=pgtrigger.Q(**{f"new__{field}__df": str(state)}),
        func=f"RAISE 'a row is born {state}, not %', NEW.{field} USING ERRCODE = 'check_violation';",
    )


def never_changes(*fields: str, name: str = "facts_never_change") -> pgtrigger.ReadOnly:
    """Refuse a change of these columns, for ever."""
    return pgtrigger.ReadOnly(name=name, fields=list(fields))


def never_truncated() -> pgtrigger.Trigger:
    """Refuse TRUNCATE, which fires no trigger of a row."""
    return pgtrigger.Trigger(
        name="never_truncated",
        operation=pgtrigger.Truncate,
        level=pgtrigger.Statement,
        when=pgtrigger.Before,
        func="RAISE 'this table is never emptied' USING ERRCODE = 'check_violation';",
    )


def never_deleted() -> list[pgtrigger.Trigger]:
    """Refuse DELETE and TRUNCATE."""
    return [pgtrigger.Protect(name="never_deleted", operation=pgtrigger.Delete), never_truncated()]


def append_only() -> list[pgtrigger.Trigger]:
    """Refuse UPDATE, DELETE and TRUNCATE."""
    return [
        pgtrigger.Protect(name="never_updated", operation=pgtrigger.Update),
        *never_deleted(),
    ]


def sentence(name: str, condition: models.Q) -> models.CheckConstraint:
    """A CHECK whose name reads as a sentence."""
    return models.CheckConstraint(name=name, condition=condition)


def both_or_neither(name: str, first: str, second: str) -> models.CheckConstraint:
    """`(first IS NULL) = (second IS NULL)`."""
    null, not_null = f"{first}__isnull", f"{second}__isnull"
    return sentence(name, models.Q(**{null: True, not_null: True}) | models.Q(**{null: False, not_null: False}))
