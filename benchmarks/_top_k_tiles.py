"""All-pairs top-k cosine by dense tiles on a device of torch; all_pairs_top_k.py calls it.

    python benchmarks/_top_k_tiles.py FOLDER QUERIES.npy K DEVICE OUT.npz

FOLDER holds a workload, QUERIES.npy user positions. The time holds the way to the device and back.
The bound is what the dense products alone take at the card's rate for whole numbers, measured
before. DEVICE cpu is for trying the script out: processors have the compiled form.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
from _runs import measured, tell
from workload import load

from recommender.core.neighbours import tiles
from recommender.core.neighbours.levels import Levels

# After recommender.core, which sets what torch reads when it is loaded.
import torch  # isort: skip


def synchronise(device: str) -> None:
    if device.startswith("cuda"):
        torch.cuda.synchronize(device)


def product_rate(device: str) -> float:
    """Operations a second of large int8 products, the best of several."""
    n = 8192 if device.startswith("cuda") else 1024
    left, right = (torch.ones(n, n, dtype=torch.int8, device=device) for _ in range(2))
    best = 0.0
    for _ in range(20):
        synchronise(device)
        start = time.perf_counter()
        torch._int_mm(left, right.T)
        synchronise(device)
        best = max(best, 2 * n**3 / (time.perf_counter() - start))
    return best


def main() -> None:
    folder, queries, k, device, out = sys.argv[1:]
    data, asked = load("paper", Path(folder)), np.load(queries)
    on_gpu = device.startswith("cuda")
    if on_gpu and not torch.cuda.is_available():
        raise SystemExit("There is no CUDA device here, so nothing is measured on one.")
    profiles = Levels(data["indptr"].astype(np.int64), data["indices"], data["levels"])
    n_users, n_movies = len(profiles.indptr) - 1, int(data["indices"].max()) + 1
    row = {"name": f"ours, {device}", "product_rate": product_rate(device)}
    few = Levels(profiles.indptr[:65], profiles.movies, profiles.levels)
    tiles.nearest(few, n_movies, few, np.arange(64), int(k), device=device)  # loads its kernels
    if on_gpu:
        torch.cuda.reset_peak_memory_stats(device)
    with measured(row):
        found = tiles.nearest(profiles, n_movies, profiles, asked, int(k), device=device)
    row["bound_seconds"] = 2 * len(asked) * n_users * n_movies / row["product_rate"]
    row["device"] = torch.cuda.get_device_name(device) if on_gpu else "processor"
    row["device_gb"] = torch.cuda.max_memory_allocated(device) / 1e9 if on_gpu else 0.0
    np.savez(out, users=found.users, similarities=found.similarities)
    tell(row)


if __name__ == "__main__":
    main()
