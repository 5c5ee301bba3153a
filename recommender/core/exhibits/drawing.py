"""Draws exhibits as SVG, PDF and PNG by matplotlib; only jobs load it."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping, Sequence
from io import BytesIO
from itertools import pairwise
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure

from recommender.core.exhibits.exhibit import Exhibit, Table, cell_text, numeric_columns

FORMATS = ("svg", "pdf", "png")
WIDTH = 7.0  # inches, the text width of a page
INK, QUIET, COLOUR, FILL = "#25221c", "#655f53", "#0b68a6", "#d5e6f2"
STYLE = {
    "font.size": 9,
    "text.color": INK,
    "axes.edgecolor": QUIET,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "svg.hashsalt": "exhibit",  # the same ids in every run
}
TABLE_ROWS = 25  # of a table in a drawing; its CSV has all
MOST_LETTERS = 40  # of a column
#: so that the same exhibit gives the same bytes
UNDATED: dict[str, dict[str, None]] = {
    "svg": {"Date": None},
    "pdf": {"CreationDate": None},
    "png": {},
}


def draw_exhibit(exhibit: Exhibit) -> dict[str, bytes]:
    """The drawing in each of the FORMATS; an exhibit without one is drawn as its tables."""
    with rc_context(STYLE):
        figure, files = _figure(exhibit), {}
        for kind in FORMATS:
            out = BytesIO()
            figure.savefig(out, format=kind, dpi=200, metadata=UNDATED[kind])
            files[kind] = out.getvalue()
    return files


def bind_exhibits(title: str, paragraphs: Sequence[str], exhibits: Sequence[Exhibit]) -> bytes:
    """One PDF: a page with the title and the paragraphs, then a page for each exhibit."""
    out = BytesIO()
    with rc_context(STYLE), PdfPages(out, metadata=UNDATED["pdf"]) as pages:
        pages.savefig(_text_page(title, paragraphs))
        for exhibit in exhibits:
            if exhibit.missing:
                lines = [exhibit.missing, exhibit.command]
                pages.savefig(_text_page(f"{exhibit.label}. {exhibit.title}", lines))
            else:
                pages.savefig(_figure(exhibit, titled=True))
    return out.getvalue()


def _figure(exhibit: Exhibit, *, titled: bool = False) -> Figure:
    """``titled`` adds the label, the title and what was done, for a page of its own."""
    draw, height = _drawer(exhibit)
    about = textwrap.wrap(exhibit.about, 105) if titled else []
    head = (0.5 + 0.17 * len(about)) if titled else 0.0
    figure = Figure((WIDTH, height + head), layout="constrained")
    FigureCanvasAgg(figure)
    body = figure
    if titled:
        parts = figure.subfigures(2, 1, squeeze=False, height_ratios=[head, height])
        top, body = parts.ravel()
        title = f"{exhibit.label}. {exhibit.title}"
        top.text(0.02, 1 - 0.2 / head, title, weight="bold", size=11, va="center", parse_math=False)
        where = {"x": 0.02, "y": 1 - 0.4 / head}
        top.text(**where, s="\n".join(about), size=8, va="top", color=QUIET, parse_math=False)
    draw(body)
    return figure


def _drawer(exhibit: Exhibit) -> tuple[Callable[[Any], None], float]:
    """A function that draws on a figure, and the height it needs in inches."""
    drawing = exhibit.drawing
    if drawing is None:
        tables = exhibit.tables
        heights = [0.4 + 0.125 * sum(map(_lines, _fitted(table)[2])) for table in tables]
        return lambda body: _tables(body, tables, heights), sum(heights)
    rows = max((len(panel["rows"]) for panel in drawing.get("panels", ())), default=0)
    heights_of = {
        "bars": 3.2,
        "curve": 3.2,
        "network": 3.0,
        "question": 0.6 + 0.24 * max(8, len(drawing.get("profile", ()))),
        "intervals": 0.9 + 0.25 * rows,
    }
    kind = drawing["kind"]
    return lambda body: DRAWERS[kind](body, drawing), heights_of[kind]


def _bars(body: Any, drawing: Mapping[str, Any]) -> None:
    axes = body.subplots()
    labels, counts = zip(*drawing["bars"], strict=True)
    axes.bar(range(len(labels)), counts, color=COLOUR, width=0.75)
    step = -(-len(labels) // 20)  # at most twenty labels
    places = range(0, len(labels), step)
    axes.set_xticks(places, [labels[place] for place in places])
    axes.set_xlabel(drawing["x"])
    axes.set_ylabel(drawing["y"])
    axes.yaxis.set_major_formatter(lambda value, _place: f"{value:,.0f}")


def _curve(body: Any, drawing: Mapping[str, Any]) -> None:
    axes = body.subplots()
    seen, losses = zip(*drawing["points"], strict=True)
    axes.plot(seen, losses, color=COLOUR, linewidth=1.2)
    axes.set_xlabel(drawing["x"])
    axes.set_ylabel("RMSE")
    axes.xaxis.set_major_formatter(lambda value, _place: f"{value:,.0f}")


def _intervals(body: Any, drawing: Mapping[str, Any]) -> None:
    panels = drawing["panels"]
    for axes, panel in zip(body.subplots(1, len(panels), sharey=True), panels, strict=True):
        for place, row in enumerate(panel["rows"]):
            if row["interval"]:
                axes.plot(row["interval"], [place, place], color=COLOUR, alpha=0.5, linewidth=4)
            axes.plot([row["value"]], [place], "o", color=COLOUR, markersize=4)
        axes.set_yticks(range(len(panel["rows"])), [row["label"] for row in panel["rows"]])
        axes.set_xlabel(panel["label"])
        axes.grid(axis="x", color="#e2dccf", linewidth=0.6)
        axes.set_axisbelow(True)
    axes.invert_yaxis()


def _network(body: Any, drawing: Mapping[str, Any]) -> None:
    axes, layers = _blank(body), drawing["layers"]
    tallest = max(layer["width"] for layer in layers)
    ends = []
    for place, layer in enumerate(layers):
        height = max(0.06, 0.7 * (layer["width"] / tallest) ** 0.5)
        x = (place + 0.5) / len(layers)
        ends.append((x, height))
        outer = place in {0, len(layers) - 1}
        axes.bar(
            x, height, 0.3 / len(layers), 0.5 - height / 2,
            color=FILL if outer else COLOUR, edgecolor=COLOUR,
        )  # fmt: skip
        axes.text(x, 0.05, layer["label"], ha="center", size=8)
        axes.text(x, 0.96, f"{layer['width']:,}", ha="center", size=8, color=QUIET)
    half = 0.15 / len(layers)
    for (left, first), (right, second) in pairwise(ends):
        for side in (1, -1):
            heights = (0.5 + side * first / 2, 0.5 + side * second / 2)
            axes.plot((left + half, right - half), heights, color=QUIET, linewidth=0.6)


def _question(body: Any, drawing: Mapping[str, Any]) -> None:
    axes, profile = _blank(body), drawing["profile"]
    step = 1 / (len(profile) + 1)
    for place, (title, rating) in enumerate(profile):
        y = 1 - step * (place + 1)
        axes.text(0.02, y, textwrap.shorten(title, 42), va="center", parse_math=False)
        axes.text(0.46, y, f"{rating:g}", va="center", ha="right", color=QUIET)
    for place, card in enumerate(drawing["cards"]):
        low = 0.52 - 0.46 * place
        axes.add_patch(_frame(axes, low))
        title = textwrap.fill(card["title"], 38)
        axes.text(0.54, low + 0.32, title, va="center", weight="bold", parse_math=False)
        facts = textwrap.shorten(card["facts"], 48)
        axes.text(0.54, low + 0.15, facts, va="center", color=QUIET, parse_math=False)


def _frame(axes: Axes, low: float) -> Any:
    from matplotlib.patches import FancyBboxPatch

    style = "round,pad=0,rounding_size=0.02"
    return FancyBboxPatch((0.51, low), 0.47, 0.42, style, facecolor="none", edgecolor=QUIET)


def _tables(body: Any, tables: Sequence[Table], heights: Sequence[float]) -> None:
    spots = body.subplots(len(tables), 1, squeeze=False, gridspec_kw={"height_ratios": heights})
    for axes, table in zip(spots[:, 0], tables, strict=True):
        axes.set_axis_off()
        axes.set_title(table.caption, size=9, weight="bold", loc="left")
        size, letters, rows = _fitted(table)
        drawn = axes.table(
            rows, cellLoc="left", edges="horizontal", bbox=(0, 0, 1, 1), colWidths=letters
        )
        drawn.auto_set_font_size(False)
        drawn.set_fontsize(size)
        numeric = numeric_columns(table)
        for (line, column), cell in drawn.get_celld().items():
            cell.set_height(_lines(rows[line]))
            cell.set_edgecolor("#e2dccf")
            cell.get_text().set_parse_math(False)
            cell.set_text_props(
                ha="right" if numeric[column] else "left", weight="bold" if line == 0 else None
            )


def _fitted(table: Table) -> tuple[int, list[int], list[list[str]]]:
    """Font size, letters of each column, and the header and rows wrapped to them."""
    size, budget = (8, 90) if len(table.columns) < 6 else (6, 125)
    cells = [[cell_text(cell) for cell in row] for row in table.rows[:TABLE_ROWS]]
    lines = [list(table.columns), *cells]
    longest = [max(map(len, column)) for column in zip(*cells, strict=True)]
    words = [max(map(len, column.split())) for column in table.columns]
    wanted = [min(MOST_LETTERS, max(9, *both)) for both in zip(longest, words, strict=True)]
    shrunk = min(1.0, budget / sum(wanted))
    letters = [max(7, int(shrunk * column)) for column in wanted]
    rows = [
        [_wrapped(text, width) for text, width in zip(line, letters, strict=True)] for line in lines
    ]
    return size, letters, rows


def _wrapped(text: str, letters: int) -> str:
    return "\n".join(textwrap.wrap(text, letters)[:4])


def _lines(cells: Sequence[str]) -> float:
    """The height of a row, in lines of text."""
    return 0.6 + max(text.count("\n") + 1 for text in cells)


def _text_page(title: str, paragraphs: Sequence[str]) -> Figure:
    wrapped = [textwrap.fill(paragraph, 92) for paragraph in paragraphs]
    lines = sum(text.count("\n") + 2 for text in wrapped)
    height = 1 + 0.17 * lines
    figure = Figure((WIDTH, height))
    FigureCanvasAgg(figure)
    figure.text(0.06, 1 - 0.4 / height, title, weight="bold", size=12, parse_math=False)
    text = "\n\n".join(wrapped)
    figure.text(0.06, 1 - 0.7 / height, text, va="top", linespacing=1.3, parse_math=False)
    return figure


def _blank(body: Any) -> Axes:
    axes: Axes = body.subplots()
    axes.set_axis_off()
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    return axes


DRAWERS: dict[str, Callable[[Any, Mapping[str, Any]], None]] = {
    "bars": _bars,
    "curve": _curve,
    "intervals": _intervals,
    "network": _network,
    "question": _question,
}
