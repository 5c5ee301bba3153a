"""Evaluates a fitted system on the test ratings of a split: one row of an error table."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recommender.core import metrics
from recommender.core.algorithms.base import Recommender
from recommender.core.runs import Progress, ignore_progress
from recommender.core.splitting import Split

POLICY = "train-only"


def evaluate(
    model: Recommender,
    split: Split,
    progress: Callable[[Progress], None] = ignore_progress,
) -> dict[str, Any]:
    """Errors in stars on the test ratings, ready for JSON.

    Policy ``train-only``: a user's profile at test time consists of the user's training ratings.
    ``cold_share`` is the share of test ratings whose user has none, and so an empty profile.
    ``train_rmse`` is None for systems that measure no training error. ``progress`` is called
    before each block of about ``model.pairs_at_once`` pairs; it may raise ``errors.Cancelled``.
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
    """Predictions (n_test), in blocks that do not divide a user's ratings."""
    n, started = len(split.test_rows), time.monotonic()
    order = np.argsort(split.test_rows, kind="stable")
    rows, found = split.test_rows[order], np.empty(n)
    start = 0
    while start < n:
        left = (time.monotonic() - started) / start * (n - start) if start else None
        progress(Progress("evaluating", start, n, seconds_left=left))
        last = rows[min(start + model.pairs_at_once, n) - 1]
        stop = int(np.searchsorted(rows, last, side="right"))
        part = order[start:stop]
        times = None if split.test_times is None else split.test_times[part]
        found[part] = model.predict(None, split.test_rows[part], split.test_items[part], times)
        start = stop
    return found
