"""What the figures of the paper's exhibits draw, with their places computed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from survey.figures import Drawing, nice_marks, percentage, short_count, svg_path, tick

LAYER_HEIGHT = 30  # pixels of a layer of the network
WIDEST = 0.44  # share of the figure's width that the widest layer takes
MOST_BARS = 20  # with a label each
SHORT_TABLE = 15  # rows


def lay_out(exhibit: Mapping[str, Any]) -> Drawing:
    """An exhibit with its ``figure``, which is None for a table, and for each cell of its tables
    whether it is a number. ``is_long``: the table scrolls in a box of its own."""
    drawing = exhibit["drawing"]
    figure = None if drawing is None else drawing | DRAWN[drawing["kind"]](drawing)
    tables = [
        table
        | {
            "is_long": len(table["rows"]) > SHORT_TABLE,
            "columns": list(zip(table["columns"], table["numeric"], strict=True)),
            "rows": [list(zip(row, table["numeric"], strict=True)) for row in table["rows"]],
        }
        for table in exhibit["tables"]
    ]
    return {**exhibit, "figure": figure, "tables": tables}


def _bars(drawing: Mapping[str, Any]) -> Drawing:
    bars = drawing["bars"]
    marks = nice_marks(0, max(count for _, count in bars))
    step = -(-len(bars) // MOST_BARS)
    return {
        "bars": [
            {
                "label": label if place % step == 0 else "",
                "left": percentage((place + 0.1) / len(bars)),
                "middle": percentage((place + 0.5) / len(bars)),
                "width": percentage(0.8 / len(bars)),
                "top": percentage(1 - count / marks[-1]),
                "height": percentage(count / marks[-1]),
            }
            for place, (label, count) in enumerate(bars)
        ],
        "y_ticks": [tick(1 - mark / marks[-1], short_count(mark)) for mark in marks],
    }


def _curve(drawing: Mapping[str, Any]) -> Drawing:
    points = drawing["points"]
    losses = [loss for _, loss in points]
    x_marks = nice_marks(0, points[-1][0])
    y_marks = nice_marks(min(losses), max(losses))
    height = y_marks[-1] - y_marks[0]
    places = [(seen / x_marks[-1], (y_marks[-1] - loss) / height) for seen, loss in points]
    return {
        "path": svg_path(places),
        "x_ticks": [
            tick(mark / x_marks[-1], short_count(mark), "end" if mark == x_marks[-1] else "")
            for mark in x_marks
        ],
        "y_ticks": [tick((y_marks[-1] - mark) / height, f"{mark:.10g}") for mark in y_marks],
    }


def _intervals(drawing: Mapping[str, Any]) -> Drawing:
    return {"panels": [_panel(panel) for panel in drawing["panels"]]}


def _panel(panel: Mapping[str, Any]) -> Drawing:
    """The rows of a panel on one scale."""
    rows = panel["rows"]
    values = [value for row in rows for value in (row["value"], *(row["interval"] or ()))]
    marks = nice_marks(min(values), max(values), most=4)

    def at(value: float) -> float:
        return (value - marks[0]) / (marks[-1] - marks[0])

    edges = {marks[0]: "start", marks[-1]: "end"}
    return {
        "label": panel["label"],
        "ticks": [tick(at(mark), f"{mark:.10g}", edges.get(mark, "")) for mark in marks],
        "rows": [
            row | {"point": percentage(at(row["value"]))} | _range(row["interval"], at)
            for row in rows
        ],
    }


def _range(interval: Sequence[float] | None, at: Callable[[float], float]) -> Drawing:
    if not interval:
        return {}
    low, high = map(at, interval)
    return {"low": percentage(low), "width": percentage(high - low)}


def _network(drawing: Mapping[str, Any]) -> Drawing:
    """Layers from the top to the bottom; a bar's length grows with the root of the width."""
    layers, shown = drawing["layers"], []
    widest = max(layer["width"] for layer in layers)
    for place, layer in enumerate(layers):
        length = max(0.02, WIDEST * (layer["width"] / widest) ** 0.5)
        left, right = 0.5 - length / 2, 0.5 + length / 2
        shown.append(
            layer
            | {
                "left": percentage(left),
                "right": percentage(right),
                "length": percentage(length),
                "y": LAYER_HEIGHT * place,
                "middle": LAYER_HEIGHT * place + LAYER_HEIGHT // 2 - 5,
                "is_outer": place in {0, len(layers) - 1},
            }
        )
    lines = [
        {"x1": above[side], "x2": below[side], "y1": above["y"] + 20, "y2": below["y"]}
        for above, below in pairwise(shown)
        for side in ("left", "right")
    ]
    return {"layers": shown, "lines": lines, "height": LAYER_HEIGHT * len(layers) - 10}


def _question(_drawing: Mapping[str, Any]) -> Drawing:
    return {}


DRAWN: dict[str, Callable[[Mapping[str, Any]], Drawing]] = {
    "bars": _bars,
    "curve": _curve,
    "intervals": _intervals,
    "network": _network,
    "question": _question,
}
