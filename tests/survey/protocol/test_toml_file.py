"""Options in a TOML file, as in the examples of the documents."""

import re
from datetime import date
from pathlib import Path

import pytest

from survey.errors import StudyError
from survey.protocol.fields import Protocol
from survey.protocol.problems import validated
from survey.protocol.toml_file import read_toml

DOCUMENTS = Path(__file__).resolve().parents[3] / "docs"


def examples(name):
    """Every block of TOML in a document, as a protocol."""
    text = (DOCUMENTS / name).read_text(encoding="utf-8")
    blocks = re.findall(r"^```toml\n(.*?)^```$", text, re.S | re.M)
    return [
        validated(Protocol, read_toml(block.encode(), name=name), questions=15) for block in blocks
    ]


def test_values_keep_their_types():
    found = read_toml(
        b'n_checks = 2\nwithdraw_until = 2026-12-31\n[panel]\nperson = "PID"', name=""
    )
    assert found == {
        "n_checks": 2,
        "withdraw_until": date(2026, 12, 31),
        "panel": {"person": "PID"},
    }


@pytest.mark.parametrize("content", [b"n_checks = ", b"language = '\xff'"])
def test_a_file_that_cannot_be_read_is_named(content):
    with pytest.raises(StudyError, match=r"^course\.toml is not"):
        read_toml(content, name="course.toml")


def test_the_whole_file_in_the_documents_sets_nearly_every_option():
    (made,) = examples("study-protocol.md")
    assert (made.third_answer, made.n_checks, made.n_repeats) == ("tie", 2, 2)
    assert set(made.panel["outcomes"]) == {"done", "screened", "failed"}
    assert made.before[0]["screens_out"] == ["No"]
    assert made.before[2]["translations"]["de"]["labels"] == ["gar nicht", "sehr gut"]
    assert made.after[0]["builtin"] == "sus"


@pytest.mark.parametrize("name", ["recruitment.md", "languages.md"])
def test_every_other_example_in_the_documents_is_a_protocol(name):
    assert examples(name)
