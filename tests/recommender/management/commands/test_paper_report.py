"""The command that makes the paper's exhibits."""

import pytest
from django.core.management import CommandError, call_command

from recommender.models import Job

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_files_are_copied_and_what_is_missing_is_said(dataset, tmp_path, capsys):
    call_command("paper_report", dataset.name, "--inline", "--out", str(tmp_path / "out"))
    said = capsys.readouterr().out
    assert (tmp_path / "out" / "figure-3.svg").exists()
    assert (tmp_path / "out" / "paper.pdf").exists()
    assert f"Table I: The autoencoder has not been trained on {dataset.name}" in said
    assert f"The page is /research/data/{dataset.name}/paper/." in said
    assert f"/research/data/{dataset.name}/paper/#definitions." in said
    assert (tmp_path / "out" / "definitions.csv").exists()


def test_files_that_cannot_be_copied_are_an_error_and_none_is_half_written(dataset, tmp_path):
    (tmp_path / "paper.md").mkdir()
    with pytest.raises(CommandError, match=r"were not copied to .*paper\.md"):
        call_command("paper_report", dataset.name, "--inline", "--out", str(tmp_path))
    assert list(tmp_path.glob(".*")) == []


def test_without_a_worker_the_report_stays_queued(dataset):
    with pytest.raises(CommandError, match="No worker was seen") as caught:
        call_command("paper_report", dataset.name)
    assert caught.value.returncode == 3
    assert Job.objects.get().status == "queued"


def test_an_unknown_data_set_is_wrong_usage(dataset):
    with pytest.raises(CommandError, match="no data set 'nothing'") as caught:
        call_command("paper_report", "nothing")
    assert caught.value.returncode == 2


def test_a_split_that_the_data_set_lacks_is_wrong_usage(dataset):
    with pytest.raises(CommandError, match="official-u1") as caught:
        call_command("paper_report", dataset.name, "--split", "official-u1")
    assert caught.value.returncode == 2


def test_a_file_is_no_folder_for_the_files(dataset, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CommandError, match="is a file") as caught:
        call_command("paper_report", dataset.name, "--out", str(tmp_path / "file"))
    assert (caught.value.returncode, Job.objects.count()) == (2, 0)
