"""The tables of trained models and of systems, as text."""

from collections.abc import Sequence
from typing import Any

#: name, format and side of each column
Columns = Sequence[tuple[str, str, str]]

COLUMNS: Columns = (
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


SYSTEM_COLUMNS: Columns = (
    ("system", "", "<"),
    ("preset", "", "<"),
    ("status", "", "<"),
    ("uses_dates", "", "<"),
    *((name, ".4f", ">") for name in ("rmse", "mse", "half_mse", "mae", "user_rmse", "user_mae")),
    ("coverage", ".1%", ">"),
    *((name, ".4f", ">") for name in ("ndcg_10", "recall_10", "mrr")),
    ("catalogue_coverage", ".1%", ">"),
    ("mean_popularity", ",.1f", ">"),
    ("novelty", ".2f", ">"),
    ("seconds", ",.1f", ">"),
    ("peak_memory_mb", ",.0f", ">"),
)


def system_table(rows: Sequence[dict[str, Any]], *, markdown: bool = False) -> str:
    """A row for each system: a mean over several seeds is followed by its standard deviation."""
    shown = [
        {
            name: _cell(row[name], style)
            + (f" ± {_cell(row['spread'][name], style)}" if name in row["spread"] else "")
            for name, style, _ in SYSTEM_COLUMNS
        }
        | {"uses_dates": {True: "yes", False: "no", None: "–"}[row["uses_dates"]]}
        for row in rows
    ]
    columns = [(name, "", side) for name, _, side in SYSTEM_COLUMNS]
    return "\n".join((_markdown if markdown else _aligned)(shown, columns))


def difference_table(rows: Sequence[dict[str, Any]], *, markdown: bool = False) -> str:
    """A row for each system and measure: the difference with its 95 % interval first."""
    columns: Columns = (
        ("system", "", "<"),
        ("measure", "", "<"),
        ("difference", "+.4f", ">"),
        ("low", "+.4f", ">"),
        ("high", "+.4f", ">"),
        ("p", ".4f", ">"),
        ("p_holm", ".4f", ">"),
        ("n_users", ",", ">"),
    )
    return "\n".join((_markdown if markdown else _aligned)(rows, columns))


def search_table(rows: Sequence[dict[str, Any]]) -> str:
    """A row for each search: RMSE, or 1 - NDCG@10 of rankers, on the validation ratings."""
    columns: Columns = (
        ("system", "", "<"),
        ("status", "", "<"),
        ("trials", "", ">"),
        ("preset_loss", ".4f", ">"),
        ("best_loss", ".4f", ">"),
        ("settings", "", "<"),
    )
    shown = [{**row, "settings": _settings(row["settings"])} for row in rows]
    return "\n".join(_aligned(shown, columns))


def _settings(values: dict[str, Any] | None) -> str | None:
    short = {
        name: f"{value:.4g}" if isinstance(value, float) else value
        for name, value in (values or {}).items()
    }
    return ", ".join(f"{name}={value}" for name, value in short.items()) or None


def error_table(rows: Sequence[dict[str, Any]]) -> str:
    """A table with columns as wide as their longest cell, and a dash for a missing figure.

    Below it a line for each model that several versions of the code have trained.
    """
    # A list of models of several data sets says which; most lists are of one.
    several = len({row.get("dataset") for row in rows}) > 1
    lines = _aligned(rows, [("dataset", "", "<"), *COLUMNS] if several else COLUMNS)
    lines += [
        f"Model {row['id']} was begun with {', '.join(row['begun_with'])} and continued with "
        f"{row['code_version']}."
        for row in rows
        if row.get("begun_with")
    ]
    return "\n".join(lines)


def _aligned(rows: Sequence[dict[str, Any]], columns: Columns) -> list[str]:
    cells = _cells(rows, columns)
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return [
        "  ".join(
            f"{text:{side}{width}}"
            for text, width, (_, _, side) in zip(line, widths, columns, strict=True)
        ).rstrip()
        for line in cells
    ]


def _markdown(rows: Sequence[dict[str, Any]], columns: Columns) -> list[str]:
    heading, *cells = _cells(rows, columns)
    rules = ["---:" if side == ">" else "---" for _, _, side in columns]
    return [f"| {' | '.join(line)} |" for line in (heading, rules, *cells)]


def _cells(rows: Sequence[dict[str, Any]], columns: Columns) -> list[list[str]]:
    heading = [name for name, _, _ in columns]
    return [heading, *([_cell(row[name], style) for name, style, _ in columns] for row in rows)]


def _cell(value: Any, style: str) -> str:
    return "–" if value is None else format(value, style)
