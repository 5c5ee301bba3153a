"""Unused personal links can be revoked."""

import pytest
from django.core.management import CommandError, call_command

from survey.models import Invitation
from survey.services.inviting import make_invitations
from tests.factories import StudyFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def study(db):
    return StudyFactory(slug="films", entry="personal")


def test_unused_links_are_revoked_by_number_or_all(study):
    make_invitations(study=study, count=5)
    call_command("revoke_invitations", "films", "--numbers", "2, 4")
    revoked = Invitation.objects.exclude(revoked_at=None)
    assert set(revoked.values_list("number", flat=True)) == {2, 4}
    call_command("revoke_invitations", "films", "--all")
    assert revoked.count() == 5


def test_numbers_that_cannot_be_read_are_wrong_usage(study):
    with pytest.raises(CommandError) as refused:
        call_command("revoke_invitations", "films", "--numbers", "x")
    assert refused.value.returncode == 2
