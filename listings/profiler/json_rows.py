"""JSON: one object per line, or one array of objects, in UTF-8; the paths of its values are the columns.

The values in an object within an object are columns of their own, named by their path (`address.city`). A list stays
one nested column (`tags[]`), because a row has one cell; `paths` says of which types its elements are, likewise by path
(`items[].price`).
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .failures import Unreadable, _
from .first_reading import CHUNK_BYTES, LONGEST_LINE_BYTES, FirstReading
from .packed import Packed
from .tables import MOST_COLUMNS, NESTED, Table, batches_of, column_names

MOST_DEPTH = 16  # objects within objects; what lies deeper stays text
BETWEEN = re.compile(r"[,\s]*")
LISTED_ELEMENTS = 100  # of one list are looked at for their types


def open_json(path: Path | Packed, reading: FirstReading, *, is_array: bool) -> Table:
    """The table in a file of JSON lines, or in one JSON array of objects. Raises Unreadable."""
    if reading.not_utf8_at is not None or reading.has_nul:
        if reading.not_utf8_at is None:
            raise Unreadable("not_utf8", _("JSON must be UTF-8 text, and this file is not; save it as UTF-8."))
        says = _("JSON must be UTF-8 text, and this file is not (byte %(place)s); save it as UTF-8.")
        raise Unreadable("not_utf8", says, place=reading.not_utf8_at)
    if reading.longest_line_bytes > LONGEST_LINE_BYTES and not is_array:
        raise Unreadable(
            "line_too_long",
            _("A line is longer than %(megabytes)s MB; this is no table of rows."),
            megabytes=LONGEST_LINE_BYTES // 1024**2,
        )
    items = _elements if is_array else _items
    present: Counter[str] = Counter()
    nested: Counter[str] = Counter()
    types: defaultdict[str, set[str]] = defaultdict(set)
    uneven = rows = 0
    for item in items(path):
        if item is None:
            uneven += 1
            continue
        rows += 1
        for key, value in flattened(item).items():
            present[key] += 1
            if isinstance(value, dict | list):
                nested[key] += 1
            _note_types(types, key, value)
        if max(len(present), len(types)) > MOST_COLUMNS:
            raise Unreadable(
                "too_many_columns", _("The objects have more than %(keys)s different keys."), keys=MOST_COLUMNS
            )
    if uneven > rows:
        raise Unreadable(
            "broken_file", _("%(uneven)s of %(lines)s lines are no JSON object."), uneven=uneven, lines=rows + uneven
        )
    if not present:
        raise Unreadable("empty", _("The file holds no JSON object with a key."))
    keys = list(present)
    table = Table(column_names(keys), rows_at_most=rows, bytes_at_most=reading.size_bytes, uneven_rows=uneven)
    table.declared = {place: NESTED for place, key in enumerate(keys) if 2 * nested[key] > present[key]}
    table.facts = {"encoding": "utf-8"}
    if any("." in key or "[]" in key for key in types):
        table.facts["paths"] = [{"path": path, "types": sorted(found)} for path, found in sorted(types.items())]
    objects = lambda: (flattened(item) for item in items(path) if item is not None)  # noqa: E731
    table.batches = lambda: batches_of(([_text(item.get(key)) for key in keys] for item in objects()), len(keys))
    return table


def flattened(item: dict[str, Any], prefix: str = "", depth: int = 1) -> dict[str, Any]:
    """The values of an object by their paths; lists, and what lies too deep, as they are."""
    flat: dict[str, Any] = {}
    for key, value in item.items():
        path = prefix + key
        if isinstance(value, dict) and value and depth < MOST_DEPTH:
            flat |= flattened(value, path + ".", depth + 1)
        else:
            flat[path + "[]" if isinstance(value, list) else path] = value
    return flat


def _note_types(types: defaultdict[str, set[str]], path: str, value: Any, depth: int = 1) -> None:
    if isinstance(value, list) and depth < MOST_DEPTH:
        for element in value[:LISTED_ELEMENTS]:
            if isinstance(element, dict):
                for key, inner in flattened(element).items():
                    _note_types(types, f"{path}.{key}", inner, depth + 1)
            else:
                _note_types(types, path + "[]" if isinstance(element, list) else path, element, depth + 1)
        return
    names = {bool: "boolean", int: "integer", float: "number", str: "text", type(None): "null"}
    types[path].add(names.get(type(value), "nested"))


def _elements(path: Path | Packed) -> Iterator[dict[str, Any] | None]:
    """The objects of one array, one at a time. Raises Unreadable where it breaks off, or one is out of measure."""
    decoder, place = json.JSONDecoder(), 0
    with path.open(encoding="utf-8-sig", newline="") as file:
        text = file.read(CHUNK_BYTES).lstrip().removeprefix("[")
        while True:
            place = BETWEEN.match(text, place).end()  # type: ignore[union-attr]  # it matches nothing, too
            if text[place : place + 1] == "]":
                return
            try:
                item, place = decoder.raw_decode(text, place)
            except (ValueError, RecursionError) as error:
                chunk = "" if isinstance(error, RecursionError) else file.read(CHUNK_BYTES)
                if not chunk or len(text) - place > LONGEST_LINE_BYTES:
                    says = _("The JSON breaks off, or an element is too large or too deep to be a row.")
                    raise Unreadable("broken_file", says) from error
                text, place = text[place:] + chunk, 0
            else:
                yield item if isinstance(item, dict) else None


def _items(path: Path | Packed) -> Iterator[dict[str, Any] | None]:
    """The object of each line that is not blank; None where the line is something else."""
    with path.open(encoding="utf-8-sig", newline="\n") as file:
        for line in file:
            if line.isspace():
                continue
            try:
                item = json.loads(line)
            except (ValueError, RecursionError):
                item = None
            yield item if isinstance(item, dict) else None


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if value is True or value is False:
        return "true" if value else "false"
    return repr(value) if isinstance(value, int | float) else json.dumps(value, ensure_ascii=False)
