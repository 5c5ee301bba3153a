import json

import numpy as np
import pytest

from recommender.core.algorithms.bias import Bias
from recommender.core.algorithms.user_knn import UserKNN
from recommender.core.errors import Cancelled
from recommender.core.evaluation import evaluate
from recommender.core.splitting import split
from tests.recommender.core.matrices import random_ratings

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
        "n_train", "n_test", "cold_share", "train_rmse", "rmse", "mse", "mae",
    ]  # fmt: skip
    assert row["n_train"] + row["n_test"] == random_ratings(1, n_users=40, n_items=20).n_ratings
    assert row["cold_share"] == SPLIT.facts["cold_share"]


def test_neighbours_have_no_training_error():
    assert evaluate(UserKNN().fit(SPLIT.train), SPLIT)["train_rmse"] is None


def test_blocks_report_progress_and_change_no_prediction(monkeypatch):
    whole = evaluate(Bias().fit(SPLIT.train), SPLIT)
    monkeypatch.setattr(Bias, "pairs_at_once", 5)
    seen = []
    assert evaluate(Bias().fit(SPLIT.train), SPLIT, seen.append) == whole
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
        evaluate(Bias().fit(SPLIT.train), SPLIT, stop)


def test_slow_systems_are_evaluated_in_small_blocks():
    plain = UserKNN().fit(SPLIT.train)
    assert plain.pairs_at_once == 2_000
    assert Bias().fit(SPLIT.train).pairs_at_once > plain.pairs_at_once
