"""The history of a judgment: entries come, none is ever changed."""

import pytest
from django.db import IntegrityError, transaction

from survey import services
from survey.models import JudgmentRevision
from tests.factories import NOW, StudyFactory

pytestmark = pytest.mark.django_db


def answered(judge):
    key = judge.appraiser.assignments.get(position=1).key
    services.record_judgment(appraiser=judge.appraiser, assignment_key=key, choice="left", now=NOW)
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
    appraiser, _ = services.join_study(study=study, kind="pilot")
    key = appraiser.assignments.get(position=1).key
    services.record_judgment(appraiser=appraiser, assignment_key=key, choice="left")
    services.end_pilot(study=study)
    assert not JudgmentRevision.objects.exists()
