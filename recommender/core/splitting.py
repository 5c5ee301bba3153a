"""Splits of the ratings into training and test ratings, each with a citable name."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recommender.core.errors import ConfigurationError
from recommender.core.ratings import Ratings

TIE_RULE = "all ratings with the time stamp of the cut are test ratings"
NAMES = (
    "time-90-10",
    "random-90-10",
    *(f"official-{fold}" for fold in ("u1", "u2", "u3", "u4", "u5", "ua", "ub")),
)


@dataclass(frozen=True, eq=False)
class Split:
    """Training ratings, and the test ratings as (user, item, value) triples (n_test).

    ``test_times`` (n_test) are their time stamps, None if the ratings have none.
    ``train`` keeps all positions and ids, so a user without training ratings is an empty row.
    ``facts`` describes the split and is ready for JSON.
    """

    train: Ratings
    test_rows: NDArray[np.int64]
    test_items: NDArray[np.int32]
    test_values: NDArray[np.float32]
    test_times: NDArray[np.int64] | None
    facts: dict[str, Any]


def split(ratings: Ratings, name: str, seed: int = 0) -> Split:
    """Divide ``ratings`` by the rule of that name.

    ``time-90-10`` (paper, section IV.A): the newest 10 % of all ratings are test ratings, and so
    are all that share the time stamp of the cut: every training rating is older than every test
    rating. ``random-90-10``: a tenth drawn at random with ``seed``. ``official-FOLD``: the test
    ratings defined by the source.

    Raises ConfigurationError for an unknown name, missing time stamps or folds, and if one side
    would be empty.
    """
    extra: dict[str, Any] = {}
    if name == "time-90-10":
        is_test, extra = _by_time(ratings)
    elif name == "random-90-10":
        is_test = _at_random(ratings.n_ratings, seed)
    elif name in NAMES:
        is_test = _official(ratings, name.removeprefix("official-"))
    else:
        raise ConfigurationError(f"There is no split {name!r}. Choose from: {', '.join(NAMES)}.")
    n_test = int(np.count_nonzero(is_test))
    if n_test in (0, ratings.n_ratings):
        raise ConfigurationError(
            f"The split {name} of {ratings.n_ratings} ratings leaves no "
            f"{'test' if n_test == 0 else 'training'} ratings. Use more ratings or another split."
        )
    train = ratings.select(~is_test)
    if name == "time-90-10":
        train = labels_before(train, extra["cut"])
    rows = ratings.rows()[is_test]
    items = np.asarray(ratings.indices[is_test])
    return Split(
        train=train,
        test_rows=rows,
        test_items=items,
        test_values=np.asarray(ratings.values[is_test]),
        test_times=None if ratings.timestamps is None else ratings.timestamps[is_test],
        facts={"name": name, "seed": seed, **_warmth(train, rows, items), **extra},
    )


def labels_before(ratings: Ratings, cut: int) -> Ratings:
    """The ratings without labels given at ``cut`` (seconds since 1970 UTC) or later.

    Labels without times, such as genres, remain: nothing tells when they were given.
    """
    labels = {kind: labels.before(cut) for kind, labels in ratings.labels.items()}
    return replace(ratings, labels=labels)


def newest_slice(ratings: Ratings, share: float, seed: int) -> NDArray[np.bool_]:
    """A mask (n_ratings) of the newest ``share`` of the ratings, held out for early stopping.

    It includes all ratings with the time stamp of the cut. Without time stamps it is drawn with
    ``seed``. Raises ConfigurationError if the slice or the rest would be empty.
    """
    kept = int((1 - share) * ratings.n_ratings)
    chosen = np.zeros(ratings.n_ratings, bool)
    if ratings.timestamps is None:
        chosen[np.random.default_rng(seed).permutation(ratings.n_ratings)[kept:]] = True
    elif kept < ratings.n_ratings:
        chosen = np.asarray(ratings.timestamps >= np.partition(ratings.timestamps, kept)[kept])
    if chosen.all() or not chosen.any():
        raise ConfigurationError(
            f"A validation_share of {share:g} of {ratings.n_ratings} ratings leaves no training "
            "or no validation ratings. Choose another share, or patience=0."
        )
    return chosen


def _by_time(ratings: Ratings) -> tuple[NDArray[np.bool_], dict[str, Any]]:
    times = ratings.timestamps
    if times is None:
        raise ConfigurationError(
            "The ratings have no time stamps, so they cannot be split by time. "
            "Use random-90-10, or import a source with a timestamp column."
        )
    position = 9 * len(times) // 10
    cut = int(np.partition(times, position)[position]) if len(times) else 0
    facts = {
        "cut": cut,
        "cut_utc": datetime.fromtimestamp(cut, UTC).isoformat(),
        "n_at_cut": int(np.count_nonzero(times == cut)),
        "tie_rule": TIE_RULE,
    }
    return np.asarray(times >= cut), facts


def _at_random(n_ratings: int, seed: int) -> NDArray[np.bool_]:
    is_test = np.zeros(n_ratings, bool)
    n_test = n_ratings - 9 * n_ratings // 10
    is_test[np.random.default_rng(seed).permutation(n_ratings)[:n_test]] = True
    return is_test


def _official(ratings: Ratings, fold: str) -> NDArray[np.bool_]:
    if fold not in ratings.folds:
        known = ", ".join(f"official-{name}" for name in ratings.folds) or "none"
        raise ConfigurationError(
            f"The ratings have no official fold {fold!r} (known: {known}). Use time-90-10 or "
            "random-90-10."
        )
    return np.asarray(ratings.folds[fold], bool)


def _warmth(
    train: Ratings, rows: NDArray[np.int64], items: NDArray[np.int32]
) -> dict[str, int | float]:
    """How many test ratings have a user, an item, or both with training ratings."""
    warm_user = np.diff(train.indptr)[rows] > 0
    warm_item = np.bincount(train.indices, minlength=train.n_items)[items] > 0
    return {
        "n_train": train.n_ratings,
        "n_test": len(rows),
        "n_test_users": len(np.unique(rows)),
        "n_cold_test_users": len(np.unique(rows[~warm_user])),
        "n_test_warm_user": int(np.count_nonzero(warm_user)),
        "n_test_warm_item": int(np.count_nonzero(warm_item)),
        "n_test_warm_both": int(np.count_nonzero(warm_user & warm_item)),
        "cold_share": float(np.mean(~warm_user)),
    }
