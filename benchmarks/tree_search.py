"""The share of users that a k-d tree or ball tree skips, as the paper suggests (section II).

    python benchmarks/tree_search.py        # 6,040 users, about two minutes

Searches the five nearest users by cosine for some hundred users of a workload shaped like ml-1m.
Reports the share of users that were visited, and the time next to comparing blocks of all users.
All searches must give the same neighbours. "Projected" trees hold 64 orthonormal coordinates and
the length of the rest, as they must if whole profiles do not fit into memory.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from _runs import keep, measured
from scipy.sparse import csr_array
from workload import load

from recommender.core.configs.neighbours import UserKNNConfig
from recommender.core.neighbours import trees
from recommender.core.neighbours.similarity import UserIndex
from recommender.core.ratings import Scale

K = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("var/workload/ml-1m"))
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--out", type=Path, help="default: results/tree_search.json")
    options = parser.parse_args()
    data, scale = load("ml-1m", options.data), Scale(0.5, 5, 0.5)
    stars = (data["levels"] / 2).astype(np.float32)
    matrix = csr_array((stars, data["indices"], data["indptr"]))
    n_users, rng = matrix.shape[0], np.random.default_rng(3)
    own = np.sort(rng.choice(n_users, options.queries, replace=False))
    wanted, rows = None, []
    print(f"{'':24}{'visited':>9}{'ms a query':>12}{'to build: s':>13}")
    for label, search, memory in (
        ("all users, in blocks", "blocks", 0),
        ("k-d tree", "kd-tree", 1 << 30),
        ("ball tree", "ball-tree", 1 << 30),
        ("k-d tree, projected", "kd-tree", 8 * trees.DIMENSIONS * n_users),
        ("ball tree, projected", "ball-tree", 8 * trees.DIMENSIONS * n_users),
    ):
        trees.MEMORY = memory or trees.MEMORY
        config = UserKNNConfig(neighbours="overall", search=search)
        row: dict[str, Any] = {"search": label, "building": {}}
        with measured(row["building"]):
            kind = UserIndex if search == "blocks" else trees.TreeIndex
            index = kind(matrix, scale, config)
        with measured(row):
            found = [
                ranked.users.tolist() for ranked in index.ranked(matrix[own], exclude=own, limit=K)
            ]
        wanted = wanted or found
        if found != wanted:
            raise SystemExit(f"{label} found different neighbours.")
        row["visited"] = getattr(index, "visited", 1.0)
        rows.append(row)
        print(
            f"{label:24}{row['visited']:9.1%}{1e3 * row['seconds'] / len(own):12.2f}"
            f"{row['building']['seconds']:13.2f}"
        )
    keep("tree_search", {"users": n_users, "k": K, "rows": rows}, options.out)


if __name__ == "__main__":
    main()
