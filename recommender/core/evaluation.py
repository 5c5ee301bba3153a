"""A fitted system on a split's test ratings: the row of an error table."""

from __future__ import annotations

from typing import Any

from recommender.core import metrics
from recommender.core.algorithms.base import Recommender
from recommender.core.splitting import Split

POLICY = "train-only"


def evaluate(model: Recommender, split: Split) -> dict[str, Any]:
    """Errors in stars on the test ratings, ready for JSON.

    Policy ``train-only``: a user's profile at test time is what the model was trained on, so a
    user without training rating has an empty profile. ``train_rmse`` is None for systems that
    have no training error; ``cold_share`` is the share of test ratings of such users.
    """
    predicted = model.predict(None, split.test_rows, split.test_items)
    return {
        "n_train": split.facts["n_train"],
        "n_test": split.facts["n_test"],
        "cold_share": split.facts["cold_share"],
        "train_rmse": model.train_rmse_,
        "rmse": metrics.rmse(split.test_values, predicted),
        "mse": metrics.mse(split.test_values, predicted),
        "mae": metrics.mae(split.test_values, predicted),
    }
