"""The rules of style sheets: a page that is written from right to left is a mirrored one."""

import re
from pathlib import Path

import pytest

SHEETS = sorted((Path(__file__).resolve().parents[2] / "static" / "css").glob("*.css"))
PHYSICAL = re.compile(
    r"(?:^|[\s;{])(?:"
    r"(?:margin|padding|border|scroll-margin|scroll-padding)-(?:left|right)[\w-]*\s*:"
    r"|border-(?:top|bottom)-(?:left|right)-radius\s*:"
    r"|(?:left|right)\s*:"
    r"|(?:text-align|float|clear)\s*:\s*(?:left|right))"
)
FOUR_SIDES = re.compile(r"(?:^|[\s;{])(?:margin|padding|inset)\s*:\s*([^;}]+)")


def physical(sheet: str) -> list[str]:
    """Declarations that name the left or the right side."""
    return PHYSICAL.findall(sheet) + [
        values
        for values in FOUR_SIDES.findall(sheet)
        if len(sides := re.findall(r"(?:[^\s(]|\([^()]*(?:\([^()]*\)[^()]*)*\))+", values)) == 4
        and sides[1] != sides[3]
    ]


@pytest.mark.parametrize("path", SHEETS, ids=lambda path: path.name)
def test_a_style_sheet_names_no_left_and_no_right(path):
    assert physical(path.read_text()) == []


@pytest.mark.parametrize(
    "rule",
    ["a { margin-left: 1px }", "a { left:0 }", "a{text-align:right}", "a { margin: 0 1px 0 2px; }"],
)
def test_a_physical_side_is_found(rule):
    assert len(physical(rule)) == 1


def test_logical_and_even_sides_are_fine():
    fine = "a { text-align: start; margin: 0 calc(1px + 2px) 0 calc(1px + 2px) }"
    assert physical(fine) == []
