"""Exhibits as CSV, Markdown and LaTeX."""

import csv

from recommender.core.exhibits.documents import csv_text, latex_text, markdown_text
from recommender.core.exhibits.exhibit import Exhibit, Table

TABLE = Table("t", "50 % & more", ("Item", "RMSE"), [("A|B_1", 0.123456), ("=1+1", None)])
EXHIBIT = Exhibit("t", "Table I", "A title", "About it.", [TABLE], {"kind": "bars"})
MISSING = Exhibit("t", "Table I", "A title", missing="Nothing.", command="manage.py train_models")


def test_csv_has_unrounded_figures_and_no_formulas():
    rows = list(csv.reader(csv_text(TABLE).splitlines()))
    assert rows == [["Item", "RMSE"], ["A|B_1", "0.123456"], ["'=1+1", ""]]


def test_markdown_has_one_line_for_each_row():
    lines = markdown_text(EXHIBIT).splitlines()
    assert lines[0] == "## Table I. A title"
    assert lines[-4:] == [
        "| Item | RMSE |",
        "| --- | ---: |",
        "| A\\|B_1 | 0.1235 |",
        "| =1+1 | – |",
    ]


def test_latex_escapes_its_special_characters():
    text = latex_text(EXHIBIT)
    assert r"\caption{50 \% \& more}" in text
    assert r"  A|B\_1 & 0.1235 \\" in text
    assert r"  =1+1 & -- \\" in text
    assert r"\begin{tabular}{lr}" in text
    assert r"\includegraphics[width=\linewidth]{t.pdf}" in text


def test_a_missing_exhibit_names_the_command():
    assert "    manage.py train_models" in markdown_text(MISSING)
    assert latex_text(MISSING).startswith("% Table I: Nothing.")
