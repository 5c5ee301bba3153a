"""Drawings by matplotlib, in three formats and one PDF."""

import pytest

from recommender.core.exhibits.drawing import bind_exhibits, draw_exhibit
from recommender.core.exhibits.exhibit import Exhibit, Table

TABLE = Table("t", "Caption", ("Item", "Value"), [("A $film$ of 5_6 & more" * 3, 0.5)] * 26)
DRAWINGS = {
    "tables": None,
    "bars": {"kind": "bars", "bars": [["1", 3], ["2", 5]], "x": "Rating", "y": "Ratings"},
    "curve": {"kind": "curve", "points": [[1000, 1.5], [2000, 1.0]], "x": "Examples"},
    "network": {"kind": "network", "layers": [{"label": "Input", "width": 9}] * 3},
    "question": {
        "kind": "question",
        "profile": [["$A", 5.0], ["B", 1.0]],
        "cards": [{"title": "C", "facts": "1990"}, {"title": "D", "facts": ""}],
    },
    "intervals": {
        "kind": "intervals",
        "panels": [
            {
                "label": label,
                "rows": [
                    {"label": "a", "value": 0.9, "interval": [0.8, 1.0]},
                    {"label": "b", "value": 0.7, "interval": None},
                ],
            }
            for label in ("RMSE", "MAE")
        ],
    },
}
STARTS = {"svg": b"<?xml", "pdf": b"%PDF", "png": b"\x89PNG"}


def exhibit(kind):
    return Exhibit(kind, "Figure 9", "Title", "About. " * 40, [TABLE], DRAWINGS[kind])


@pytest.mark.parametrize("kind", DRAWINGS)
def test_an_exhibit_is_drawn_in_every_format(kind):
    files = draw_exhibit(exhibit(kind))
    assert {name: data[: len(STARTS[name])] for name, data in files.items()} == STARTS


def test_the_same_exhibit_gives_the_same_svg():
    assert draw_exhibit(exhibit("bars"))["svg"] == draw_exhibit(exhibit("bars"))["svg"]


def test_one_pdf_has_a_page_for_each_exhibit_and_one_for_the_findings():
    missing = Exhibit("m", "Table I", "Title", missing="Nothing.", command="manage.py train")
    data = bind_exhibits("Report", ["A finding. " * 30], [exhibit("bars"), missing])
    assert data.startswith(b"%PDF")
    assert b"/Count 3" in data
