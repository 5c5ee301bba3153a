"""The table of options in the documents is the one that the models give."""

from survey.protocol.fields import Protocol
from survey.protocol.table import DOCUMENT, options_table, with_table


def test_the_table_in_the_documents_is_up_to_date():
    """Run python -m survey.protocol.table after changing an option."""
    document = DOCUMENT.read_text(encoding="utf-8")
    assert options_table() in document
    assert with_table(document) == document


def test_every_option_has_a_row_with_its_flag_range_and_default():
    rows = options_table().splitlines()
    assert len(rows) == len(Protocol.model_fields) + 2
    (row,) = (row for row in rows if row.startswith("| `n_practice`"))
    assert [cell.strip() for cell in row.split("|")[1:5]] == [
        "`n_practice`",
        "`--practice N`",
        "0 to 20",
        "`0`",
    ]
