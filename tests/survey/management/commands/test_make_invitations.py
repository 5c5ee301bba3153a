"""Personal links go into a file, the only place that holds them."""

import csv
import io
import stat

import pytest
from django.core.management import CommandError, call_command

from survey import tokens
from survey.management.commands import demo
from survey.models import Invitation
from tests.factories import StudyFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def study(db):
    return StudyFactory(slug="films", entry="personal")


def run(*words):
    out = io.StringIO()
    call_command(*words, stdout=out)
    return out.getvalue()


def read(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def test_links_are_written_to_a_file_readable_by_its_owner_only(study, tmp_path):
    labels, out = tmp_path / "labels.txt", tmp_path / "links.csv"
    labels.write_text("Ada\n\nBen\n", encoding="utf-8")
    said = run("make_invitations", "films", "--labels", str(labels), "--out", str(out))
    assert "2 personal links of films, numbers 1 to 2" in said
    _, ada, ben = read(out)
    assert (ada[:2], ben[:2]) == (["1", "Ada"], ["2", "Ben"])
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    secret = ada[2].removeprefix("http://localhost:8000/i/").removesuffix("/")
    assert Invitation.objects.get(number=1).digest == tokens.token_digest(secret)


def test_links_that_lead_nowhere_but_here_come_with_a_note(study, tmp_path, capsys):
    said = run("make_invitations", "films", "--count", "1", "--out", str(tmp_path / "links.csv"))
    assert "1 personal link of films, number 1, in" in said
    assert "Set SITE_URL" in capsys.readouterr().err


def test_commands_next_to_a_demo_print_its_address(study, tmp_path, settings):
    settings.STUDYSITE_HOME, out = tmp_path, tmp_path / "links.csv"
    with demo.lock_home(tmp_path, "http://localhost:9000"):
        run("make_invitations", "films", "--count", "1", "--out", str(out))
        assert "http://localhost:9000/s/films/" in run("study_state", "films")
    assert read(out)[1][2].startswith("http://localhost:9000/i/")


def test_no_links_are_made_when_no_file_can_hold_them(study, tmp_path):
    with pytest.raises(CommandError, match="cannot be written"):
        run("make_invitations", "films", "--count", "3", "--out", str(tmp_path / "no" / "x.csv"))
    assert not Invitation.objects.exists()


def test_a_file_that_is_there_is_kept_unless_one_insists(study, tmp_path):
    out = tmp_path / "links.csv"
    out.write_text("precious")
    with pytest.raises(CommandError, match="--force"):
        run("make_invitations", "films", "--count", "1", "--out", str(out))
    assert out.read_text() == "precious"
    assert not Invitation.objects.exists()


def test_impossible_links_are_wrong_usage(study, tmp_path):
    for words in (["--count", "0"], ["--count", "10001"], []):
        with pytest.raises(CommandError, match="Make 1 to 10,000") as refused:
            run("make_invitations", "films", *words, "--out", str(tmp_path / "links.csv"))
        assert refused.value.returncode == 2


def test_labels_that_cannot_be_read_are_wrong_usage(study, tmp_path):
    labels = tmp_path / "labels.txt"
    labels.write_bytes(b"\xff\xfe\x00")
    for file in (labels, tmp_path / "missing.txt"):
        with pytest.raises(CommandError, match=r"Save it as UTF-8|cannot be read") as refused:
            run("make_invitations", "films", "--labels", str(file), "--out", str(tmp_path / "x"))
        assert refused.value.returncode == 2
