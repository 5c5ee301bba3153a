"""A fitted system on a split's test ratings: the row of an error table."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recommender.core import metrics
from recommender.core.algorithms.base import Recommender
from recommender.core.splitting import Split
from recommender.core.systems import Progress, ignore_progress

POLICY = "train-only"


MOST_PARTS = 20
LEAST_PAIRS = 10_000  # of a part: a system may have to prepare itself for each


def evaluate(
    model: Recommender,
    split: Split,
    progress: Callable[[Progress], None] = ignore_progress,
) -> dict[str, Any]:
    """Errors in stars on the test ratings, ready for JSON.

    Policy ``train-only``: a user's profile at test time is what the model was trained on, so a
    user without training rating has an empty profile. ``train_rmse`` is None for systems that
    have no training error; ``cold_share`` is the share of test ratings of such users. ``progress``
    is told before each of at most 20 parts, and may raise ``errors.Cancelled`` to stop.
    """
    predicted = _predicted(model, split, progress)
    return {
        "n_train": split.facts["n_train"],
        "n_test": split.facts["n_test"],
        "cold_share": split.facts["cold_share"],
        "train_rmse": model.train_rmse_,
        "rmse": metrics.rmse(split.test_values, predicted),
        "mse": metrics.mse(split.test_values, predicted),
        "mae": metrics.mae(split.test_values, predicted),
    }


def _predicted(
    model: Recommender, split: Split, progress: Callable[[Progress], None]
) -> NDArray[np.float64]:
    """Part by part, no user in two of them."""
    n = len(split.test_rows)
    order = np.argsort(split.test_rows, kind="stable")
    rows, found = split.test_rows[order], np.empty(n)
    n_parts = max(1, min(MOST_PARTS, n // LEAST_PAIRS))
    firsts = rows[np.arange(n_parts) * n // n_parts]  # the users at whom a part may begin
    starts = np.unique(np.searchsorted(rows, firsts))
    for start, stop in pairwise([*starts.tolist(), n]):
        progress(Progress("evaluating", start, n))
        part = order[start:stop]
        found[part] = model.predict(None, split.test_rows[part], split.test_items[part])
    return found
