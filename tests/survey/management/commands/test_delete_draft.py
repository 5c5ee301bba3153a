"""delete_draft deletes a draft by name, and nothing else."""

import pytest
from django.core.management import CommandError, call_command

from survey.models import Study
from tests.factories import StudyFactory
from tests.survey.drafts import prepared

pytestmark = pytest.mark.django_db


def test_a_draft_is_deleted_by_its_name(capsys):
    call_command("delete_draft", prepared().slug)
    assert not Study.objects.exists()
    assert "films" in capsys.readouterr().out


def test_a_study_that_has_opened_is_wrong_usage():
    study = StudyFactory(status=Study.Status.RUNNING)
    with pytest.raises(CommandError) as refusal:
        call_command("delete_draft", study.slug)
    assert refusal.value.returncode == 2
