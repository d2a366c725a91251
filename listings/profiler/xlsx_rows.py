"""XLSX: each visible worksheet that holds anything is a table; the names of the others are reported."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import python_calamine

from .archives import require_modest
from .csv_rows import has_header
from .failures import Unreadable, _
from .packed import MOST_TABLES
from .tables import Table, batches_of, column_names


def open_xlsx(path: Path, memory_bytes: int) -> list[Table]:
    """The tables in a workbook, at least one. Raises Unreadable, also if it unpacks to over half of `memory_bytes`."""
    require_modest(path, memory_bytes // 2)
    try:
        workbook = python_calamine.CalamineWorkbook.from_path(str(path))
        visible = _visible_worksheets(workbook)
        sheets = (workbook.get_sheet_by_name(name) for name in visible)
        tables = [table for sheet in sheets if sheet.height and (table := _table(sheet))][:MOST_TABLES]
    except python_calamine.PasswordError as error:
        raise Unreadable("encrypted", _("The workbook is protected by a password; upload it without one.")) from error
    except python_calamine.CalamineError as error:
        raise Unreadable("broken_file", _("The workbook is damaged: its sheets cannot be read.")) from error
    if not tables:
        raise Unreadable("empty", _("No visible sheet of the workbook holds anything."))
    described = {table.facts["sheet"] for table in tables}
    tables[0].facts["sheets_not_described"] = [name for name in workbook.sheet_names if name not in described][:100]
    return tables


def _table(sheet: Any) -> Table | None:
    """One sheet as a table, None if all of it is blank."""
    rows = _rows(sheet)
    first_rows = [["" if cell is None else cell for cell in row] for row, _ in zip(rows, range(20), strict=False)]
    if not first_rows:
        return None
    header = has_header(first_rows)
    width = len(first_rows[0])
    names = column_names(first_rows[0] if header else [""] * width)
    table = Table(names, rows_at_most=sheet.height, bytes_at_most=20 * sheet.height * width)
    table.facts = {"sheet": sheet.name, "has_header": header}

    def batches() -> Iterator[Any]:
        cells = _rows(sheet)
        if header:
            next(cells)
        return batches_of(cells, width)

    table.batches = batches
    return table


def _visible_worksheets(workbook: Any) -> list[str]:
    return [
        sheet.name
        for sheet in workbook.sheets_metadata
        if sheet.typ == python_calamine.SheetTypeEnum.WorkSheet
        and sheet.visible == python_calamine.SheetVisibleEnum.Visible
    ]


def _rows(sheet: Any) -> Iterator[list[str | None]]:
    """The rows that are not wholly blank, as text."""
    for row in sheet.iter_rows():
        cells = [_text(cell) for cell in row]
        if any(cells):
            yield cells


def _text(cell: Any) -> str | None:
    """A cell as one would type it; a workbook keeps whole numbers as 5.0."""
    if cell is None or cell == "":
        return None
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, datetime.datetime):
        return cell.date().isoformat() if cell.time() == datetime.time() else cell.isoformat(" ")
    return str(cell)
