"""Tables as .xlsx workbooks: every cell is a text or a number, never a formula."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import IO

import xlsxwriter

#: Columns of numbers; the cells of all others are texts, whatever they look like.
NUMBERS = {"question", "position", "visible_ms", "confidence", "revision", "number"}
#: Numbers that a spreadsheet shows as they are. A panel may name its ids like one of these columns,
#: and 007 must stay 007.
NUMBER = re.compile(r"0|[1-9][0-9]{0,14}")
#: Limits of the format: characters of a cell, and rows of a sheet below its header.
LONGEST_CELL = 32_767
MOST_ROWS = 1_048_575


def write_workbook(file: IO[bytes], rows: Iterable[list[str]]) -> int:
    """Write the rows, the header first; the number of rows without the header.

    Rows beyond the limit of a sheet go to another sheet with the same header.
    """
    lines, count = iter(rows), 0
    header = next(lines)
    with xlsxwriter.Workbook(file, {"constant_memory": True}) as book:
        for count, row in enumerate(lines, start=1):
            at = (count - 1) % MOST_ROWS + 1
            if at == 1:
                sheet = _new_sheet(book, header)
            for column, cell in enumerate(row):
                if header[column] in NUMBERS and NUMBER.fullmatch(cell):
                    sheet.write_number(at, column, int(cell))
                elif cell:
                    sheet.write_string(at, column, cell[:LONGEST_CELL])
        if not count:
            _new_sheet(book, header)
    return count


def _new_sheet(book: xlsxwriter.Workbook, header: list[str]) -> xlsxwriter.worksheet.Worksheet:
    sheet = book.add_worksheet()
    sheet.freeze_panes(1, 0)
    for column, name in enumerate(header):
        sheet.write_string(0, column, name)
    return sheet
