import numpy as np
import pytest

from recommender.core import ranking_metrics

HITS = np.array([[1, 0, 1, 0], [0, 0, 0, 1], [0, 0, 0, 0]], bool)


def test_ndcg_is_one_only_if_the_relevant_items_come_first():
    hits = np.array([[1, 1, 0], [0, 1, 1], [1, 1, 1]], bool)
    found = ranking_metrics.ndcg(hits, np.array([2, 2, 20]))
    gain = 1 / np.log2([2, 3, 4])
    best = (1 / np.log2(np.arange(2, 12))).sum()
    assert found == pytest.approx([1, gain[1:].sum() / gain[:2].sum(), gain.sum() / best])


def test_ndcg_ends_at_its_depth():
    assert ranking_metrics.ndcg(HITS, np.array([2, 1, 1]), depth=3).tolist()[1:] == [0, 0]


def test_recall_is_the_share_of_relevant_items_found():
    assert ranking_metrics.recall(HITS, np.array([4, 1, 1]), depth=2).tolist() == [0.25, 0, 0]
    assert ranking_metrics.recall(HITS, np.array([4, 1, 1])).tolist() == [0.5, 1, 0]


def test_the_reciprocal_rank_is_that_of_the_first_relevant_item():
    assert ranking_metrics.reciprocal_rank(HITS).tolist() == [1, 0.25, 0]


def test_popularity_and_novelty_count_the_listed_items():
    items, counts = np.array([[0, 1], [2, -1]]), np.array([8, 4, 2, 99])
    assert ranking_metrics.mean_popularity(items, counts) == pytest.approx(14 / 3)
    assert ranking_metrics.novelty(items, counts, n_users=8) == pytest.approx((0 + 1 + 2) / 3)


def test_figures_of_no_items_are_nan():
    nothing, counts = np.array([[-1]]), np.array([8])
    assert np.isnan(ranking_metrics.mean_popularity(nothing, counts))
    assert np.isnan(ranking_metrics.novelty(nothing, counts, 8))
