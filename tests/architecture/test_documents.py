"""The documents name files and tests that exist, and figures that were kept."""

import ast
import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"\[([^\]]+)\]\(([^)\s]+)\)")


def links(document: Path) -> list[tuple[str, Path]]:
    """Text and file of every link to something in the repository."""
    found = LINK.findall(document.read_text(encoding="utf-8"))
    return [
        (text, (document.parent / target.partition("#")[0]).resolve())
        for text, target in found
        if not target.startswith(("#", "http://", "https://"))
    ]


def defines(path: Path, name: str) -> bool:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return any(isinstance(node, ast.FunctionDef) and node.name == name for node in ast.walk(tree))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_link_in_a_document_leads_to_a_file(document):
    assert [str(path) for _, path in links(document) if not path.exists()] == []


def test_every_test_that_the_comparison_names_exists():
    named = [
        (text, path)
        for text, path in links(ROOT / "docs" / "comparison.md")
        if text.startswith("test_") and not text.endswith(".py")
    ]
    assert len(named) > 50
    assert [text for text, path in named if not defines(path, text)] == []


def comparison() -> list[list[list[str]]]:
    """The tables of the comparison, each as rows of cells, the header first."""
    text = (ROOT / "docs" / "comparison.md").read_text(encoding="utf-8")
    return [
        [[cell.strip() for cell in line[2:-2].split(" | ")] for line in table.splitlines()]
        for table in re.findall(r"(?:^\| .*\n)+", re.sub(r"^\|---.*\n", "", text, flags=re.M), re.M)
    ]


def test_every_row_of_the_comparison_has_all_its_cells_and_a_proof_unless_it_says_no():
    tables = comparison()
    assert [row[0] for header, *rows in tables for row in rows if len(row) != len(header)] == []
    proved = [rows for header, *rows in tables if "proof" in header]
    assert len(proved) == 8
    rows = [row for table in proved for row in table]
    unproved = [row[0] for row in rows if row[2] == "–" and not row[1].startswith("no")]
    assert unproved == []


def test_every_tool_of_the_comparison_has_a_dated_source():
    *tables, (header, *sources) = comparison()
    assert header == ["tool", "version or state", "date", "what was read"]
    dated = {row[0] for row in sources if re.fullmatch(r"20\d\d-\d\d(; 20\d\d-\d\d)?", row[2])}
    assert len(dated) == len(sources)
    in_columns = {name for header, *_ in tables if not header[0] for name in header[1:]}
    in_rows = {row[0] for header, *rows in tables if header[0] == "tool" for row in rows}
    assert (in_columns | in_rows) - {"Studysite", "proof"} == dated


def test_the_times_of_the_judging_page_in_the_documents_are_those_that_were_kept():
    """After a new run of ``benchmarks/judging_page.py``: its rows, into docs/study-protocol.md."""
    kept = json.loads((ROOT / "benchmarks" / "results" / "judging_page.json").read_text())
    load, aims = kept["load"], kept["aims_ms"]

    def row(label: str, found: float, aim: float) -> str:
        return f"| {label} | {found:,.0f} ms | {aim:,} ms{': missed' if found > aim else ''} |"

    rows = [
        f"| the page, compressed | {load['document'] / 1000:.0f} kB | |",
        f"| with styles, scripts and pictures | {load['all'] / 1000:.0f} kB | |",
        f"| answer of the server | {load['server']:.0f} ms | |",
        f"| first content painted | {load['painted']:.0f} ms | |",
        row("interactive", load["interactive"], aims["interactive"]),
        row(
            "interactive, slowest of the five",
            kept["worst_round_interactive_ms"],
            aims["interactive"],
        ),
        *(row(label, found, aims["response"]) for label, found in kept["response_ms"].items()),
    ]
    shown = (ROOT / "docs" / "study-protocol.md").read_text(encoding="utf-8").splitlines()
    assert [line for line in rows if line not in shown] == []
