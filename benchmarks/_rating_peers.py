"""Predictions and scores by other libraries; runs in the environment of ``make peers``.

    .venv-peers/bin/python benchmarks/_rating_peers.py PEER FOLDER OUT.npy

FOLDER holds train.npy (users, items, stars) and test.npy (users, items), sorted by user, for cmfrec
also labels.npy (items, labels), the matrix of labels. Called by
knn_predictions.py and tests/recommender/core/test_peers.py. OUT gets a prediction for each test
pair, not clipped to the scale, and NaN where LensKit gives none.
"""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from _runs import measured, tell


def surprise(
    train: np.ndarray, test: np.ndarray, row: dict, kind: str = "KNNBasic", user_based: bool = True
) -> np.ndarray:
    """With cosine and otherwise its defaults."""
    import surprise

    users, items = train[:2].astype(int)
    frame = pd.DataFrame({"user": users, "movie": items, "stars": train[2]})
    reader = surprise.Reader(rating_scale=(train[2].min(), train[2].max()))
    data = surprise.Dataset.load_from_df(frame, reader).build_full_trainset()
    options = {"name": "cosine", "user_based": user_based}
    with measured(row):
        model = getattr(surprise, kind)(sim_options=options, verbose=False).fit(data)
        return np.array([model.predict(*map(int, pair), clip=False).est for pair in test.T])


def lenskit(train: np.ndarray, test: np.ndarray, row: dict, user_based: bool = True) -> np.ndarray:
    """For explicit feedback with its defaults and without a fallback."""
    from lenskit.data import ItemList, RecQuery, from_interactions_df
    from lenskit.knn import ItemKNNScorer, UserKNNScorer
    from lenskit.training import TrainingOptions

    users, items = train[:2].astype(int)
    frame = pd.DataFrame({"user_id": users, "item_id": items, "rating": train[2]})
    data = from_interactions_df(frame)
    asked, first = np.unique(test[0].astype(int), return_index=True)
    edges, found = np.append(first, test.shape[1]), np.full(test.shape[1], np.nan)
    with measured(row):
        scorer = (UserKNNScorer if user_based else ItemKNNScorer)()
        scorer.train(data, TrainingOptions())
        for user, start, stop in zip(asked, edges[:-1], edges[1:], strict=True):
            wanted = ItemList(item_ids=test[1, start:stop].astype(int))
            rated = None if user_based else data.user_row(int(user))
            query = RecQuery(user_id=int(user), user_items=rated)
            found[start:stop] = scorer(query, wanted).scores("numpy")
    return found


def surprise_factors(train: np.ndarray, test: np.ndarray, row: dict, kind: str) -> np.ndarray:
    """Its defaults; the factors start from the numbers that ours start from with the seed 0."""
    import surprise

    users, items = train[:2].astype(int)
    frame = pd.DataFrame({"user": users, "movie": items, "stars": train[2]})
    reader = surprise.Reader(rating_scale=(train[2].min(), train[2].max()))
    data = surprise.Dataset.load_from_df(frame, reader).build_full_trainset()
    rng, size = np.random.default_rng(0), {"SVD": 100, "SVDpp": 20}[kind]
    shape = 1 + max(users.max(), test[0].max()), 1 + max(items.max(), test[1].max())
    tables = [rng.normal(scale=0.1, size=(int(n), size)) for n in (*shape, shape[1])]
    raw_users = [data.to_raw_uid(user) for user in data.all_users()]
    raw_items = [data.to_raw_iid(item) for item in data.all_items()]
    ours = iter([tables[0][raw_users], tables[1][raw_items], tables[2][raw_items]])

    class SameStart(np.random.RandomState):
        def normal(self, *_: object, **__: object) -> np.ndarray:
            return next(ours)

    with measured(row):
        model = getattr(surprise, kind)(n_factors=size, random_state=SameStart()).fit(data)
        return np.array([model.predict(*map(int, pair), clip=False).est for pair in test.T])


def implicit_als(train: np.ndarray, test: np.ndarray, row: dict) -> np.ndarray:
    """Scores by AlternatingLeastSquares, solved exactly, of ratings of 4 and more.

    The item factors start from the numbers that ours start from.
    """
    from implicit.cpu.als import AlternatingLeastSquares
    from scipy.sparse import csr_matrix

    users, items = train[:2].astype(int)
    n_items = 1 + int(max(items.max(), test[1].max()))
    values = (train[2] >= 4).astype(np.float64)
    liked = csr_matrix((values, (users, items)), shape=(int(users.max()) + 1, n_items))
    liked.eliminate_zeros()
    # Its alpha is the whole weight of a liked item, ours what is added to 1.
    model = AlternatingLeastSquares(
        factors=16, regularization=60.0, alpha=11.0, iterations=15, use_cg=False, dtype=np.float64
    )
    model.item_factors = np.random.default_rng(0).normal(scale=0.01, size=(n_items, 16))
    model.user_factors = np.zeros((liked.shape[0], 16))
    with measured(row):
        model.fit(liked, show_progress=False)
        users_now = model.recalculate_user(np.arange(liked.shape[0]), liked)
    asked, wanted = test[:2].astype(int)
    return np.einsum("ij,ij->i", users_now[asked], model.item_factors[wanted])


def cmfrec_labels(train: np.ndarray, test: np.ndarray, row: dict) -> np.ndarray:
    """Ratings without biases, and Gaussian labels, factorised together until nothing changes."""
    from cmfrec import CMF
    from scipy.sparse import coo_matrix

    users, items = train[:2].astype(int)
    labels = np.load(Path(sys.argv[2]) / "labels.npy")
    shape = 1 + int(max(users.max(), test[0].max())), len(labels)
    known = np.where(labels.any(axis=1, keepdims=True), labels, np.nan)
    model = CMF(
        k=16,
        lambda_=10.0,
        w_main=0.5,
        w_item=0.5,
        niter=400,
        nthreads=1,
        user_bias=False,
        item_bias=False,
        center=False,
        use_cg=False,
        use_float=False,
    )
    with measured(row):
        model.fit(coo_matrix((train[2], (users, items)), shape=shape), I=known)
    asked, wanted = test[:2].astype(int)
    return np.einsum("ij,ij->i", model.A_[asked], model.B_[wanted])


PEERS = {
    "cmfrec": cmfrec_labels,
    "surprise": surprise,
    "surprise-items": partial(surprise, user_based=False),
    "surprise-item-means": partial(surprise, kind="KNNWithMeans", user_based=False),
    "surprise-svd": partial(surprise_factors, kind="SVD"),
    "surprise-svdpp": partial(surprise_factors, kind="SVDpp"),
    "lenskit": lenskit,
    "implicit-als": implicit_als,
    "lenskit-items": partial(lenskit, user_based=False),
}


def main() -> None:
    peer, folder, out = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
    train, test = np.load(folder / "train.npy"), np.load(folder / "test.npy")
    row = {"name": peer}
    np.save(out, PEERS[peer](train, test, row))
    tell(row)


if __name__ == "__main__":
    main()
