"""The history of a judgment: entries come, none is ever changed."""

import pytest
from django.db import IntegrityError, transaction

from survey.models import JudgmentRevision
from survey.services.answering import record_judgment
from survey.services.joining import join_study
from survey.services.status import end_pilot
from tests.factories import NOW, StudyFactory

pytestmark = pytest.mark.django_db


def answered(judge):
    key = judge.appraiser.assignments.get(position=1).key
    record_judgment(appraiser=judge.appraiser, assignment_key=key, choice="left", now=NOW)
    return JudgmentRevision.objects.get()


def test_the_database_refuses_to_change_an_entry(ada):
    entry = answered(ada)
    with pytest.raises(IntegrityError, match="never changed"), transaction.atomic():
        JudgmentRevision.objects.update(choice="right")
    entry.comment = "Something else."
    with pytest.raises(IntegrityError, match="never changed"), transaction.atomic():
        entry.save()
    assert JudgmentRevision.objects.values_list("choice", "comment").get() == ("left", "")


def test_ending_a_trial_may_take_its_history_away():
    study = StudyFactory(slug="trial", status="pilot")
    appraiser, _ = join_study(study=study, kind="pilot")
    key = appraiser.assignments.get(position=1).key
    record_judgment(appraiser=appraiser, assignment_key=key, choice="left")
    end_pilot(study=study)
    assert not JudgmentRevision.objects.exists()
