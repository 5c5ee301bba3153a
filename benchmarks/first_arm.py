"""Which network a first study should use: different movies for 200 profiles, error, time.

    STUDYSITE_DATA=folder python benchmarks/first_arm.py

On ml-latest-small, split at random. A system that names few movies shows everybody the same pairs
of cards. Needs torch, numpy and scipy, not Django.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from _runs import keep, measured

from recommender.core.algorithms.base import implementation
from recommender.core.metrics import rmse
from recommender.core.readers.source import read_source
from recommender.core.runs import RunOptions
from recommender.core.splitting import split
from recommender.core.systems import system

ARMS = (("bias", "default"), ("autoencoder", "compact"), ("dual-autoencoder", "default"))
PROFILES, LEAST = 200, 20  # profiles, and the ratings that each has at least
SEED = 0


def main() -> None:
    ratings = read_source(Path(os.environ["STUDYSITE_DATA"]) / "ml-latest-small").ratings
    parts = split(ratings, "random-90-10", SEED)
    whole = ratings.matrix()
    able = np.flatnonzero(np.diff(whole.indptr) >= LEAST)
    profiles = whole[np.sort(np.random.default_rng(SEED).permutation(able)[:PROFILES])]
    rows: dict[str, dict[str, Any]] = {}
    for name, preset in ARMS:
        config = system(name).presets[preset]
        row = rows[f"{name} {preset}"] = {}
        with measured(row):
            model = implementation(name, config)(config)
            model.fit(parts.train, options=RunOptions(threads=2))
        row["rmse"] = rmse(
            parts.test_values, model.predict(None, parts.test_rows, parts.test_items)
        )
        row["movies"] = len(np.unique(model.recommend(profiles, 1).items))
        below = 1 - row["rmse"] / rows["bias default"]["rmse"]
        print(
            f"{name} {preset}: {row['movies']} movies, RMSE {row['rmse']:.4f} ({below:.1%} below "
            f"the damped bias), {row['cpu_seconds']:.0f} s of a processor",
            flush=True,
        )
    keep(__file__, {"rows": rows})


if __name__ == "__main__":
    main()
