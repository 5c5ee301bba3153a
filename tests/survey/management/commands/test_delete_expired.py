"""``manage.py delete_expired``: nothing outlives its study's retention date."""

import io
from datetime import date

import pytest
from django.core.management import call_command

from survey.models import PastOutcome
from tests.factories import StudyFactory

pytestmark = pytest.mark.django_db


def test_only_what_is_past_its_day_is_deleted():
    days = {"over": date(2020, 1, 1), "ahead": date(2999, 1, 1), "never": None}
    for slug, day in days.items():
        study = StudyFactory(slug=slug, retain_until=day)
        PastOutcome.objects.create(study=study, kind="real", digest=slug, outcome="done")
    out = io.StringIO()
    call_command("delete_expired", stdout=out)
    assert set(PastOutcome.objects.values_list("digest", flat=True)) == {"ahead", "never"}
    assert "1" in out.getvalue()
