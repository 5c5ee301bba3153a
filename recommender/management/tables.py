"""The error table of trained models, as text."""

from collections.abc import Sequence
from typing import Any

COLUMNS = (
    ("id", "", ">"),
    ("system", "", "<"),
    ("preset", "", "<"),
    ("split", "", "<"),
    ("status", "", "<"),
    ("n_train", ",", ">"),
    ("n_test", ",", ">"),
    ("cold_share", ".1%", ">"),
    ("train_rmse", ".4f", ">"),
    ("rmse", ".4f", ">"),
    ("mse", ".4f", ">"),
    ("mae", ".4f", ">"),
    ("seconds", ".1f", ">"),
    ("peak_memory_mb", ",.0f", ">"),
)


def error_table(rows: Sequence[dict[str, Any]]) -> str:
    """A table with columns as wide as their longest cell, and a dash for a missing figure.

    Below it a line for each model that several versions of the code have trained.
    """
    cells = [[name for name, _, _ in COLUMNS]]
    cells += [[_cell(row[name], style) for name, style, _ in COLUMNS] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [
        "  ".join(
            f"{text:{side}{width}}"
            for text, width, (_, _, side) in zip(line, widths, COLUMNS, strict=True)
        ).rstrip()
        for line in cells
    ]
    lines += [
        f"Model {row['id']} was begun with {', '.join(row['begun_with'])} and continued with "
        f"{row['code_version']}."
        for row in rows
        if row.get("begun_with")
    ]
    return "\n".join(lines)


def _cell(value: Any, style: str) -> str:
    return "–" if value is None else format(value, style)
