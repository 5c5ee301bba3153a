"""A command writes its file whole or not at all."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from survey import exports
from survey.management.commands import export_study
from survey.models import Study

pytestmark = pytest.mark.django_db


def run(*arguments):
    out, err = StringIO(), StringIO()
    call_command(*arguments, stdout=out, stderr=err)
    return out.getvalue()


def refused(*arguments):
    with pytest.raises(CommandError) as caught:
        run(*arguments)
    return caught.value


@pytest.mark.parametrize("command", ["export_study", "export_design"])
def test_a_file_called_minus_is_standard_output(study, tmp_path, monkeypatch, command):
    Study.objects.update(design_hash="0" * 64)
    monkeypatch.chdir(tmp_path)
    out, err = StringIO(), StringIO()
    call_command(command, "films", "--out", "-", stdout=out, stderr=err)
    named = tmp_path / "films"
    said = run(command, "films", "--out", str(named))
    assert out.getvalue() == named.read_bytes().decode()
    assert err.getvalue() == said.replace(str(named), "-")
    assert [file.name for file in tmp_path.iterdir()] == ["films"]


def test_an_existing_file_is_replaced_only_by_force(study, tmp_path):
    out = tmp_path / "films.csv"
    out.write_text("precious")
    assert "--force" in str(refused("export_study", "films", "--out", str(out)))
    assert out.read_text() == "precious"
    run("export_study", "films", "--out", str(out), "--force")
    assert out.read_text().startswith("study,question,")


def test_an_interrupted_export_leaves_the_existing_file(study, tmp_path, monkeypatch):

    def broken(study):
        yield exports.HEADER
        raise OSError(28, "No space left on device")

    out = tmp_path / "films.csv"
    out.write_text("precious")
    monkeypatch.setitem(export_study.TABLES, "judgments", broken)
    error = refused("export_study", "films", "--out", str(out), "--force")
    assert "No space left" in str(error)
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [
        ("films.csv", "precious")
    ]


def test_an_export_needs_a_folder_and_does_not_replace_one(study, tmp_path):
    missing = tmp_path / "nowhere" / "films.csv"
    assert "an existing folder" in str(refused("export_study", "films", "--out", str(missing)))
    error = refused("export_study", "films", "--out", str(tmp_path), "--force")
    assert "Name a file" in str(error)
