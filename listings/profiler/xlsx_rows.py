"""XLSX: the first visible worksheet that holds anything; the names of the others are reported as not described."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import python_calamine

from .archives import require_modest
from .csv_rows import has_header
from .failures import Unreadable
from .tables import Table, batches_of, column_names


def open_xlsx(path: Path, memory_bytes: int) -> Table:
    """The table in a workbook. Raises Unreadable, also if it unpacks to more than half of `memory_bytes`."""
    require_modest(path, memory_bytes // 2)
    try:
        workbook = python_calamine.CalamineWorkbook.from_path(str(path))
        sheets = (workbook.get_sheet_by_name(name) for name in _visible_worksheets(workbook))
        sheet = next((sheet for sheet in sheets if sheet.height), None)
    except python_calamine.PasswordError as error:
        raise Unreadable("encrypted", "The workbook is protected by a password; upload it without one.") from error
    except python_calamine.CalamineError as error:
        raise Unreadable("broken_file", "The workbook is damaged: its sheets cannot be read.") from error
    if sheet is None:
        raise Unreadable("empty", "No visible sheet of the workbook holds anything.")
    rows = _rows(sheet)
    first_rows = [["" if cell is None else cell for cell in row] for row, _ in zip(rows, range(20), strict=False)]
    if not first_rows:
        raise Unreadable("empty", "No visible sheet of the workbook holds anything.")
    header = has_header(first_rows)
    width = len(first_rows[0])
    names = column_names(first_rows[0] if header else [""] * width)
    table = Table(names, rows_at_most=sheet.height, bytes_at_most=20 * sheet.height * width)
    table.facts = {
        "sheet": sheet.name,
        "sheets_not_described": [other for other in workbook.sheet_names if other != sheet.name][:100],
    }
    table.facts["has_header"] = header

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
