"""The researchers' list of studies, and the models that may become arms."""

import pytest

from survey.models import Appraiser
from survey.selectors.studies import study_list
from tests.factories import NOW, StudyFactory
from tests.survey.judging import judge

pytestmark = pytest.mark.django_db


def test_the_list_counts_real_and_simulated_apart_in_one_query(study, django_assert_num_queries):
    done = judge(study, "a" * 15)
    Appraiser.objects.filter(pk=done.pk).update(finished_at=NOW, outcome="done")
    judge(study, "aaa")
    judge(study, "a" * 15, kind="simulated")
    StudyFactory(slug="newer", dataset=study.dataset)
    with django_assert_num_queries(1):
        newer, line = study_list()
    assert (newer.slug, newer.n_judgments, newer.n_questions) == ("newer", 0, 20)
    assert (line.n_judgments, line.n_appraisers, line.n_finished) == (18, 2, 1)
    assert (line.n_simulated_judgments, line.n_questions) == (15, 20)
