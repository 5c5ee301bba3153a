import json
from dataclasses import replace

import numpy as np
import pytest

from recommender.core.algorithms.base import implementation
from recommender.core.algorithms.bias import Bias
from recommender.core.algorithms.user_knn import UserKNN
from recommender.core.errors import Cancelled
from recommender.core.evaluation import evaluate, evaluate_users
from recommender.core.profile_policies import POLICIES
from recommender.core.splitting import split
from tests.recommender.core.matrices import of_dense, profiles, random_ratings

SPLIT = split(random_ratings(1, n_users=40, n_items=20), "random-90-10", 0)


def test_errors_come_from_predictions_for_training_profiles():
    model = UserKNN().fit(SPLIT.train)
    row = evaluate(model, SPLIT)
    predicted = model.predict(SPLIT.train.matrix(), SPLIT.test_rows, SPLIT.test_items)
    errors = predicted - SPLIT.test_values
    assert row["rmse"] == pytest.approx(np.sqrt(np.mean(errors**2)))
    assert row["mse"] == pytest.approx(row["rmse"] ** 2)
    assert row["mae"] == pytest.approx(np.mean(np.abs(errors)))


def test_the_row_is_ready_for_json_and_has_the_counts():
    row = json.loads(json.dumps(evaluate(Bias().fit(SPLIT.train), SPLIT)))
    assert list(row) == [
        "n_train", "n_test", "cold_share", "train_rmse", "rmse", "mse", "half_mse", "mae",
        "user_rmse", "user_mae", "coverage", "ndcg_10", "recall_10", "mrr", "catalogue_coverage",
        "mean_popularity", "novelty", "strata",
    ]  # fmt: skip
    assert row["n_train"] + row["n_test"] == random_ratings(1, n_users=40, n_items=20).n_ratings
    assert row["cold_share"] == SPLIT.facts["cold_share"]


def test_neighbours_have_no_training_error():
    assert evaluate(UserKNN().fit(SPLIT.train), SPLIT)["train_rmse"] is None


def test_blocks_report_progress_and_change_no_prediction(monkeypatch):
    whole = evaluate(Bias().fit(SPLIT.train), SPLIT)
    monkeypatch.setattr(Bias, "pairs_at_once", 5)
    seen = []
    assert evaluate(Bias().fit(SPLIT.train), SPLIT, progress=seen.append) == whole
    assert {progress.phase for progress in seen} == {"evaluating", "ranking"}
    seen = [progress for progress in seen if progress.phase == "evaluating"]
    done = [progress.done for progress in seen]
    assert done[0] == 0
    assert len(done) > 3
    assert done == sorted(set(done))
    assert {progress.total for progress in seen} == {len(SPLIT.test_rows)}
    assert seen[0].seconds_left is None
    assert all(progress.seconds_left >= 0 for progress in seen[1:])


def test_an_evaluation_can_be_cancelled():
    def stop(progress):
        raise Cancelled("stop")

    with pytest.raises(Cancelled):
        evaluate(Bias().fit(SPLIT.train), SPLIT, progress=stop)


def test_slow_systems_are_evaluated_in_small_blocks():
    plain = UserKNN().fit(SPLIT.train)
    assert plain.pairs_at_once == 2_000
    assert Bias().fit(SPLIT.train).pairs_at_once > plain.pairs_at_once


def profile_of(parts, target, policy):
    """The profile of a test rating as {item: stars}, rating by rating."""
    user, train = parts.test_rows[target], parts.train.matrix()[[parts.test_rows[target]]]
    known = dict(zip(train.indices.tolist(), train.data.tolist(), strict=True))
    for other in np.flatnonzero(parts.test_rows == user):
        earlier = parts.test_times[other] < parts.test_times[target]
        if (policy == "all-but-target" and other != target) or (policy == "history" and earlier):
            known[int(parts.test_items[other])] = float(parts.test_values[other])
    return known


@pytest.mark.parametrize("policy", POLICIES)
def test_each_prediction_is_for_the_profile_of_its_policy(policy):
    model = UserKNN().fit(SPLIT.train)
    given = [profile_of(SPLIT, target, policy) for target in range(len(SPLIT.test_rows))]
    asked = profiles(*given, n_items=SPLIT.train.n_items)
    errors = model.predict(asked, np.arange(len(given)), SPLIT.test_items) - SPLIT.test_values
    row = evaluate(model, SPLIT, profile=policy)
    assert row["rmse"] == pytest.approx(np.sqrt(np.mean(errors**2)))
    sizes = [len(profile) for profile in given]
    found = {stratum["name"]: stratum["n_test"] for stratum in row["strata"]["profile_size"]}
    assert found["1-9"] == sum(1 <= size <= 9 for size in sizes)


