"""Workbooks hold what the rows hold: texts as texts, numbers as numbers, nothing as a formula."""

from io import BytesIO

import openpyxl
import pytest

from survey import workbooks
from survey.workbooks import write_workbook


def written(rows):
    file = BytesIO()
    count = write_workbook(file, iter(rows))
    return count, openpyxl.load_workbook(BytesIO(file.getvalue()))


@pytest.mark.parametrize(
    "text", ["=1+1", "-4", "+1", "@SUM(A1)", "007", "Zoë", "I liked it; -- great", "a\nb", "1e5"]
)
def test_a_text_is_a_text_whatever_it_looks_like(text):
    _, book = written([["comment"], [text]])
    cell = book.active["A2"]
    assert (cell.data_type, cell.value) == ("s", text)


def test_a_column_of_numbers_holds_numbers():
    count, book = written([["confidence", "code"], ["4", "4"], ["", ""]])
    rows = list(book.active.iter_rows(values_only=True))
    assert count == 2
    assert rows[:2] == [("confidence", "code"), (4, "4")]


@pytest.mark.parametrize("text", ["007", "12345678901234567890", "٣", "-0"])
def test_a_text_that_a_number_would_change_stays_a_text(text):
    _, book = written([["number"], [text]])
    assert book.active["A2"].value == text


def test_a_table_without_rows_has_its_header():
    count, book = written([["study", "choice"]])
    assert count == 0
    assert list(book.active.iter_rows(values_only=True)) == [("study", "choice")]


def test_rows_beyond_the_limit_of_a_sheet_go_to_the_next(monkeypatch):
    monkeypatch.setattr(workbooks, "MOST_ROWS", 2)
    count, book = written([["n"], ["a"], ["b"], ["c"]])
    assert count == 3
    sheets = [list(sheet.iter_rows(values_only=True)) for sheet in book]
    assert sheets == [[("n",), ("a",), ("b",)], [("n",), ("c",)]]
