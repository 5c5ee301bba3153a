"""A study's life on the command line."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from survey.models import Study
from survey.services.launching import pilot_study
from tests.survey.drafts import prepared, publish

pytestmark = pytest.mark.django_db


def run(*arguments):
    out = StringIO()
    call_command("study_state", *arguments, stdout=out, stderr=StringIO())
    return out.getvalue()


@pytest.fixture
def draft(db):
    study = prepared()
    publish(study)
    return study


@pytest.mark.parametrize(
    "steps",
    [["pilot", "running", "paused", "running", "closed"], ["pilot", "draft", "running"]],
)
def test_each_step_is_one_command(draft, steps):
    for status in steps:
        assert json.loads(run("films", status, "--json"))["status"] == status


def test_a_step_that_cannot_be_names_those_that_can(study):
    with pytest.raises(CommandError, match=r"cannot become draft\. It can become paused or closed"):
        run("films", "draft")


def test_without_a_status_the_history_is_printed(draft):
    pilot_study(study=draft, by="rita")
    said = run("films")
    assert "12 questions, pilot." in said
    assert [line.split(maxsplit=2)[2] for line in said.splitlines()[-2:]] == [
        "draft",
        "pilot by rita",
    ]


def test_launching_by_the_command_opens_a_pilot_for_good(draft):
    pilot_study(study=draft)
    call_command("launch_study", "films", stdout=StringIO())
    assert Study.objects.get().status == Study.Status.RUNNING


def test_a_draft_that_lacks_something_says_what(draft):
    Study.objects.update(quota=0, title="")
    with pytest.raises(CommandError) as refused:
        run("films", "pilot")
    assert "Empty: the title" in str(refused.value)
    assert "The quota is 0" in str(refused.value)
