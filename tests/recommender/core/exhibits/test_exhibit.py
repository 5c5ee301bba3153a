"""Cells and columns of an exhibit."""

import json

import pytest

from recommender.core.exhibits.exhibit import Exhibit, Table, cell_text, numeric_columns

TABLE = Table("t", "Caption", ("Name", "Value", "None"), [("a", 1.5, None), ("b", None, None)])


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (None, "–"),
        (0.92664, "0.9266"),
        (1e-5, "1e-05"),
        (0.0, "0.0000"),
        (12345, "12,345"),
        (1234.5, "1,234"),
    ],
)
def test_a_cell_is_written_for_readers(cell, text):
    assert cell_text(cell) == text


def test_a_column_of_figures_and_dashes_is_numeric():
    assert numeric_columns(TABLE) == [False, True, False]


def test_a_table_without_rows_has_no_numeric_column():
    assert numeric_columns(Table("t", "", ("a", "b"), [])) == [False, False]


def test_an_exhibit_is_ready_for_json():
    found = json.loads(json.dumps(Exhibit("t", "Table I", "Title", tables=[TABLE]).to_dict()))
    assert found["tables"][0]["numeric"] == [False, True, False]
