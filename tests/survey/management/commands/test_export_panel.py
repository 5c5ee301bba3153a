"""The list by which a panel pays its participants."""

import csv
import io
import stat

import pytest
from django.core.management import CommandError, call_command

from survey.protocol import panels
from survey.services.joining import join_study
from tests.factories import StudyFactory

pytestmark = pytest.mark.django_db


PROLIFIC = panels.prolific_panel(done="CDONE", screened="CSCREEN", failed="CFAIL")


def run(*words):
    out = io.StringIO()
    call_command(*words, stdout=out)
    return out.getvalue()


def read(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


@pytest.mark.parametrize(("flags", "name"), [([], "'=ada"), (["--raw"], "=ada")])
def test_the_panel_s_list_goes_into_a_file_of_its_own(tmp_path, flags, name):
    study = StudyFactory(slug="paneled", entry="panel", panel=PROLIFIC)
    join_study(study=study, panel={name: ["=ada"] for name in panels.PROLIFIC_PARAMETERS})
    out = tmp_path / "panel.csv"
    assert "1 person of paneled" in run("export_panel", "paneled", "--out", str(out), *flags)
    assert read(out)[1] == ["paneled", "real", name, name, name, "unfinished", "", name, name]
    assert stat.S_IMODE(out.stat().st_mode) == 0o600


def test_a_study_without_a_panel_has_no_such_list(tmp_path):
    StudyFactory(slug="films", entry="personal")
    with pytest.raises(CommandError) as refused:
        run("export_panel", "films", "--out", str(tmp_path / "panel.csv"))
    assert refused.value.returncode == 2
