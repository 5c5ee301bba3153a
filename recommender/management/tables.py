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
    """Columns as wide as their longest cell; a dash where there is no figure."""
    cells = [[name for name, _, _ in COLUMNS]]
    cells += [[_cell(row[name], style) for name, style, _ in COLUMNS] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join(
        "  ".join(
            f"{text:{side}{width}}"
            for text, width, (_, _, side) in zip(line, widths, COLUMNS, strict=True)
        ).rstrip()
        for line in cells
    )


def _cell(value: Any, style: str) -> str:
    return "–" if value is None else format(value, style)
