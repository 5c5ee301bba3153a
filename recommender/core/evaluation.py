"""Evaluates a fitted system on the test ratings of a split: one row of a table of systems."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recommender.core import metrics, ranking_metrics
from recommender.core.algorithms.base import Recommender
from recommender.core.metrics import UserFigures
from recommender.core.profile_policies import profile_blocks, profile_keys
from recommender.core.runs import Progress, RunOptions, ignore_progress, time_left
from recommender.core.splitting import Split
from recommender.core.strata import errors_by_stratum

DEPTH = 100  #: places of a ranked list that are looked at for the reciprocal rank
MOST_LISTS = 2_000  #: ranked lists of one evaluation; more are sampled
NO_ERRORS = dict.fromkeys(
    ("rmse", "mse", "half_mse", "mae", "user_rmse", "user_mae", "coverage"), None
)


def evaluate(
    model: Recommender,
    split: Split,
    *,
    profile: str = "train-only",
    liked_from: float = 0.75,
    most_lists: int = MOST_LISTS,
    progress: Callable[[Progress], None] = ignore_progress,
) -> dict[str, Any]:
    """The figures of ``evaluate_users`` without those of single users."""
    return evaluate_users(
        model,
        split,
        profile=profile,
        liked_from=liked_from,
        most_lists=most_lists,
        progress=progress,
    )[0]


def evaluate_users(
    model: Recommender,
    split: Split,
    *,
    profile: str = "train-only",
    liked_from: float = 0.75,
    most_lists: int = MOST_LISTS,
    progress: Callable[[Progress], None] = ignore_progress,
) -> tuple[dict[str, Any], UserFigures]:
    """Errors in stars and ranking figures on the test ratings, ready for JSON; figures by user.

    Every system is asked for the same pairs of user and item, with profiles by the policy
    ``profile`` (see ``profile_policies``), and predicts the damped bias where it has nothing to go
    by; ``coverage`` is the share of pairs in which it has. ``half_mse`` is half the MSE;
    ``user_rmse`` and ``user_mae`` are means over users. All of these are None for a system that
    does not rank by rating. ``train_rmse`` is None if no training error was measured.

    A ranked list orders all items that have a training rating and are not in the profile. Relevant
    are the test items of that profile with ratings from ``liked_from`` on, where 0 is the scale's
    minimum and 1 its maximum; ``ndcg_10``, ``recall_10`` and ``mrr`` (of the first DEPTH places, 0
    below) are means over each user's lists, then over users. ``catalogue_coverage`` is the share of
    the items with a training rating that are in the first ten of any list; ``mean_popularity`` and
    ``novelty`` are those of these ten. Where there are more than ``most_lists`` profiles with a
    relevant item, as many are drawn with the split's seed. Without any, the figures are None.

    ``strata`` is described in ``errors_by_stratum``. ``progress`` is called before each block; it
    may raise ``errors.Cancelled``. Raises ConfigurationError for a policy that the ratings do not
    support.
    """
    sizes, differences, covered = _errors(model, split, profile, progress)
    users, place = np.unique(split.test_rows, return_inverse=True)
    ranking, ndcg = _ranking(model, split, profile, liked_from, most_lists, progress)
    if differences is None:
        counts, nothing = np.bincount(place), np.full(len(users), np.nan)
        by_user, errors = UserFigures(users, counts, nothing, nothing, ndcg), NO_ERRORS
    else:
        predicted = split.test_values + differences
        by_user = metrics.sum_by_user(split.test_rows, split.test_values, predicted, ndcg)
        mse = metrics.mse(split.test_values, predicted)
        errors = {
            "rmse": metrics.rmse(split.test_values, predicted),
            "mse": mse,
            "half_mse": mse / 2,
            "mae": metrics.mae(split.test_values, predicted),
            "user_rmse": float(np.mean(np.sqrt(by_user.squared / by_user.counts))),
            "user_mae": float(np.mean(by_user.absolute / by_user.counts)),
            "coverage": float(np.mean(covered)),
        }
    figures = {
        "n_train": split.facts["n_train"],
        "n_test": split.facts["n_test"],
        "cold_share": split.facts["cold_share"],
        "train_rmse": model.train_rmse_ if model.ranks_by_rating else None,
        **errors,
        **ranking,
        "strata": errors_by_stratum(split, sizes, differences),
    }
    return figures, by_user


def _errors(
    model: Recommender, split: Split, policy: str, progress: Callable[[Progress], None]
) -> tuple[NDArray[np.int64], NDArray[np.float64] | None, NDArray[np.bool_]]:
    """Profile sizes, predictions minus ratings, and whether the system itself predicted (n_test).

    A system that does not rank by rating is not asked for predictions.
    """
    n, started, done = len(split.test_rows), time.monotonic(), 0
    sizes, differences = np.empty(n, np.int64), np.empty(n)
    covered = np.zeros(n, bool)
    known = np.diff(split.train.indptr)
    # A system may need as much memory for a profile here as in ranking all items for it.
    most_profiles = max(1, model.block_cells // max(1, split.train.n_items))
    for block in profile_blocks(
        split,
        policy,
        np.arange(n),
        most_pairs=model.pairs_at_once,
        most_profiles=most_profiles,
    ):
        progress(Progress("evaluating", done, n, seconds_left=time_left(started, done, n)))
        pairs, done = block.pairs, done + len(block.pairs)
        counts = known if block.profiles is None else np.diff(block.profiles.indptr)
        sizes[pairs] = counts[block.rows]
        if model.ranks_by_rating:
            times = None if split.test_times is None else split.test_times[pairs]
            predicted, covered[pairs] = model.predict_covered(
                block.profiles, block.rows, split.test_items[pairs], times
            )
            differences[pairs] = predicted - split.test_values[pairs]
    return sizes, differences if model.ranks_by_rating else None, covered


def _ranking(
    model: Recommender,
    split: Split,
    policy: str,
    liked_from: float,
    most_lists: int,
    progress: Callable[[Progress], None],
) -> tuple[dict[str, float | None], NDArray[np.float64]]:
    """The ranking figures, and the mean NDCG of each test user (m), NaN without a list."""
    train, scale = split.train, split.train.scale
    # Ratings are rounded to float32, so the limit is lowered by less than a step.
    least = scale.minimum + liked_from * (scale.maximum - scale.minimum) - scale.step / 100
    keys = profile_keys(split, policy)
    is_liked = split.test_values >= least
    asked = np.unique(keys[is_liked])
    if len(asked) > most_lists:
        draw = np.random.default_rng(split.facts["seed"])
        asked = draw.choice(asked, most_lists, replace=False)
    pairs = np.flatnonzero(is_liked & np.isin(keys, asked))

    lists = {name: [np.empty(0)] for name in ("ndcg_10", "recall_10", "mrr")}
    of_user, tops, done = [np.empty(0, np.int64)], [np.empty((0, 10), np.int32)], 0
    started = time.monotonic()

    def report(step: Progress) -> None:
        ranked = done + step.done
        left = time_left(started, ranked, len(asked))
        progress(Progress("ranking", ranked, len(asked), seconds_left=left))

    for block in profile_blocks(
        split, policy, pairs, most_pairs=len(pairs), most_profiles=most_lists
    ):
        rows, first, place = np.unique(block.rows, return_index=True, return_inverse=True)
        top = model.recommend(
            block.profiles, DEPTH, rows=rows, options=RunOptions(progress=report)
        ).items
        wanted = place * train.n_items + split.test_items[block.pairs]
        hits = np.isin(np.arange(len(rows))[:, None] * train.n_items + top, wanted) & (top >= 0)
        relevant = np.bincount(place)
        lists["ndcg_10"].append(ranking_metrics.ndcg(hits, relevant))
        lists["recall_10"].append(ranking_metrics.recall(hits, relevant))
        lists["mrr"].append(ranking_metrics.reciprocal_rank(hits))
        of_user.append(split.test_rows[block.pairs[first]])
        tops.append(top[:, :10])
        done += len(rows)

    users, place = np.unique(np.concatenate(of_user), return_inverse=True)
    each = np.bincount(place)
    means = {
        name: np.bincount(place, np.concatenate(parts), len(users)) / each
        for name, parts in lists.items()
    }
    test_users = np.unique(split.test_rows)
    ndcg = np.full(len(test_users), np.nan)
    ndcg[np.searchsorted(test_users, users)] = means["ndcg_10"]
    shown, counts = np.concatenate(tops), model.counts_
    if not len(users):
        names = (*lists, "catalogue_coverage", "mean_popularity", "novelty")
        return dict.fromkeys(names), ndcg
    n_users = int(np.count_nonzero(np.diff(train.indptr)))
    recommended = np.unique(shown[shown >= 0])
    return {
        **{name: float(np.mean(values)) for name, values in means.items()},
        "catalogue_coverage": len(recommended) / int(np.count_nonzero(counts)),
        "mean_popularity": ranking_metrics.mean_popularity(shown, counts),
        "novelty": ranking_metrics.novelty(shown, counts, n_users),
    }, ndcg
