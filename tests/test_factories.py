"""The factories create rows like those of the product."""

import numpy as np
import pytest

from recommender.loaders import load_ratings
from tests.factories import StudyFactory, small_ratings

pytestmark = pytest.mark.django_db


def test_a_study_from_the_factory_has_whole_questions():
    study = StudyFactory()
    question = study.questions.first()
    assert study.questions.count() == study.n_profiles
    assert question.first_item != question.second_item
    assert len(question.profile) >= study.minimum_profile


def test_a_question_never_recommends_an_item_of_its_profile():
    for question in StudyFactory().questions.all():
        rated = {movie for movie, _stars in question.profile}
        assert not rated & {question.first_item_id, question.second_item_id}


def test_the_data_set_of_the_factory_can_be_loaded():
    loaded, meant = load_ratings(StudyFactory().dataset), small_ratings()
    assert np.array_equal(loaded.indices, meant.indices)
    assert np.array_equal(loaded.values, meant.values)
    assert list(loaded.item_ids) == list(meant.item_ids)


def test_rita_may_see_studies_and_olga_may_not(rita, olga):
    assert rita.has_perm("survey.view_study")
    assert not olga.has_perm("survey.view_study")