def ranked_by_hand(model, parts, policy, liked=4):
    """NDCG@10, recall@10 and reciprocal rank by loops: {user: [one triple for each list]}."""
    lists = {}
    for target in np.flatnonzero(parts.test_values >= liked):
        profile = profile_of(parts, target, policy)
        key = (int(parts.test_rows[target]), tuple(sorted(profile.items())))
        if policy == "all-but-target":
            key = (*key, int(target))
        lists.setdefault(key, set()).add(int(parts.test_items[target]))
    found = {}
    for (user, profile, *_), relevant in lists.items():
        one = profiles(dict(profile), n_items=parts.train.n_items)
        ranked = [item for item in model.recommend(one, 100).items[0].tolist() if item >= 0]
        gains = [1 / np.log2(place + 2) for place in range(10)]
        best = sum(gains[: len(relevant)])
        ndcg = sum(g for g, item in zip(gains, ranked, strict=False) if item in relevant) / best
        recall = len(relevant & set(ranked[:10])) / len(relevant)
        places = [place for place, item in enumerate(ranked, 1) if item in relevant]
        found.setdefault(user, []).append((ndcg, recall, 1 / places[0] if places else 0))
    return found


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("system", ["bias", "popularity"])
def test_ranking_figures_are_means_over_lists_then_users(system, policy):
    model = implementation(system)().fit(SPLIT.train)
    row, by_user = evaluate_users(model, SPLIT, profile=policy)
    expected = ranked_by_hand(model, SPLIT, policy)
    each = {user: np.mean(lists, axis=0) for user, lists in expected.items()}
    means = np.mean(list(each.values()), axis=0)
    assert [row["ndcg_10"], row["recall_10"], row["mrr"]] == pytest.approx(means.tolist())
    listed = np.isfinite(by_user.ndcg)
    assert by_user.users[listed].tolist() == sorted(each)
    assert by_user.ndcg[listed].tolist() == pytest.approx([each[u][0] for u in sorted(each)])


@pytest.mark.parametrize("system", ["popularity", "random", "ease"])
def test_systems_that_rank_by_something_else_have_no_errors(system):
    row, by_user = evaluate_users(implementation(system)().fit(SPLIT.train), SPLIT)
    errors = ("train_rmse", "rmse", "mse", "half_mse", "mae", "user_rmse", "user_mae", "coverage")
    assert {row[name] for name in errors} == {None}
    assert np.isnan(by_user.squared).all()
    assert 0 < row["ndcg_10"] < 1


def test_sums_by_user_give_the_errors_over_all_ratings_and_over_users():
    row, by_user = evaluate_users(Bias().fit(SPLIT.train), SPLIT)
    assert row["mse"] == pytest.approx(by_user.squared.sum() / by_user.counts.sum())
    assert row["half_mse"] == row["mse"] / 2
    assert row["mae"] == pytest.approx(by_user.absolute.sum() / by_user.counts.sum())
    assert row["user_rmse"] == pytest.approx(np.mean(np.sqrt(by_user.squared / by_user.counts)))
    assert row["user_mae"] == pytest.approx(np.mean(by_user.absolute / by_user.counts))


def test_pairs_without_a_neighbour_are_not_covered():
    ratings = of_dense(np.array([[5.0, 4, 0, 0], [5, 0, 3, 0], [0, 0, 0, 2], [4, 3, 0, 0]]))
    fold = np.zeros(ratings.n_ratings, bool)
    fold[[1, 4]] = True  # user 0 on item 1, which user 3 rated; user 2 on item 3, nobody's
    parts = split(replace(ratings, folds={"u1": fold}), "official-u1")
    assert evaluate(UserKNN().fit(parts.train), parts)["coverage"] == 0.5
    assert evaluate(Bias().fit(parts.train), parts)["coverage"] == 1


def test_more_lists_than_allowed_are_sampled_alike_for_every_system():
    found = [
        evaluate_users(implementation(name)().fit(SPLIT.train), SPLIT, most_lists=7)[1]
        for name in ("bias", "popularity")
    ]
    sampled = [figures.users[np.isfinite(figures.ndcg)].tolist() for figures in found]
    assert len(sampled[0]) == 7
    assert sampled[0] == sampled[1]


def test_without_a_liked_test_rating_there_are_no_ranking_figures():
    row, by_user = evaluate_users(Bias().fit(SPLIT.train), SPLIT, liked_from=1.5)
    assert (row["ndcg_10"], row["novelty"]) == (None, None)
    assert np.isnan(by_user.ndcg).all()
    assert row["rmse"] > 0
