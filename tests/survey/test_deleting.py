"""A draft can be deleted and its name used again; what has opened stays."""

import pytest
from django.core.management import CommandError, call_command

from recommender.models import Job
from survey.models import Study
from tests.factories import StudyFactory
from tests.survey.drafts import prepared

pytestmark = pytest.mark.django_db


def test_a_deleted_draft_leaves_its_name_and_no_waiting_job(capsys):
    study = prepared()
    jobs = list(study.arms.values_list("publish_job", flat=True))

    call_command("delete_draft", study.slug)

    assert not Study.objects.filter(slug=study.slug).exists()
    assert not Job.objects.filter(pk__in=jobs, status=Job.Status.QUEUED).exists()
    assert study.slug in capsys.readouterr().out


@pytest.mark.parametrize("status", [Study.Status.RUNNING, Study.Status.CLOSED])
def test_a_study_that_has_opened_cannot_be_deleted(status):
    study = StudyFactory(status=status)

    with pytest.raises(CommandError, match="Only a draft") as refusal:
        call_command("delete_draft", study.slug)

    assert refusal.value.returncode == 2
    assert Study.objects.filter(pk=study.pk).exists()
