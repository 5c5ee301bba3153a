"""Cancelling jobs from the command line."""

import pytest
from django.core.management import CommandError, call_command

pytestmark = pytest.mark.django_db(transaction=True)


def test_queued_jobs_are_cancelled_and_ended_ones_are_named(queued, capsys):
    call_command("cancel_jobs", str(queued.pk))
    assert "cancelled" in capsys.readouterr().out
    with pytest.raises(CommandError, match=str(queued.pk)):
        call_command("cancel_jobs", str(queued.pk))
