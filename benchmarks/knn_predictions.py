"""Predictions of the user-user KNN for a tenth of all ratings, and top-1 for 1,000 profiles.

    python benchmarks/knn_predictions.py                 # all three parts, about five minutes
    python benchmarks/knn_predictions.py --parts ml-1m   # with LensKit and Surprise

Each part runs in a process of its own, so its peak memory is its own:

- ``newest``: 270,896 users; predicts the newest tenth (2.6 million ratings, most by users without
  a training rating, who get the damped bias), then top-1 for 1 and for 1,000 profiles;
- ``warm``: the same users; predicts half of the ratings of a fifth of the users, nearly all of them
  from neighbours, so this is the cost without fallbacks;
- ``ml-1m``: 6,040 users, a random tenth; our presets, and the KNN of LensKit and Surprise with
  their defaults, in the environment of ``make peers`` (skipped without it).

Times include fitting, but not reading the training ratings. Needs numba.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from _runs import OURS, PEERS, contestant, keep, measured, tell
from numpy.typing import NDArray
from workload import load

from recommender.core.algorithms.user_knn import UserKNN
from recommender.core.metrics import rmse
from recommender.core.neighbours.predictions import PlainPredictor
from recommender.core.ratings import Ratings, Scale
from recommender.core.runs import RunOptions
from recommender.core.systems import system

SHAPES = {"newest": "paper", "warm": "paper", "ml-1m": "ml-1m"}
SCALES = {"paper": Scale(0.5, 5, 0.5), "ml-1m": Scale(1, 5, 1)}
PROFILES = 1_000


def parts_of(part: str, folder: Path) -> tuple[Ratings, NDArray, NDArray, NDArray]:
    """The training ratings, and users, items and stars to predict."""
    data = load(SHAPES[part], folder / SHAPES[part], mmap=True)
    sizes, rng = np.diff(data["indptr"]), np.random.default_rng(5)
    users = np.repeat(np.arange(len(sizes), dtype=np.int32), sizes)
    if part == "newest":
        stamps = data["timestamps"]
        cut = int(len(stamps) * 0.9)
        test = stamps >= np.partition(stamps, cut)[cut]
    elif part == "warm":
        test = (rng.random(len(sizes)) < 0.2)[users] & (rng.random(len(users)) < 0.5)
    else:
        test = rng.random(len(users)) < 0.1
    kept, stars = ~test, (data["levels"] / 2).astype(np.float32)
    counts = np.bincount(users[kept], minlength=len(sizes))
    train = Ratings(
        indptr=np.concatenate(([0], np.cumsum(counts))).astype(np.int64),
        indices=data["indices"][kept],
        values=stars[kept],
        timestamps=None,
        user_ids=np.arange(len(sizes)),
        item_ids=np.arange(int(data["indices"].max()) + 1),
        scale=SCALES[SHAPES[part]],
    )
    return train, users[test].astype(np.int64), data["indices"][test].astype(np.int64), stars[test]


def ours(part: str, preset: str, folder: Path, threads: int, out: str) -> None:
    """Run our KNN in a process of its own."""
    train, users, items, stars = parts_of(part, folder)
    row: dict[str, Any] = {"name": f"ours, {preset}", "pairs": len(users)}
    model = UserKNN(system("user-knn").presets[preset])
    warm_up(model, train, threads)
    with measured(row):
        model.fit(train, options=RunOptions(threads=threads))
        found = model.predict(None, users, items)
    row["form"] = "plain" if isinstance(model._predictor, PlainPredictor) else "compiled"
    row["warm_pairs"] = int((np.diff(train.indptr)[users] > 0).sum())
    row["rmse"] = rmse(stars, found)
    if part == "newest":
        rated = np.flatnonzero(np.diff(train.indptr))
        some = np.sort(np.random.default_rng(9).choice(rated, PROFILES, replace=False))
        for count in (1, PROFILES):
            profiles, top = train.matrix()[some[:count]], {}
            with measured(top):
                ranking = model.recommend(profiles, 1)
            row[f"top_1_of_{count}"] = {**top, "median_tied": float(np.median(ranking.tied))}
    if out:
        np.save(out, found)
    tell(row)


def warm_up(model: UserKNN, train: Ratings, threads: int) -> None:
    """Compile, or read what was compiled, on a few profiles among many empty ones."""
    some = np.zeros(train.n_ratings, bool)
    some[: train.indptr[50]] = True
    model.fit(train.select(some), options=RunOptions(threads=threads))
    model.predict(None, np.arange(5), np.arange(5))
    model.recommend(train.matrix()[:2], 1)


def compare_with_peers(folder: Path, threads: int) -> list[dict[str, Any]]:
    train, users, items, stars = parts_of("ml-1m", folder)
    rows = []
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        triples = np.stack([train.rows(), train.indices, train.values])
        np.save(place / "train.npy", triples.astype(np.float64))
        np.save(place / "test.npy", np.stack([users, items]))
        out = place / "found.npy"
        for preset in ("paper", "lenskit", "surprise"):
            call = ("--ours", "ml-1m", preset, folder, threads, out)
            rows.append(contestant(OURS, "knn_predictions.py", *call, threads=threads))
        for peer in ("lenskit", "surprise") if PEERS.exists() else ():
            row = contestant(PEERS, "_rating_peers.py", peer, place, out, threads=threads)
            found = np.load(out)
            known = np.isfinite(found)
            rows.append({**row, "pairs": len(users), "rmse": rmse(stars[known], found[known])})
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("var/workload"))
    parser.add_argument("--parts", nargs="*", choices=SHAPES, default=list(SHAPES))
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--out", type=Path, help="default: results/knn_predictions.json")
    options = parser.parse_args()
    content: dict[str, Any] = {"threads": options.threads, "parts": {}}
    for part in options.parts:
        print(f"\n{part}\n{'':18}{'pairs':>10}{'seconds':>9}{'cpu s':>8}{'peak GB':>9}{'RMSE':>8}")
        if part == "ml-1m":
            rows = compare_with_peers(options.data, options.threads)
        else:
            call = ("--ours", part, "paper", options.data, options.threads, "")
            rows = [contestant(OURS, "knn_predictions.py", *call, threads=options.threads)]
        content["parts"][part] = rows
        for row in rows:
            print(
                f"{row['name']:18}{row['pairs']:10}{row['seconds']:9.1f}{row['cpu_seconds']:8.1f}"
                f"{row['peak_gb']:9.2f}{row['rmse']:8.4f}   {row.get('form', '')}"
            )
            for count in (1, PROFILES):
                if top := row.get(f"top_1_of_{count}"):
                    seconds, cpu = top["seconds"], top["cpu_seconds"]
                    print(f"  top-1 of {count:5} profiles {seconds:10.2f}{cpu:8.1f}")
    keep("knn_predictions", content, options.out)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--ours"]:
        ours(sys.argv[2], sys.argv[3], Path(sys.argv[4]), int(sys.argv[5]), sys.argv[6])
    else:
        main()
