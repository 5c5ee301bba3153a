"""Splits of the ratings into training and test ratings, each with a citable name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recommender.core.errors import ConfigurationError
from recommender.core.ratings import Ratings

TIE_RULE = "all ratings with the time stamp of the cut are test ratings"
FOLDS = {
    **{f"official-{fold}": fold for fold in ("u1", "u2", "u3", "u4", "u5", "ua", "ub")},
    "netflix-probe": "probe",
}  #: the official fold of a split by that name
NAMES = ("time-90-10", "random-90-10", "user-time-90-10", "leave-last-out", *FOLDS)
BY_TIME = ("time-90-10", "user-time-90-10", "leave-last-out")


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
    rating. ``user-time-90-10``: the same for the ratings of each user; all ratings of a user whose
    oldest rating would be a test rating train. ``leave-last-out``: the newest rating of each user
    with two or more; of those with the same time stamp one is drawn with ``seed``.
    ``random-90-10``: a tenth drawn at random with ``seed``. ``official-FOLD``, ``netflix-probe``:
    the test ratings defined by the source.

    Raises ConfigurationError for an unknown name, missing time stamps or folds, and if one side
    would be empty.
    """
    is_test, extra = _test_ratings(ratings, name, seed)
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


def protocols_of(ratings: Ratings) -> dict[str, str]:
    """Every split by name, with the reason why these ratings do not support it, "" if they do."""
    reasons = {}
    for name in NAMES:
        try:
            _test_ratings(ratings, name, seed=0)
            reasons[name] = ""
        except ConfigurationError as error:
            reasons[name] = str(error)
    return reasons


def obstacle(name: str, *, has_times: bool, folds: Iterable[str]) -> str:
    """Why ratings with these official ``folds`` do not support the split; "" if they may.

    Raises ConfigurationError for an unknown name.
    """
    if name not in NAMES:
        raise ConfigurationError(f"There is no split {name!r}. Choose from: {', '.join(NAMES)}.")
    if name in BY_TIME and not has_times:
        return (
            f"{name} needs time stamps, which the ratings do not have. "
            "Use random-90-10, or import a source with a timestamp column."
        )
    if name in FOLDS and FOLDS[name] not in (known := list(folds)):
        return (
            f"{name} needs the official fold {FOLDS[name]!r}, which the source does not have "
            f"(it has: {', '.join(known) or 'none'}). Use random-90-10, or a split by time."
        )
    return ""


def cold_sentence(facts: Mapping[str, Any]) -> str:
    """What a split asks if most test ratings have a user without training ratings, otherwise "".

    ``facts`` are those of a Split.
    """
    share = facts["cold_share"]
    if share <= 0.5:
        return ""
    return (
        f"{share:.1%} of the test ratings of {facts['name']} come from users without a training "
        "rating, so its errors are mostly those of the fallback; how well the tastes of known "
        "users are predicted is measured by user-time-90-10."
    )


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


def _test_ratings(
    ratings: Ratings, name: str, seed: int
) -> tuple[NDArray[np.bool_], dict[str, Any]]:
    """Which ratings (n_ratings) are test ratings, and facts about the rule."""
    extra: dict[str, Any] = {}
    times = ratings.timestamps
    if reason := obstacle(name, has_times=times is not None, folds=ratings.folds):
        raise ConfigurationError(reason)
    if name in FOLDS:
        is_test = np.asarray(ratings.folds[FOLDS[name]], bool)
    elif times is None or name == "random-90-10":
        is_test = _at_random(ratings.n_ratings, seed)
    elif name == "time-90-10":
        is_test, extra = _by_time(times)
    elif name == "user-time-90-10":
        is_test, extra = _by_time_of_user(ratings, times)
    else:
        is_test = _last_of_user(ratings, times, seed)
    n_test = int(np.count_nonzero(is_test))
    if n_test in (0, ratings.n_ratings):
        raise ConfigurationError(
            f"The split {name} of {ratings.n_ratings} ratings leaves no "
            f"{'test' if n_test == 0 else 'training'} ratings. Use more ratings or another split."
        )
    return is_test, extra


def _by_time(times: NDArray[np.int64]) -> tuple[NDArray[np.bool_], dict[str, Any]]:
    position = 9 * len(times) // 10
    cut = int(np.partition(times, position)[position]) if len(times) else 0
    facts = {
        "cut": cut,
        "cut_utc": datetime.fromtimestamp(cut, UTC).isoformat(),
        "n_at_cut": int(np.count_nonzero(times == cut)),
        "tie_rule": TIE_RULE,
    }
    return np.asarray(times >= cut), facts


def _by_time_of_user(
    ratings: Ratings, times: NDArray[np.int64]
) -> tuple[NDArray[np.bool_], dict[str, Any]]:
    rows = ratings.rows()
    ordered = times[np.lexsort((times, rows))]  # by user, oldest first
    counts = np.diff(ratings.indptr)
    places = ratings.indptr[:-1] + 9 * counts // 10
    rated = counts > 0
    cuts, oldest = np.zeros((2, len(counts)), np.int64)
    cuts[rated], oldest[rated] = ordered[places[rated]], ordered[ratings.indptr[:-1][rated]]
    is_test = (times >= cuts[rows]) & (cuts > oldest)[rows]
    return is_test, {"tie_rule": f"{TIE_RULE}, for each user"}


def _last_of_user(ratings: Ratings, times: NDArray[np.int64], seed: int) -> NDArray[np.bool_]:
    ties = np.random.default_rng(seed).permutation(ratings.n_ratings)
    order = np.lexsort((ties, times, ratings.rows()))
    is_test = np.zeros(ratings.n_ratings, bool)
    is_test[order[ratings.indptr[1:][np.diff(ratings.indptr) > 1] - 1]] = True
    return is_test


def _at_random(n_ratings: int, seed: int) -> NDArray[np.bool_]:
    is_test = np.zeros(n_ratings, bool)
    n_test = n_ratings - 9 * n_ratings // 10
    is_test[np.random.default_rng(seed).permutation(n_ratings)[:n_test]] = True
    return is_test


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
