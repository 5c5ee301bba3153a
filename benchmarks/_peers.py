"""Recommenders of other libraries on our split; runs in the environment of ``make peers``.

    .venv-peers/bin/python benchmarks/_peers.py FOLDER SYSTEM SETTINGS

FOLDER holds train.npy (users, items, stars, days) and test.npy (users, items, days), one row each,
and gets predictions.npy; days since 1970 are NaN if there are no time stamps. SYSTEM is a key of
SYSTEMS, SETTINGS its options as JSON. Called by real_data.py.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

Predict = Callable[[np.ndarray, np.ndarray, tuple[float, float], dict[str, Any]], np.ndarray]


def surprise_system(name: str) -> Predict:
    def predict(
        train: np.ndarray, test: np.ndarray, scale: tuple[float, float], settings: dict[str, Any]
    ) -> np.ndarray:
        import surprise

        frame = pd.DataFrame(
            {"user": train[0].astype(int), "movie": train[1].astype(int), "stars": train[2]}
        )
        data = surprise.Dataset.load_from_df(frame, surprise.Reader(rating_scale=scale))
        if name.startswith("KNN"):
            settings = {**settings, "verbose": False}
        else:
            settings = {**settings, "random_state": 0}
        algorithm = getattr(surprise, name)(**settings).fit(data.build_full_trainset())
        pairs = zip(test[0].astype(int), test[1].astype(int), strict=True)
        return np.array([algorithm.predict(int(user), int(movie)).est for user, movie in pairs])

    return predict


def lenskit_system(module: str, name: str) -> Predict:
    def predict(
        train: np.ndarray, test: np.ndarray, scale: tuple[float, float], settings: dict[str, Any]
    ) -> np.ndarray:
        from importlib import import_module

        import lenskit
        from lenskit.basic import BiasScorer
        from lenskit.data import ItemList, from_interactions_df
        from lenskit.pipeline import predict_pipeline
        from lenskit.training import TrainingOptions

        users, items = train[0].astype(int), train[1].astype(int)
        data = from_interactions_df(
            pd.DataFrame({"user_id": users, "item_id": items, "rating": train[2]})
        )
        scorer = getattr(import_module(module), name)(**settings)
        pipeline = predict_pipeline(scorer, fallback=BiasScorer(damping=5.0))
        pipeline.train(data, TrainingOptions(rng=0))
        found = np.full(test.shape[1], np.nan)
        wanted = test.astype(int)
        for user in np.unique(wanted[0]):
            places = np.flatnonzero(wanted[0] == user)
            asked = ItemList(item_ids=wanted[1][places])
            found[places] = lenskit.predict(pipeline, int(user), asked).scores("numpy")
        return np.clip(np.where(np.isnan(found), train[2].mean(), found), *scale)

    return predict


def factorization_machine(with_days: bool) -> Predict:
    """myFM's sampler over users and items, what each user rated, who rated each item, and days."""

    def predict(
        train: np.ndarray, test: np.ndarray, scale: tuple[float, float], settings: dict[str, Any]
    ) -> np.ndarray:
        import myfm
        from scipy.sparse import csr_matrix, diags, eye, hstack

        users, items = (np.append(train[n], test[n]).astype(int) for n in (0, 1))
        n_learned = train.shape[1]
        shape = users.max() + 1, items.max() + 1
        learned = slice(n_learned)
        rated = csr_matrix((np.ones(n_learned), (users[learned], items[learned])), shape=shape)
        blocks = []
        for matrix in (rated, rated.T.tocsr()):
            weights = np.maximum(1, np.diff(matrix.indptr)) ** -0.5
            blocks.append(hstack((eye(matrix.shape[0]), diags(weights) @ matrix), "csr"))
        days = np.append(train[3], test[-1]) if with_days else np.empty(0)
        names = np.unique(days[learned])
        places = np.minimum(np.searchsorted(names, days), max(0, len(names) - 1))
        is_known = (names[places] == days) * 1.0  # an unknown day is a row of zeros
        dated = csr_matrix(
            (is_known, (np.arange(len(days)), places)), shape=(len(users), len(names))
        )
        parts = [
            [
                myfm.RelationBlock(own[part], block)
                for own, block in zip((users, items), blocks, strict=True)
            ]
            for part in (learned, slice(n_learned, None))
        ]
        sizes = [n for n in shape for n in (n, sum(shape) - n)]
        groups = [*([len(names)] if with_days else []), *sizes]
        machine = myfm.MyFMRegressor(random_seed=0, **settings)
        machine.fit(
            dated[learned],
            train[2],
            X_rel=parts[0],
            group_shapes=groups,
            n_iter=300,
            n_kept_samples=290,
        )
        return np.clip(machine.predict(dated[n_learned:], X_rel=parts[1]), *scale)

    return predict


SYSTEMS: dict[str, Predict] = {
    "surprise-svd": surprise_system("SVD"),
    "surprise-svdpp": surprise_system("SVDpp"),
    "surprise-knn-baseline": surprise_system("KNNBaseline"),
    "lenskit-als": lenskit_system("lenskit.als", "BiasedMFScorer"),
    "lenskit-item-knn": lenskit_system("lenskit.knn", "ItemKNNScorer"),
    "lenskit-user-knn": lenskit_system("lenskit.knn", "UserKNNScorer"),
    "myfm": factorization_machine(with_days=False),
    "myfm-days": factorization_machine(with_days=True),
}


def main() -> None:
    folder, name, settings = Path(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3])
    train, test = np.load(folder / "train.npy"), np.load(folder / "test.npy")
    scale = tuple(json.loads((folder / "scale.json").read_text(encoding="utf-8")))
    np.save(folder / "predictions.npy", SYSTEMS[name](train, test, scale, settings))


if __name__ == "__main__":
    main()
