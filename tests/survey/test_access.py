"""Who may see what; everything else is not found."""

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import Http404

from survey import access
from survey.models import Study
from tests.factories import StudyFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("status", ["pilot", "running", "paused", "closed"])
def test_a_visitor_finds_a_study_once_it_was_opened(status):
    study = StudyFactory(slug="films", status=status)
    assert access.study_for_visitor("films") == study


def test_a_visitor_finds_no_draft_and_no_unknown_study(study):
    Study.objects.update(status="draft", launched_at=None)
    for slug in ("films", "nope"):
        with pytest.raises(Http404):
            access.study_for_visitor(slug)


def test_a_token_opens_its_own_link(ada, ben, django_assert_num_queries):
    with django_assert_num_queries(1):
        assert access.appraiser_for_token(ben.token).study.slug == "films"
    assert access.appraiser_for_token(ada.token) == ada.appraiser


def test_neither_a_digest_nor_a_number_opens_a_link(ada):
    for guess in (ada.appraiser.token_digest, str(ada.appraiser.pk), "", ada.token[:-1], "\0"):
        with pytest.raises(Http404):
            access.appraiser_for_token(guess)


def test_a_researcher_finds_every_study(study, rita):
    Study.objects.update(status="draft", launched_at=None)
    assert access.study_for_researcher(rita, "films") == study
    with pytest.raises(Http404):
        access.study_for_researcher(rita, "nope")


def test_strangers_find_none(study, olga):
    for user in (olga, AnonymousUser(), UserFactory(is_staff=True)):
        with pytest.raises(Http404):
            access.study_for_researcher(user, "films")


def test_an_inactive_researcher_finds_none(study, rita):
    rita.is_active = False
    rita.save()
    with pytest.raises(Http404):
        access.study_for_researcher(rita, "films")


def test_an_administrator_finds_every_study(study):
    boss = UserFactory(is_superuser=True)
    assert access.study_for_researcher(boss, "films") == study
