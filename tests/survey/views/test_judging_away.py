"""Pages of people who were away for long, while others took their questions."""

from datetime import timedelta

import pytest
from django.utils import timezone

from survey.models import Appraiser, Assignment, Judgment, Response
from survey.selectors.question import question_page
from survey.services.answering import record_judgment
from survey.services.joining import join_study, mark_instructed
from tests.factories import StudyFactory
from tests.survey.form_data import fields

pytestmark = pytest.mark.django_db

HOBBY = {"name": "hobby", "text": "Your hobby?", "kind": "text"}


@pytest.fixture
def study(db):
    """Two appraisers with four questions each, on four profiles."""
    return StudyFactory(slug="films", n_profiles=4, questions_per_appraiser=4, quota=2)


def leave(judge):
    """Her last sign of life was three hours ago."""
    long_ago = timezone.now() - timedelta(hours=3)
    Appraiser.objects.filter(pk=judge.appraiser.pk).update(seen_at=long_ago, consented_at=long_ago)
    judge.appraiser.refresh_from_db()


@pytest.fixture
def away(study, ada):
    """Ada has read the instructions and has been silent for hours, her first question open."""
    mark_instructed(appraiser=ada.appraiser)
    leave(ada)
    return ada


def full_after(study, count):
    """So many others join, and answer everything."""
    for _ in range(count):
        who, _ = join_study(study=study)
        for key in who.assignments.values_list("key", flat=True):
            record_judgment(appraiser=who, assignment_key=key, choice="left")


def test_opening_a_page_counts_as_activity(client, away):
    client.get(away.url)
    away.appraiser.refresh_from_db()
    assert timezone.now() - away.appraiser.seen_at < timedelta(hours=1)


def test_an_answer_that_comes_late_but_is_still_wanted_counts(client, study, away):
    late = fields(question_page(away.appraiser), "left")
    full_after(study, 1)
    assert Assignment.objects.exclude(returned_at=None).count() == 4
    assert client.post(f"{away.url}answer/", late)["Location"] == away.url
    assert Judgment.objects.filter(assignment__appraiser=away.appraiser).count() == 1


def test_a_late_answer_gets_a_kind_page_that_continues(client, study, away):
    late = fields(question_page(away.appraiser), "left")
    full_after(study, 2)
    page = client.post(f"{away.url}answer/", late).content.decode()
    assert "Others have answered this question meanwhile" in page
    assert f'href="{away.url}"' in page
    assert not Judgment.objects.filter(assignment__appraiser=away.appraiser).exists()


def test_coming_back_too_late_without_an_answer_finds_every_place_taken(client, study, away):
    full_after(study, 2)
    page = client.get(away.url).content.decode()
    assert "Every place is taken" in page
    assert away.appraiser.completion_code not in page


def test_coming_back_too_late_with_answers_gives_the_code(client, study, away):
    client.post(f"{away.url}answer/", fields(question_page(away.appraiser), "left"))
    leave(away)
    full_after(study, 1)
    who, _ = join_study(study=study)
    assert who.assignments.count() == 3
    page = client.get(away.url).content.decode()
    assert away.appraiser.completion_code in page


def test_questions_are_renumbered_after_some_were_dropped(client, study, ada):
    mark_instructed(appraiser=ada.appraiser)
    client.post(f"{ada.url}answer/", fields(question_page(ada.appraiser), "left"))
    # The second of the three that are left was given to somebody else for good.
    ada.appraiser.assignments.get(position=3).delete()
    assert "Question 2 of 3" in client.get(ada.url).content.decode()
    client.post(f"{ada.url}answer/", fields(question_page(ada.appraiser), "left"))
    assert "Question 3 of 3" in client.get(ada.url).content.decode()


def test_a_questionnaire_that_is_sent_late_is_kept(client, study, away):
    type(study).objects.update(before=[HOBBY])
    full_after(study, 1)
    client.post(f"{away.url}responses/", {"part": "before", "item-hobby": "chess"})
    assert Response.objects.get().answer == "chess"


@pytest.mark.parametrize("status", ["paused", "closed"])
@pytest.mark.parametrize("course", [{}, {"changes": "finish"}, {"after": [HOBBY]}])
def test_nobody_is_done_by_staying_away_until_the_study_takes_no_answers(
    client, study, away, course, status
):
    type(study).objects.update(**course)
    client.post(f"{away.url}answer/", fields(question_page(away.appraiser), "left"))
    leave(away)
    join_study(study=study)
    type(study).objects.update(status=status)
    page = client.get(away.url).content.decode()
    assert {"paused": "taking a break", "closed": "has ended"}[status] in page
    client.post(f"{away.url}confirm/")
    client.post(f"{away.url}responses/", {"part": "after", "item-hobby": "chess"})
    away.appraiser.refresh_from_db()
    assert (away.appraiser.outcome, away.appraiser.confirmed_at) == ("", None)


@pytest.mark.parametrize("answered", [0, 1])
def test_nobody_is_done_by_staying_away_and_saying_that_the_answers_are_final(
    client, study, away, answered
):
    type(study).objects.update(changes="finish")
    if answered:
        client.post(f"{away.url}answer/", fields(question_page(away.appraiser), "left"))
    leave(away)
    full_after(study, 1)
    client.post(f"{away.url}confirm/")
    away.appraiser.refresh_from_db()
    assert (away.appraiser.outcome, away.appraiser.confirmed_at) == ("", None)


def test_with_nothing_answered_there_is_nothing_to_be_final(client, study, away):
    type(study).objects.update(changes="finish")
    full_after(study, 2)
    client.post(f"{away.url}confirm/")
    away.appraiser.refresh_from_db()
    assert away.appraiser.confirmed_at is None


def test_the_first_page_offers_places_that_silent_people_hold(client, study, ada, ben):
    assert "Every place is taken" in client.get("/s/films/").content.decode()
    leave(ada)
    assert "Every place is taken" not in client.get("/s/films/").content.decode()
