import numpy as np
import pytest

from recommender.core.splitting import split
from recommender.core.strata import SIZES, errors_by_stratum, popularity_tenths
from tests.recommender.core.matrices import random_ratings

PARTS = split(random_ratings(5, n_users=60, n_items=30), "random-90-10")


def strata(differences):
    sizes = np.diff(PARTS.train.indptr)[PARTS.test_rows]
    return errors_by_stratum(PARTS, sizes, differences)


def test_the_strata_of_each_kind_make_up_all_test_ratings():
    differences = np.random.default_rng(1).normal(size=len(PARTS.test_rows))
    for rows in strata(differences).values():
        assert sum(row["n_test"] for row in rows) == len(differences)
        total = sum(row["n_test"] * row["rmse"] ** 2 for row in rows if row["n_test"])
        assert total == pytest.approx((differences**2).sum())


def test_a_stratum_has_the_errors_of_its_ratings():
    differences = np.random.default_rng(1).normal(size=len(PARTS.test_rows))
    sizes = np.diff(PARTS.train.indptr)[PARTS.test_rows]
    chosen = differences[(sizes >= 10) & (sizes < 20)]
    row = next(row for row in strata(differences)["profile_size"] if row["name"] == "10-19")
    assert row["n_test"] == len(chosen) > 0
    assert row["mae"] == pytest.approx(np.abs(chosen).mean())


def test_without_predictions_only_counts_are_known():
    rows = strata(None)["popularity"]
    assert {row["rmse"] for row in rows} == {None}
    assert sum(row["n_test"] for row in rows) == len(PARTS.test_rows)


def test_profile_sizes_are_named_by_their_range():
    names = [row["name"] for row in strata(None)["profile_size"]]
    assert names == ["0", "1-9", "10-19", "20-49", "50-99", "100-199", "200-499", "500+"]
    assert len(names) == len(SIZES)


def test_each_tenth_of_popularity_holds_a_tenth_of_the_ratings():
    counts = np.array([0, *[1] * 10, *[2] * 5, *[10] * 8])
    tenths = popularity_tenths(counts)
    assert tenths[0] == -1
    held = [counts[tenths == tenth].sum() for tenth in range(10)]
    assert sum(held) == 100
    assert (set(tenths[1:11]), set(tenths[11:16])) == ({0}, {1})


def test_equally_popular_items_are_in_one_tenth():
    assert set(popularity_tenths(np.full(100, 3)).tolist()) == {5}
