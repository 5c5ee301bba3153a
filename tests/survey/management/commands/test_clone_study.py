"""clone_study copies a study by name, with another last day for withdrawing if needed."""

from datetime import date, timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from survey.models import Study
from tests.survey.drafts import prepared, publish

pytestmark = pytest.mark.django_db

PASSED = date(2026, 4, 10)


@pytest.fixture
def films(db):
    """A draft with its recommendations, whose last day for withdrawing has passed."""
    study = prepared()
    publish(study)
    Study.objects.update(withdraw_until=PASSED)
    return study


def test_a_copy_has_the_given_last_day(films, capsys):
    ahead = timezone.localdate() + timedelta(days=30)
    call_command("clone_study", "films", "again", withdraw_until=ahead.isoformat())
    assert Study.objects.get(slug="again").withdraw_until == ahead
    assert str(PASSED) in capsys.readouterr().err


def test_none_removes_the_last_day(films):
    call_command("clone_study", "films", "again", withdraw_until="none")
    assert Study.objects.get(slug="again").withdraw_until is None


@pytest.mark.parametrize(
    ("slug", "day", "where"),
    [
        ("films", "none", "'films' already"),
        ("again", None, "--withdraw-until"),
        ("again", "soon", "withdraw_until = 'soon'"),
        ("again", "2026-04-11", "2026-04-11, which has passed"),
    ],
)
def test_an_impossible_copy_is_wrong_usage(films, slug, day, where):
    with pytest.raises(CommandError, match=where) as refused:
        call_command("clone_study", "films", slug, withdraw_until=day)
    assert refused.value.returncode == 2
    assert Study.objects.count() == 1
