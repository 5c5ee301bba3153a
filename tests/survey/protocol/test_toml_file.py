"""Options in a TOML file, as in the examples of the documents."""

import re
from datetime import date
from pathlib import Path

import pytest

from survey.errors import StudyError
from survey.protocol.fields import Protocol
from survey.protocol.problems import validated
from survey.protocol.toml_file import LARGEST_BYTES, read_text, read_toml

DOCUMENTS = Path(__file__).resolve().parents[3] / "docs"


def read(tmp_path, content, reader=read_toml):
    file = tmp_path / "protocol.toml"
    file.write_bytes(content)
    return reader(file)


def examples(name, tmp_path):
    """Every block of TOML in a document, as a protocol."""
    text = (DOCUMENTS / name).read_text(encoding="utf-8")
    blocks = re.findall(r"^```toml\n(.*?)^```$", text, re.S | re.M)
    tables = [read(tmp_path, block.encode()) for block in blocks]
    return [validated(Protocol, table, questions=15) for table in tables]


def test_values_keep_their_types(tmp_path):
    content = b'n_checks = 2\nwithdraw_until = 2026-12-31\n[panel]\nperson = "PID"'
    assert read(tmp_path, content) == {
        "n_checks": 2,
        "withdraw_until": date(2026, 12, 31),
        "panel": {"person": "PID"},
    }


def test_a_text_loses_its_byte_order_mark_and_outer_spaces(tmp_path):
    content = "\ufeffI agree.\r\nReally.\n".encode()
    assert read(tmp_path, content, read_text) == "I agree.\nReally."


@pytest.mark.parametrize("content", [b"n_checks = ", b" \n", b"\xff", b"x" * (LARGEST_BYTES + 1)])
def test_a_file_that_cannot_be_used_is_named(tmp_path, content):
    with pytest.raises(StudyError, match=r"protocol\.toml is "):
        read(tmp_path, content)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(StudyError, match=r"none\.toml cannot be read"):
        read_toml(tmp_path / "none.toml")


def test_the_whole_file_in_the_documents_sets_nearly_every_option(tmp_path):
    (made,) = examples("study-protocol.md", tmp_path)
    assert (made.third_answer, made.n_checks, made.n_repeats) == ("tie", 2, 2)
    assert set(made.panel["outcomes"]) == {"done", "screened", "failed"}
    assert made.before[0]["screens_out"] == ["No"]
    assert made.before[2]["translations"]["de"]["labels"] == ["gar nicht", "sehr gut"]
    assert made.after[0]["builtin"] == "sus"


@pytest.mark.parametrize("name", ["recruitment.md", "languages.md"])
def test_every_other_example_in_the_documents_is_a_protocol(name, tmp_path):
    assert examples(name, tmp_path)
