"""The paper's last claim, "much more scalable at test time": top-1 by autoencoder and by KNN.

    python benchmarks/scalability.py                   # both on the CPU
    python benchmarks/scalability.py --device cuda     # the autoencoder on a GPU, KNN on the CPU

Times the best unrated item for 1 user and for 1,000 users at the paper's full scale, through the
same ``recommend``, ranking included. The autoencoder has the paper's layers with random weights,
which take as long as learned ones. KNN is the preset ``paper``: five nearest raters, exact. Memory
is the peak while recommending, including the training profiles (0.2 GB). Needs torch and numba.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
from _runs import OURS, contestant, forget_peak, keep, measured, peak_gb, tell
from workload import load

from recommender.core.algorithms.base import Recommender
from recommender.core.ratings import Ratings, Scale
from recommender.core.runs import RunOptions
from recommender.core.systems import system

COUNTS = (1, 1_000)
REPEAT = 5  # runs for the single user, of which the median counts


def all_ratings(folder: Path) -> Ratings:
    data = load("paper", folder)
    return Ratings(
        indptr=data["indptr"].astype(np.int64),
        indices=data["indices"],
        values=(data["levels"] / 2).astype(np.float32),
        timestamps=None,
        user_ids=np.arange(len(data["indptr"]) - 1),
        item_ids=np.arange(int(data["indices"].max()) + 1),
        scale=Scale(0.5, 5, 0.5),
    )


def neighbours(ratings: Ratings, threads: int, row: dict[str, Any]) -> Recommender:
    from recommender.core.algorithms.user_knn import UserKNN

    model = UserKNN(system("user-knn").presets["paper"])
    preparing: dict[str, Any] = {}
    with measured(preparing):
        model.fit(ratings, options=RunOptions(threads=threads))
    row["preparing_seconds"] = preparing["seconds"]
    return model


def autoencoder(ratings: Ratings, threads: int, row: dict[str, Any], device: str) -> Recommender:
    import torch

    from recommender.core.algorithms.autoencoder.model import Autoencoder
    from recommender.core.algorithms.autoencoder.network import draw_network
    from recommender.core.algorithms.bias import Bias

    torch.set_num_threads(threads)
    config = system("autoencoder").presets["paper"]
    parameters = draw_network(config, ratings.n_items, 0).stored_parameters()
    arrays = Bias().fit(ratings).to_arrays()
    arrays |= {f"network.{name}": tensor.detach().numpy() for name, tensor in parameters.items()}
    row["parameters"] = sum(tensor.numel() for tensor in parameters.values())
    row["device"] = torch.cuda.get_device_name() if device == "cuda" else "cpu"
    return Autoencoder.from_arrays(config, arrays).to(device)


def run(name: str, folder: Path, threads: int, device: str) -> None:
    """Run one system in a process of its own."""
    ratings, row = all_ratings(folder), {"name": name}
    if name == "autoencoder":
        model = autoencoder(ratings, threads, row, device)
    else:
        model = neighbours(ratings, threads, row)
    rng, profiles = np.random.default_rng(9), ratings.matrix()
    model.recommend(profiles[rng.choice(ratings.n_users, 100)], 1)  # compiles and fills caches
    forget_peak()
    for count in COUNTS:
        taken: list[dict[str, Any]] = []
        for _ in range(REPEAT if count == 1 else 1):
            chosen = profiles[np.sort(rng.choice(ratings.n_users, count, replace=False))]
            taken.append({})
            with measured(taken[-1]):
                model.recommend(chosen, 1)
        taken.sort(key=lambda times: float(times["seconds"]))
        row[f"top_1_of_{count}"] = {**taken[len(taken) // 2], "peak_gb": peak_gb()}
    tell(row)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("var/workload/paper"))
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--out", type=Path, help="default: results/scalability.json")
    options = parser.parse_args()
    load("paper", options.data)
    rows = []
    print(f"{'':14}{'1 user: ms':>12}{'1,000 users: s':>16}{'cpu s':>8}{'peak GB':>9}")
    for name in ("autoencoder", "user-knn"):
        call = ("--run", name, options.data, options.threads, options.device)
        row = contestant(OURS, "scalability.py", *call, threads=options.threads)
        one, many = (row[f"top_1_of_{count}"] for count in COUNTS)
        print(
            f"{name:14}{1e3 * one['seconds']:12.0f}{many['seconds']:16.1f}"
            f"{many['cpu_seconds']:8.1f}{many['peak_gb']:9.2f}"
        )
        rows.append(row)
    first, second = ([row[f"top_1_of_{count}"]["seconds"] for count in COUNTS] for row in rows)
    ratios = [knn / network for network, knn in zip(first, second, strict=True)]
    print(f"KNN takes {ratios[0]:.1f} times as long for one user, {ratios[1]:.1f} for 1,000")
    name = "scalability" if options.device == "cpu" else f"scalability_{options.device}"
    content = {"threads": options.threads, "rows": rows, "knn_times_autoencoder": ratios}
    keep(name, content, options.out)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--run"]:
        run(sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]), sys.argv[5])
    else:
        main()
