"""Exhibits as text: CSV, Markdown and LaTeX."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence

from recommender.core.exhibits.exhibit import Exhibit, Table, cell_text, numeric_columns

#: A cell that a spreadsheet would take for a formula.
FORMULA = re.compile(r"^[=+\-@\t\r]")
LATEX = {
    "\\": r"\textbackslash{}",
    **{letter: f"\\{letter}" for letter in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "–": "--",
    "×": r"$\times$",
    "≥": r"$\ge$",
}


def csv_text(table: Table) -> str:
    """The table with unrounded figures; a missing figure is empty.

    A text that a spreadsheet would calculate starts with an apostrophe.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(table.columns)
    for row in table.rows:
        writer.writerow([f"'{c}" if isinstance(c, str) and FORMULA.match(c) else c for c in row])
    return out.getvalue()


def markdown_text(exhibit: Exhibit) -> str:
    """A heading, what was done, and the tables; or what is missing and the command for it."""
    parts = [f"## {exhibit.label}. {exhibit.title}", exhibit.about]
    if exhibit.missing:
        parts += [exhibit.missing, f"    {exhibit.command}" if exhibit.command else ""]
    for table in exhibit.tables:
        parts += [f"**{table.caption}**", _markdown_table(table)]
    return "\n\n".join(part for part in parts if part.strip()) + "\n"


def latex_text(exhibit: Exhibit) -> str:
    """A ``table`` with booktabs rules for each table, and a ``figure`` with the drawing."""
    if exhibit.missing:
        return f"% {exhibit.label}: {exhibit.missing} {exhibit.command}".rstrip() + "\n"
    parts = [_latex_table(table) for table in exhibit.tables]
    if exhibit.drawing:
        parts.append(
            "\\begin{figure}\n  \\centering\n"
            f"  \\includegraphics[width=\\linewidth]{{{exhibit.name}.pdf}}\n"
            f"  \\caption{{{_latex(exhibit.title)}}}\n\\end{{figure}}\n"
        )
    return "\n".join(parts)


def _markdown_table(table: Table) -> str:
    rules = ["---:" if numeric else "---" for numeric in numeric_columns(table)]
    cells = [[cell_text(cell).replace("|", "\\|") for cell in row] for row in table.rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in (table.columns, rules, *cells))


def _latex_table(table: Table) -> str:
    sides = "".join("r" if numeric else "l" for numeric in numeric_columns(table))

    def line(cells: Sequence[str]) -> str:
        return f"  {' & '.join(map(_latex, cells))} \\\\"

    rows = [line([cell_text(cell) for cell in row]) for row in table.rows]
    parts = [
        f"\\begin{{table}}\n  \\centering\n  \\caption{{{_latex(table.caption)}}}",
        f"  \\begin{{tabular}}{{{sides}}}\n  \\toprule",
        line(table.columns),
        "  \\midrule",
        *rows,
        "  \\bottomrule\n  \\end{tabular}\n\\end{table}\n",
    ]
    return "\n".join(parts)


def _latex(text: str) -> str:
    return "".join(LATEX.get(letter, letter) for letter in text)
