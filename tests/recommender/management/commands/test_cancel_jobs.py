"""Cancelling jobs from the command line."""

import pytest
from django.core.management import CommandError, call_command

pytestmark = pytest.mark.django_db(transaction=True)


def test_cancel_jobs_cancels_what_waits_and_names_what_had_ended(queued, capsys):
    call_command("cancel_jobs", str(queued.pk))
    assert "cancelled" in capsys.readouterr().out
    with pytest.raises(CommandError, match="ended before"):
        call_command("cancel_jobs", str(queued.pk))
