"""The documents name files and tests that exist."""

import ast
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


def test_every_row_of_the_comparison_has_all_its_cells_and_a_proof_unless_it_says_no():
    rows = [
        line.strip("| ").split(" | ")
        for line in (ROOT / "docs" / "comparison.md").read_text(encoding="utf-8").splitlines()
        if line.startswith("| ") and not line.startswith("|  |")
    ]
    assert {len(row) for row in rows} == {11}
    unproved = [row[0] for row in rows if row[2] == "–" and not row[1].startswith("no")]
    assert unproved == []
