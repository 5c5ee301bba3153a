"""A question as its appraiser sees it."""

import pytest

from survey.scales import RatingScale
from survey.selectors.question import question_page, question_profile
from survey.services.answering import record_judgment

pytestmark = pytest.mark.django_db


def test_a_question_page_takes_two_queries_and_reveals_no_arm(ada, django_assert_num_queries):
    with django_assert_num_queries(2):
        page = question_page(ada.appraiser)
    shown = repr(page)
    assert (page["number"], page["total"]) == (1, 15)
    for secret in ("Autoencoder", "KNN", "user-knn", "score", "4.5,"):
        assert secret not in shown


def test_a_question_page_puts_each_recommendation_on_its_side(ada):
    page = question_page(ada.appraiser)
    assignment = ada.appraiser.assignments.get(key=page["assignment_key"])
    question = assignment.question
    sides = [question.first_item.title, question.second_item.title]
    if assignment.left_arm != question.first_arm:
        sides.reverse()
    assert [page["left"].title, page["right"].title] == sides


def test_a_question_page_shows_the_whole_profile(ada):
    page = question_page(ada.appraiser)
    question = ada.appraiser.assignments.get(key=page["assignment_key"]).question
    profile = question_profile(page["question_id"])
    shown = [group.stars for group in profile.groups for _ in group.movies]
    assert shown == [stars for _, stars in question.profile]
    assert profile.n_movies == len(question.profile)


def test_a_profile_is_shown_on_the_scale_of_its_data_set(ada, django_assert_num_queries):
    page = question_page(ada.appraiser)
    type(ada.appraiser.study.dataset).objects.update(
        scale_minimum=1, scale_maximum=10, scale_step=0.01
    )
    with django_assert_num_queries(2):
        assert question_profile(page["question_id"]).scale == RatingScale(1, 10, 0.01)


def test_pages_follow_the_positions_and_end(ada):
    for number in range(1, 16):
        page = question_page(ada.appraiser)
        assert page["number"] == number
        record_judgment(
            appraiser=ada.appraiser, assignment_key=page["assignment_key"], choice="left"
        )
    assert question_page(ada.appraiser) is None
