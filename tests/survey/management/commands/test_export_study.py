"""Each of a study's tables goes into a CSV file."""

import csv
from io import StringIO

import pytest
from django.core.management import call_command

pytestmark = pytest.mark.django_db


def run(*arguments):
    out, err = StringIO(), StringIO()
    call_command(*arguments, stdout=out, stderr=err)
    return out.getvalue()


def test_an_export_holds_every_judgment(study, tmp_path):
    run("simulate_appraisers", "films", "--appraisers", "3")
    out = tmp_path / "films.csv"
    assert run("export_study", "films", "--out", str(out)).startswith("45 judgments of films")
    with out.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 45
    assert {row["kind"] for row in rows} == {"simulated"}
    assert [file.name for file in tmp_path.iterdir()] == ["films.csv"]


@pytest.mark.parametrize(("flags", "label"), [([], "'=1+1"), (["--raw"], "=1+1")])
def test_a_raw_export_holds_every_text_as_it_is_stored(study, flags, label):
    study.arms.filter(position=0).update(label="=1+1")
    run("simulate_appraisers", "films", "--appraisers", "1", "--questions", "1")
    (row,) = csv.DictReader(StringIO(run("export_study", "films", "--out", "-", *flags)))
    assert label in {row["left_arm"], row["right_arm"]}
