"""The inference between systems against scipy, statsmodels and hand-worked examples."""

import json

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from recommender.core import significance
from recommender.core.errors import ConfigurationError
from recommender.core.metrics import UserFigures
from recommender.core.significance import bootstrap, compare_systems, paired_t, randomisation_p


def figures(seed, n=40, better=0.0):
    """Errors of n users whose numbers of ratings are the same for every seed."""
    counts = np.random.default_rng(99).integers(1, 30, n)
    errors = np.random.default_rng(seed).gamma(3, 0.3, n) - better
    ndcg = np.where(np.arange(n) % 4 == 0, np.nan, np.random.default_rng(seed).random(n))
    return UserFigures(
        np.arange(n), counts, counts * errors, counts * np.sqrt(np.abs(errors)), ndcg
    )


FIRST, SECOND = figures(1), figures(2)


def rmse_difference(first, second, counts, axis=-1):
    total = counts.sum(axis)
    return np.sqrt(second.sum(axis) / total) - np.sqrt(first.sum(axis) / total)


def test_the_interval_is_that_of_scipy_for_the_same_draws():
    sample = (FIRST.squared, SECOND.squared, FIRST.counts)
    found = bootstrap(*sample, root=True, seed=5, resamples=2000)
    expected = stats.bootstrap(
        sample, rmse_difference, n_resamples=2000, paired=True, method="BCa", vectorized=True,
        rng=np.random.default_rng(5),
    ).confidence_interval  # fmt: skip
    assert found.value == pytest.approx(rmse_difference(*sample))
    assert [found.low, found.high] == pytest.approx(list(expected), abs=1e-12)


def test_the_interval_does_not_depend_on_how_many_resamples_are_drawn_at_once(monkeypatch):
    sample = (FIRST.absolute, SECOND.absolute, FIRST.counts)
    whole = bootstrap(*sample, root=False, resamples=500)
    monkeypatch.setattr(significance, "CELLS", 7 * len(FIRST.users))
    parts = bootstrap(*sample, root=False, resamples=500)
    assert [parts.low, parts.high] == pytest.approx([whole.low, whole.high], abs=1e-12)


@pytest.mark.long
def test_the_interval_covers_the_true_difference_about_as_often_as_it_says():
    rng, covered = np.random.default_rng(3), 0
    for _ in range(200):
        counts = rng.integers(1, 10, 60)
        base = rng.gamma(2, 1, 60)
        first, second = counts * base, counts * (base + rng.gamma(2, 0.1, 60))
        found = bootstrap(first, second, counts, root=False, resamples=500)
        covered += found.low <= 0.2 <= found.high
    assert 0.89 <= covered / 200 <= 0.99


@pytest.mark.parametrize(("first", "second"), [([4.0], [6.0]), ([4.0, 2.0], [5.0, 2.5])])
def test_a_difference_that_never_varies_is_its_own_interval(first, second):
    counts = np.array([2, 1])[: len(first)]
    found = bootstrap(np.array(first), np.array(second), counts, root=False)
    assert found.low == found.value == found.high


@pytest.mark.parametrize("n", [5, 12])
def test_all_exchanges_of_few_users_are_counted_as_scipy_does(n):
    first, second = FIRST.squared[:n], SECOND.squared[:n]
    expected = stats.permutation_test(
        (first, second), lambda a, b, axis: (b - a).sum(axis), permutation_type="samples",
        n_resamples=2**13,
    ).pvalue  # fmt: skip
    assert randomisation_p(first, second) == pytest.approx(expected, abs=1e-12)


def test_of_two_users_with_the_same_sign_half_of_the_exchanges_are_as_extreme():
    assert randomisation_p(np.array([1.0, 1.0]), np.array([2.0, 3.0])) == 0.5


def test_random_exchanges_estimate_the_exact_p_value(monkeypatch):
    first, second = FIRST.squared[:12], SECOND.squared[:12]
    exact = randomisation_p(first, second)
    monkeypatch.setattr(significance, "EXACT_UP_TO", 3)
    assert randomisation_p(first, second, resamples=20_000) == pytest.approx(exact, abs=0.02)


def test_the_smallest_p_value_is_one_in_the_number_of_exchanges():
    assert randomisation_p(np.zeros(40), np.arange(1.0, 41), resamples=999) == 1 / 1000


def test_equal_systems_have_p_one():
    assert randomisation_p(FIRST.squared, FIRST.squared) == 1


def test_the_paired_t_is_that_of_scipy():
    mean, p = paired_t(FIRST.squared, SECOND.squared, FIRST.counts)
    ours, theirs = SECOND.squared / FIRST.counts, FIRST.squared / FIRST.counts
    assert mean == pytest.approx((ours - theirs).mean())
    assert p == pytest.approx(stats.ttest_rel(ours, theirs).pvalue)


def test_without_variation_there_is_no_t_test():
    assert paired_t(np.array([1.0]), np.array([2.0]), np.array([1])) == (1.0, None)


def test_systems_are_compared_with_the_reference_and_corrected_together():
    others = {"equal": figures(1), "other": figures(3), "better": figures(4, better=0.25)}
    rows = compare_systems(FIRST, others, "rmse", resamples=2000)
    assert [row["system"] for row in rows] == list(others)
    assert rows[0]["difference"] == 0
    assert rows[2]["high"] < 0
    corrected = multipletests([row["p"] for row in rows], method="holm")[1]
    assert [row["p_holm"] for row in rows] == pytest.approx(corrected.tolist())
    assert json.loads(json.dumps(rows)) == rows


@pytest.mark.parametrize(
    ("measure", "expected"),
    [
        ("mae", (SECOND.absolute - FIRST.absolute).sum() / FIRST.counts.sum()),
        ("ndcg_10", np.nanmean(SECOND.ndcg) - np.nanmean(FIRST.ndcg)),
    ],
)
def test_each_measure_has_its_difference(measure, expected):
    (row,) = compare_systems(FIRST, {"second": SECOND}, measure, resamples=100)
    assert row["difference"] == pytest.approx(expected)
    assert row["n_users"] == (30 if measure == "ndcg_10" else 40)


def test_a_ranker_has_no_errors_to_compare_and_does_not_count_for_the_correction():
    nothing = np.full(40, np.nan)
    ranker = UserFigures(SECOND.users, SECOND.counts, nothing, nothing, SECOND.ndcg)
    rows = compare_systems(FIRST, {"ranker": ranker, "second": SECOND}, resamples=200)
    assert (rows[0]["p"], rows[0]["p_holm"], rows[0]["difference"]) == (None, None, None)
    assert rows[1]["p_holm"] == rows[1]["p"]


def test_figures_of_other_test_ratings_are_refused():
    other = UserFigures(FIRST.users, FIRST.counts + 1, *([FIRST.squared] * 3))
    with pytest.raises(ConfigurationError, match="same split"):
        compare_systems(FIRST, {"other": other})


def test_figures_by_user_survive_as_arrays():
    back = UserFigures.from_arrays(FIRST.to_arrays())
    assert np.array_equal(back.squared, FIRST.squared)
    assert list(FIRST.to_arrays()) == ["users", "counts", "squared", "absolute", "ndcg"]
