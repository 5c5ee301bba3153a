"""One table or figure of the paper, as data: what a page, a drawing and a document all read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

Cell = str | int | float | None


@dataclass(frozen=True)
class Table:
    """Rows of cells below ``columns``; None is a figure that there is not."""

    name: str  #: of its CSV file, without the ending
    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]


@dataclass(frozen=True)
class Exhibit:
    """An exhibit with its tables, and the figures of its drawing.

    ``drawing`` has a ``kind`` (network, bars, curve, intervals or question) and is ready for JSON;
    None draws the tables. An exhibit that cannot be made has no tables: ``missing`` says what it
    lacks, and ``command`` how to get it, if a command helps.
    """

    name: str  #: of its files, without the ending
    label: str  #: in the paper: "Figure 3"
    title: str
    about: str = ""
    tables: Sequence[Table] = ()
    drawing: Mapping[str, Any] | None = None
    missing: str = ""
    command: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON; each table also says which of its columns are ``numeric``."""
        tables = [asdict(table) | {"numeric": numeric_columns(table)} for table in self.tables]
        return asdict(self) | {"tables": tables}


def numeric_columns(table: Table) -> list[bool]:
    """For each column whether it has figures, and nothing else."""
    columns = list(zip(*table.rows, strict=True)) or [()] * len(table.columns)
    return [
        bool(found := [cell for cell in column if cell is not None])
        and all(isinstance(cell, int | float) for cell in found)
        for column in columns
    ]


def cell_text(cell: Cell) -> str:
    """Four decimals for a measured value (two digits if it is tiny, none from a thousand on),
    separators in a count, a dash for None."""
    if cell is None:
        return "–"
    if isinstance(cell, float):
        if abs(cell) >= 1000:
            return f"{cell:,.0f}"
        return f"{cell:.2g}" if 0 < abs(cell) < 0.001 else f"{cell:.4f}"
    return f"{cell:,}" if isinstance(cell, int) else cell
