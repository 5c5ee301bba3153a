"""Scores of questionnaires against published examples, means against another program."""

import pytest
from statsmodels.stats.weightstats import DescrStatsW

from survey.stats.questionnaires import mean, sus_score


def test_the_example_of_the_scales_author_scores_55():
    """The filled-in form in Brooke (1996): the items add 4 1 1 4 1 2 1 1 4 3, which is 22."""
    assert sus_score([5, 4, 2, 1, 2, 3, 2, 4, 5, 2]) == 55


@pytest.mark.parametrize(
    ("answers", "score"), [([5, 1] * 5, 100), ([1, 5] * 5, 0), ([3] * 10, 50), ([5] * 10, 50)]
)
def test_the_ends_and_the_middle_of_the_scale(answers, score):
    assert sus_score(answers) == score


@pytest.mark.parametrize("answers", [[], [3] * 9, [3] * 11, [0] + [3] * 9, [6] + [3] * 9])
def test_anything_but_ten_answers_from_one_to_five_is_refused(answers):
    with pytest.raises(ValueError, match="not ten answers"):
        sus_score(answers)


def test_a_mean_has_students_interval():
    values = [55.0, 72.5, 90.0, 67.5, 80.0]
    found = mean(values)
    low, high = DescrStatsW(values).tconfint_mean(alpha=0.05)
    assert (found.n, found.mean) == (5, 73.0)
    assert (found.low, found.high) == (pytest.approx(low), pytest.approx(high))


def test_a_single_value_has_no_interval_and_none_has_no_mean():
    assert (mean([3.0]).mean, mean([3.0]).low) == (3.0, None)
    with pytest.raises(ValueError, match="no values"):
        mean([])


@pytest.mark.parametrize("confidence", [0, 1, 1.5])
def test_a_confidence_is_between_0_and_1(confidence):
    with pytest.raises(ValueError, match="between 0 and 1"):
        mean([1.0, 2.0], confidence)
