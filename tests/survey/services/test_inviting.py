"""Personal links: made in bulk, numbered, known by their digests only, revoked while unused."""

import pytest
from django.db import IntegrityError

from survey import tokens
from survey.errors import StudyError
from survey.models import Invitation, Study
from survey.services.inviting import make_invitations, numbers_in, revoke_invitations
from tests.factories import NOW, StudyFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def study(db):
    return StudyFactory(slug="films", entry="personal")


def test_links_are_numbered_labelled_and_all_different(study):
    made = make_invitations(study=study, count=3, labels=["Ada", "Ben"], now=NOW)
    assert [(link.number, link.label) for link in made] == [(1, "Ada"), (2, "Ben"), (3, "")]
    assert len({link.token for link in made}) == 3
    assert [link.number for link in make_invitations(study=study, count=2)] == [4, 5]


def test_only_the_digest_of_a_link_is_stored(study):
    (link,) = make_invitations(study=study, count=1, labels=["Ada"])
    row = Invitation.objects.values().get()
    assert row["digest"] == tokens.token_digest(link.token)
    assert link.token not in str(row)


def test_a_form_that_is_sent_twice_makes_one_batch_and_gives_its_links_again(study):
    ticket = tokens.new_token()
    make_invitations(study=study, count=2)
    made = make_invitations(study=study, count=3, labels=["Ada"], ticket=ticket)
    make_invitations(study=study, count=2)
    assert make_invitations(study=study, count=3, labels=["Ada"], ticket=ticket) == made
    assert study.invitations.count() == 7


def test_a_ticket_makes_other_links_in_another_study(study):
    other = StudyFactory(slug="other", entry="personal")
    ticket = tokens.new_token()
    (here,) = make_invitations(study=study, count=1, ticket=ticket)
    (there,) = make_invitations(study=other, count=1, ticket=ticket)
    assert here.token != there.token


def test_ten_thousand_links_are_made_by_few_queries(study, django_assert_max_num_queries):
    with django_assert_max_num_queries(100):
        made = make_invitations(study=study, count=10_000)
    assert len({link.token for link in made}) == study.invitations.count() == 10_000


@pytest.mark.parametrize("status", ["draft", "pilot", "running", "paused"])
def test_links_can_be_made_until_the_study_is_closed(status):
    study = StudyFactory(entry="personal", status=status)
    assert make_invitations(study=study, count=1)


def test_more_numbers_than_a_database_takes_are_refused():
    assert len(numbers_in("1-10000, 3")) == 10_000
    with pytest.raises(StudyError, match="at most 10,000"):
        numbers_in("1-10000, 10001")


def test_a_closed_study_makes_no_links():
    study = StudyFactory(entry="personal", status=Study.Status.CLOSED)
    with pytest.raises(StudyError, match="closed"):
        make_invitations(study=study, count=1)


def test_a_study_with_an_open_link_makes_no_personal_ones():
    with pytest.raises(StudyError, match="entry is 'open'"):
        make_invitations(study=StudyFactory(), count=1)


@pytest.mark.parametrize(
    ("count", "labels", "words"),
    [
        (0, [], "Make 1 to 10,000"),
        (10_001, [], "Make 1 to 10,000"),
        (1, ["Ada", "Ben"], r"2 labels for 1 link\."),
        (1, ["a" * 201], "is not possible"),
        (1, ["a\nb"], "is not possible"),
    ],
)
def test_impossible_requests_are_refused_and_store_nothing(study, count, labels, words):
    with pytest.raises(StudyError, match=words):
        make_invitations(study=study, count=count, labels=labels)
    assert not study.invitations.exists()


def test_unused_links_are_revoked_by_number_or_all(study):
    make_invitations(study=study, count=5)
    assert revoke_invitations(study=study, numbers=[2, 3, 99]) == 2
    assert revoke_invitations(study=study, numbers=[2]) == 0
    assert revoke_invitations(study=study) == 3


def test_the_database_takes_back_no_link_that_was_used(study):
    make_invitations(study=study, count=1)
    with pytest.raises(IntegrityError):
        Invitation.objects.update(used_at=NOW, revoked_at=NOW)
